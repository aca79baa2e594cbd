"""Names of condition operators: `ForAnyValue:StringLikeIfExists` taken apart.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from openai_ekm.policy.malformed import MalformedPolicy

__all__ = ["BASES", "Family", "Operator", "Quantifier", "parse_operator"]


class Family(StrEnum):
    """The kind of value that an operator compares."""

    STRING = "String"
    NUMERIC = "Numeric"
    DATE = "Date"
    BOOL = "Bool"
    BINARY = "Binary"
    IP = "IpAddress"
    ARN = "Arn"
    NULL = "Null"


class Quantifier(StrEnum):
    """The number of the request's values that must match."""

    ONE = ""
    ANY = "ForAnyValue"
    ALL = "ForAllValues"


# Operator -> (family, the operator that it negates or None).
BASES: dict[str, tuple[Family, str | None]] = {
    "StringEquals": (Family.STRING, None),
    "StringNotEquals": (Family.STRING, "StringEquals"),
    "StringEqualsIgnoreCase": (Family.STRING, None),
    "StringNotEqualsIgnoreCase": (Family.STRING, "StringEqualsIgnoreCase"),
    "StringLike": (Family.STRING, None),
    "StringNotLike": (Family.STRING, "StringLike"),
    "NumericEquals": (Family.NUMERIC, None),
    "NumericNotEquals": (Family.NUMERIC, "NumericEquals"),
    "NumericLessThan": (Family.NUMERIC, None),
    "NumericLessThanEquals": (Family.NUMERIC, None),
    "NumericGreaterThan": (Family.NUMERIC, None),
    "NumericGreaterThanEquals": (Family.NUMERIC, None),
    "DateEquals": (Family.DATE, None),
    "DateNotEquals": (Family.DATE, "DateEquals"),
    "DateLessThan": (Family.DATE, None),
    "DateLessThanEquals": (Family.DATE, None),
    "DateGreaterThan": (Family.DATE, None),
    "DateGreaterThanEquals": (Family.DATE, None),
    "Bool": (Family.BOOL, None),
    "BinaryEquals": (Family.BINARY, None),
    "IpAddress": (Family.IP, None),
    "NotIpAddress": (Family.IP, "IpAddress"),
    "ArnEquals": (Family.ARN, None),
    "ArnNotEquals": (Family.ARN, "ArnEquals"),
    "ArnLike": (Family.ARN, None),
    "ArnNotLike": (Family.ARN, "ArnLike"),
    "Null": (Family.NULL, None),
}

SUFFIX = "IfExists"


@dataclass(frozen=True, slots=True)
class Operator:
    """One condition operator.

    Args:
        text: As the policy spells it.
        quantifier: The set operator before the colon, if any.
        base: The name without set operator and `IfExists`.
        positive: The operator to evaluate: `base`, or what `base` negates.
        negated: Whether `base` is the negation of `positive`.
        if_exists: Whether a missing key makes it true.
        family: What it compares.
    """

    text: str
    quantifier: Quantifier
    base: str
    positive: str
    negated: bool
    if_exists: bool
    family: Family


@lru_cache(maxsize=512)
def parse_operator(text: str) -> Operator:
    """Take an operator's name apart.

    Args:
        text: As the policy spells it; case matters.

    Returns:
        The operator.

    Raises:
        MalformedPolicy: No such operator, or `NullIfExists`.
    """
    quantifier = Quantifier.ONE
    base = text
    head, colon, rest = text.partition(":")
    if colon:
        if head not in (Quantifier.ANY, Quantifier.ALL):
            raise MalformedPolicy(f"{text!r} is not a condition operator")
        quantifier, base = Quantifier(head), rest
    if_exists = base.endswith(SUFFIX)
    if if_exists:
        base = base[: -len(SUFFIX)]
    if base not in BASES:
        raise MalformedPolicy(f"{text!r} is not a condition operator")
    family, negates = BASES[base]
    if family is Family.NULL and if_exists:
        raise MalformedPolicy("Null cannot be combined with IfExists")
    return Operator(
        text=text,
        quantifier=quantifier,
        base=base,
        positive=negates or base,
        negated=negates is not None,
        if_exists=if_exists,
        family=family,
    )
