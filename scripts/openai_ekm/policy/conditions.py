"""Conditions: their operators, as `ForAnyValue:StringLikeIfExists`, their keys and values.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any

from openai_ekm.policy.json_text import members
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.policy.light import light
from openai_ekm.policy.malformed import MalformedPolicy
from openai_ekm.policy.text_cache import CachedByTexts, cached_by_text
from openai_ekm.policy.variables import Template, parse_template

__all__ = [
    "BASES",
    "Condition",
    "Family",
    "Operator",
    "Quantifier",
    "conditions",
    "parse_operator",
    "text_of",
]


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
        positive: The operator to evaluate: its name without set operator and `IfExists`, or what
            that negates.
        negated: Whether it is the negation of `positive`.
        if_exists: Whether a missing key makes it true.
        family: What it compares.
    """

    text: str
    quantifier: Quantifier
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
        positive=negates or base,
        negated=negates is not None,
        if_exists=if_exists,
        family=family,
    )


@light(frozen=True, slots=True)
class Condition:
    """One key under one operator.

    Args:
        operator: How the request's value is compared.
        key: As the policy spells it.
        lookup: The key in lower case: condition keys are not case-sensitive.
        values: What it is compared with; any of them will do.
        templates: For each value its variables, or None; empty when no value has any.
    """

    operator: Operator
    key: str
    lookup: str
    values: tuple[str, ...]
    templates: tuple[Template | None, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the condition keys that stand as variables in its values, in lower case."""
        return tuple(key for each in self.templates if each is not None for key in each.keys)

    @property
    def plain_values(self) -> tuple[str, ...]:
        """Return its values without variables."""
        templates = self.templates or (None,) * len(self.values)
        return tuple(
            value for value, each in zip(self.values, templates, strict=True) if each is None
        )


# Operators that take policy variables. AWS's pages disagree about Bool: the operators' page says
# yes, Access Analyzer no; the document is accepted and the condition left undecided.
TAKES_VARIABLES = frozenset({Family.STRING, Family.ARN, Family.BOOL})
TAGGED = ("aws:principaltag", "aws:requesttag", "aws:resourcetag")


def conditions(raw: Any, *, variables: bool) -> tuple[Condition, ...]:
    """Read a Condition element.

    Args:
        raw: The decoded JSON.
        variables: Whether `${…}` is a variable (Version 2012-10-17).

    Returns:
        One condition for each key under each operator.

    Raises:
        MalformedPolicy: With the place, from `Condition` on.
    """
    try:
        raw = members(raw, "must be an object of operators", "operator")
    except MalformedPolicy as fault:
        raise fault.inside("Condition") from None
    read: list[Condition] = []
    for name, block in raw.items():
        try:
            _block(name, block, read, variables=variables)
        except MalformedPolicy as fault:
            place = f"Condition.{name}.{fault.place}" if fault.place else f"Condition.{name}"
            raise MalformedPolicy(fault.message, place) from None
    return tuple(read)


def _block(name: str, block: Any, read: list[Condition], *, variables: bool) -> None:
    parse_operator(name)
    block = members(block, "must be an object of condition keys", "key")
    seen: set[str] = set()
    kept = CONDITIONS[variables]
    for key, raw in block.items():
        lookup = _lookup(key)
        if lookup in seen:
            raise MalformedPolicy("stands twice, in different case", key)
        seen.add(lookup)
        values = (raw,) if type(raw) is str else _values(raw, key)
        texts = (name, key, *values)
        read.append(kept.get(texts) or kept.made(texts))


def _condition(texts: tuple[str, ...], *, variables: bool) -> Condition:
    """Return operator, key and values as a condition."""
    name, key, *rest = texts
    operator, values = parse_operator(name), tuple(rest)
    templates = _templates(values, operator, key) if variables else ()
    if operator.family is Family.BOOL and len(values) > 1:
        raise MalformedPolicy("takes a single Boolean value", key)
    return Condition(operator, key, _lookup(key), values, templates)


CONDITIONS = {each: CachedByTexts(partial(_condition, variables=each)) for each in (False, True)}


@cached_by_text(maxsize=4096)
def _lookup(key: str) -> str:
    """Return a condition key in lower case, checked."""
    lookup = lower_ascii(key)
    service, colon, rest = key.partition(":")
    if not (colon and service and rest):
        raise MalformedPolicy("is not a condition key (service:name)", key)
    if lookup.rstrip("/") in TAGGED:
        raise MalformedPolicy("names no tag (aws:…Tag/key)", key)
    return lookup


def _templates(
    values: tuple[str, ...], operator: Operator, key: str
) -> tuple[Template | None, ...]:
    """Return the variables in each value; empty when no value has any."""
    for value in values:
        if "${" in value:
            break
    else:
        return ()
    if operator.family not in TAKES_VARIABLES:
        raise MalformedPolicy("variables stand with String and ARN operators only", key)
    try:
        return tuple(parse_template(value) for value in values)
    except MalformedPolicy as fault:
        raise MalformedPolicy(fault.message, key) from None


def _values(raw: Any, key: str) -> tuple[str, ...]:
    if isinstance(raw, str):
        return (raw,)
    if not isinstance(raw, list):
        return (text_of(raw, key),)
    if (
        len({type(each) for each in raw} - {int, float})
        + any(type(each) in (int, float) for each in raw)
        > 1
    ):
        raise MalformedPolicy("mixes values of different types", key)
    return tuple(text_of(each, key) for each in raw)


def text_of(value: Any, key: str) -> str:
    """Return a condition value as text: JSON numbers and Booleans may stand without quotes.

    Raises:
        MalformedPolicy: An object, a list, null, or a number too large to write.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        try:
            return str(value)
        except ValueError:
            raise MalformedPolicy("is a number too large to compare", key) from None
    raise MalformedPolicy("must be a string, a number, a Boolean, or a list of those", key)
