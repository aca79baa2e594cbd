"""Policy documents as values: read, checked as AWS checks them at save, compared. No I/O."""

from ekm.policy.arn import Arn, parse_arn
from ekm.policy.document import Document, DocumentKind, parse_document
from ekm.policy.malformed import MalformedPolicy
from ekm.policy.operators import Family, Operator, Quantifier
from ekm.policy.pattern import Pattern
from ekm.policy.principal import Principal, PrincipalForm
from ekm.policy.statement import ArnPattern, Condition, Effect, Statement
from ekm.policy.variables import Template, Variable

__all__ = [
    "Arn",
    "ArnPattern",
    "Condition",
    "Document",
    "DocumentKind",
    "Effect",
    "Family",
    "MalformedPolicy",
    "Operator",
    "Pattern",
    "Principal",
    "PrincipalForm",
    "Quantifier",
    "Statement",
    "Template",
    "Variable",
    "parse_arn",
    "parse_document",
]
