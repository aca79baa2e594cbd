"""Policy documents as values: read, checked as AWS checks them at save, compared. No I/O."""

from openai_ekm.policy.arn import Arn, parse_arn
from openai_ekm.policy.conditions import Condition, Family, Operator, Quantifier
from openai_ekm.policy.document import ALLOW_ALL, Document, DocumentKind, parse_document
from openai_ekm.policy.malformed import MalformedPolicy
from openai_ekm.policy.pattern import Pattern
from openai_ekm.policy.principal import Principal, PrincipalForm
from openai_ekm.policy.statement import ArnPattern, Effect, Statement
from openai_ekm.policy.variables import Template, Variable

__all__ = [
    "ALLOW_ALL",
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
