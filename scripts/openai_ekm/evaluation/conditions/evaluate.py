"""One condition against a request: missing keys, several values, set operators, negation.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

from collections.abc import Callable
from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING, TypeVar

from openai_ekm.evaluation.conditions import arn, ip, null, string
from openai_ekm.evaluation.conditions.binary import decoded
from openai_ekm.evaluation.conditions.boolean import truth
from openai_ekm.evaluation.conditions.date import instant
from openai_ekm.evaluation.conditions.numeric import number
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.policy.conditions import Family, Operator, Quantifier

if TYPE_CHECKING:
    from openai_ekm.evaluation.request import Context
    from openai_ekm.policy.conditions import Condition
    from openai_ekm.policy.variables import Template

__all__ = ["holds", "open_variable"]

# (the policy's value, the request's value) -> whether it matches; None: cannot be compared.
Match = Callable[[str, str], bool | None]
Read = TypeVar("Read")


def _comparison(read: Callable[[str], Read | None], compare: Callable[[Read, Read], bool]) -> Match:
    """Return what compares the request's value with the policy's; None when either is not read."""

    def match(policy_value: str, request_value: str) -> bool | None:
        left, right = read(request_value), read(policy_value)
        return None if left is None or right is None else compare(left, right)

    return match


MATCHES: dict[str, Match] = {
    "StringEquals": string.equals,
    "StringEqualsIgnoreCase": string.equals_ignore_case,
    "StringLike": string.like,
    "NumericEquals": _comparison(number, eq),
    "NumericLessThan": _comparison(number, lt),
    "NumericLessThanEquals": _comparison(number, le),
    "NumericGreaterThan": _comparison(number, gt),
    "NumericGreaterThanEquals": _comparison(number, ge),
    "DateEquals": _comparison(instant, eq),
    "DateLessThan": _comparison(instant, lt),
    "DateLessThanEquals": _comparison(instant, le),
    "DateGreaterThan": _comparison(instant, gt),
    "DateGreaterThanEquals": _comparison(instant, ge),
    "Bool": _comparison(truth, eq),
    "BinaryEquals": _comparison(decoded, eq),
    "IpAddress": ip.within,
    "ArnEquals": arn.like,
    "ArnLike": arn.like,
}


def holds(  # noqa: PLR0911 - one return for each case that AWS tells apart
    condition: Condition, context: Context
) -> bool | OpenPoint:
    """Return whether a condition holds.

    Args:
        condition: The condition.
        context: The request's keys and values.

    Returns:
        Whether it holds, or the open point that keeps it from being decided.
    """
    lookup = condition.lookup
    # Nearly every name is ASCII, and then there is nothing to ask.
    if (context.foreign or not lookup.isascii()) and (point := context.open_name(lookup)):
        return point
    operator = condition.operator
    found = context.get(lookup)
    if operator.family is Family.NULL:
        return _null(condition, found)
    if not condition.values:
        return _without_values(condition, operator, found)
    if operator.quantifier is not Quantifier.ONE:
        return _several(condition, operator, found, context)
    if isinstance(found, tuple):
        if len(found) > 1:
            return OpenPoint(
                f"{operator.text} on {condition.key}: the request has several values, and only "
                "ForAnyValue and ForAllValues compare several"
            )
        found = found[0] if found else None
    if found is None:
        return operator.if_exists or operator.negated
    return _compare(condition, operator, found, context)


def _several(
    condition: Condition, operator: Operator, found: str | tuple[str, ...] | None, context: Context
) -> bool | OpenPoint:
    """Compare any number of values, as a set operator does."""
    if found is None:
        return operator.if_exists or operator.quantifier is Quantifier.ALL
    if found == () and operator.if_exists and operator.quantifier is Quantifier.ANY:
        return OpenPoint(
            f"{operator.text} on {condition.key}: AWS does not say whether a key with an empty "
            "list of values exists"
        )
    values = (found,) if isinstance(found, str) else found
    null_set = not any(values)
    verdicts = [_compare(condition, operator, value, context) for value in values]
    verdict = _quantify(operator.quantifier, verdicts)
    if null_set and verdict is not (operator.quantifier is Quantifier.ALL):
        return OpenPoint(
            f"{operator.text} on {condition.key}: the request's only value is empty, which AWS "
            "counts as no value"
        )
    return verdict


def _without_values(
    condition: Condition, operator: Operator, found: str | tuple[str, ...] | None
) -> bool | OpenPoint:
    """Decide a condition with an empty list of values.

    ForAnyValue never matches then; ForAllValues and IfExists match only if the key is missing,
    whatever the operator negates. For the others one page says both that they hold and that the
    statement gives no permission, and of ForAnyValue with IfExists both of the above.

    Source:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
    (Empty array condition, with ForAllValues, ForAnyValue and IfExists)
    """
    if operator.quantifier is Quantifier.ANY and not operator.if_exists:
        return False
    one = operator.quantifier is Quantifier.ONE
    if operator.quantifier is Quantifier.ALL or (one and operator.if_exists):
        if not found and found != "":
            return True
        if any(found or ()):  # an empty text may count as no value
            return False
    return OpenPoint(f"{operator.text} on {condition.key} has no value to compare with")


def _quantify(quantifier: Quantifier, verdicts: list[bool | OpenPoint]) -> bool | OpenPoint:
    decisive = quantifier is Quantifier.ANY
    undecided: OpenPoint | None = None
    for verdict in verdicts:
        if verdict is decisive:
            return decisive
        if isinstance(verdict, OpenPoint):
            undecided = verdict
    return undecided or not decisive


def _null(condition: Condition, found: str | tuple[str, ...] | None) -> bool | OpenPoint:
    operator = condition.operator
    if operator.quantifier is not Quantifier.ONE:
        return OpenPoint(f"{operator.text}: AWS does not say what a set operator does to Null")
    undecided = not condition.values
    for wanted in condition.values:
        verdict = null.absent(wanted, found)
        if verdict:
            return True
        undecided = undecided or verdict is None
    if undecided:
        return OpenPoint(
            f"Null on {condition.key}: {', '.join(map(repr, condition.values)) or 'no value'} "
            f"against {found!r} cannot be judged"
        )
    return False


def _compare(
    condition: Condition, operator: Operator, found: str, context: Context
) -> bool | OpenPoint:
    """Return whether one value of the request passes: any of the policy's values will do."""
    if condition.templates:
        matched = _match_with_variables(condition, operator, found, context)
    elif operator.positive == "StringEquals":
        matched = found in condition.values
    else:
        matched = _match(condition, operator, found)
    return matched if isinstance(matched, OpenPoint) else matched is not operator.negated


def _match(condition: Condition, operator: Operator, found: str) -> bool | OpenPoint:
    match = MATCHES[operator.positive]
    unread: str | None = None
    for wanted in condition.values:
        verdict = match(wanted, found)
        if verdict:
            return True
        if verdict is None:
            unread = wanted
    if unread is not None:
        return OpenPoint(
            f"{operator.text} on {condition.key}: {found!r} cannot be compared with {unread!r}"
        )
    return False


def _match_with_variables(
    condition: Condition, operator: Operator, found: str, context: Context
) -> bool | OpenPoint:
    match = MATCHES[operator.positive]
    undecided: OpenPoint | None = None
    for wanted, template in zip(condition.values, condition.templates, strict=True):
        if template is None:
            verdict = match(wanted, found)
        elif operator.family is Family.BOOL:
            return OpenPoint(f"{operator.text}: AWS's pages disagree on variables in {wanted!r}")
        else:
            if point := open_variable(template, context):
                undecided = point
                continue
            like = operator.family is Family.ARN or operator.positive == "StringLike"
            if like and (wild := template.wild_default(context.get)):
                undecided = OpenPoint(
                    f"{wanted}: whether {wild!r} in a default is a pattern is not said"
                )
                continue
            verdict = _match_filled(operator, template, found, context)
        if verdict:
            return True
        if verdict is None:
            undecided = OpenPoint(
                f"{operator.text} on {condition.key}: {found!r} cannot be compared with {wanted!r}"
            )
    return undecided or False


def open_variable(template: Template, context: Context) -> OpenPoint | None:
    """Return why it is open what a variable of a template stands for; None when it is not.

    Args:
        template: A text with variables.
        context: The request's keys and values.
    """
    for key in template.keys:
        if isinstance(context.get(key), tuple):
            return OpenPoint(f"{key} has several values and cannot be a variable")
        if point := context.open_name(key):
            return point
    return None


def _match_filled(
    operator: Operator, template: Template, found: str, context: Context
) -> bool | None:
    runs = template.fill(context.single)
    if runs is None:
        return False
    if operator.family is Family.ARN:
        return arn.filled_like(runs, found)
    if operator.positive == "StringLike":
        return string.filled_like(runs, found)
    return MATCHES[operator.positive]("".join(run for run, _ in runs), found)
