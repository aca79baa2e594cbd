"""Whether a statement applies to a request: action, resource, principal, conditions.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.evaluation.conditions import holds, open_variable
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.principals import names_a_path
from openai_ekm.evaluation.services.kms import KEYLESS_ACTIONS
from openai_ekm.policy.pattern import ANY
from openai_ekm.policy.statement import ArnPattern, Statement, split_arn_pattern

if TYPE_CHECKING:
    from openai_ekm.evaluation.request import Context, Situation

__all__ = ["action_matches", "conditions_hold", "open_part", "resource_matches"]


NO_ACTION = OpenPoint("NotAction is empty: AWS says that such a statement has no effect")


def action_matches(statement: Statement, action: str) -> bool | OpenPoint:
    """Return whether the action is among those of a statement.

    Args:
        statement: The statement.
        action: In lower case.
    """
    if statement.not_action and not statement.actions.texts:
        return NO_ACTION
    return statement.actions.cover(action) is not statement.not_action


def resource_matches(  # noqa: PLR0911 - one return for each case that AWS tells apart
    statement: Statement, situation: Situation
) -> bool | OpenPoint:
    """Return whether the resource is one of a statement's; a trust policy is about its role."""
    resources = statement.resources
    if resources is None:
        return True
    if resources.everything or situation.request.resource in resources.literals:
        return not statement.not_resource
    undecided: OpenPoint | None = None
    for pattern in resources.others:
        found = _resource(pattern, situation, excepted=statement.not_resource)
        if found is True:
            return not statement.not_resource
        if found is not False:
            undecided = found
    if not statement.not_resource:
        return False if undecided is None else undecided
    if not resources:
        return OpenPoint("NotResource is empty: AWS says that such a statement has no effect")
    if situation.resource is None:
        return OpenPoint("whether NotResource covers an action without a resource is not said")
    return True if undecided is None else undecided


def _resource(pattern: ArnPattern, situation: Situation, *, excepted: bool) -> bool | OpenPoint:
    segments = situation.resource
    if segments is None:
        return _everywhere(pattern, situation)
    if pattern.template is None:
        return _fits(pattern, pattern, segments)
    context = situation.context
    if point := open_variable(pattern.template, context):
        return point
    runs = pattern.template.fill(lambda key: _single(context, key))
    if runs is None and excepted:
        return OpenPoint(f"{pattern.text}: a variable has no value in this request")
    if wild := pattern.template.wild_default(context.get):
        return OpenPoint(f"{pattern.text}: whether {wild!r} in a default is a pattern is not said")
    filled = None if runs is None else split_arn_pattern(runs, pattern.text)
    return filled is not None and _fits(pattern, filled, segments)


def _fits(pattern: ArnPattern, filled: ArnPattern, segments: tuple[str, ...]) -> bool | OpenPoint:
    """Return whether a pattern fits, its variables filled; open where AWS does not say it."""
    if pattern.unsettled is None:
        return filled.matches(segments)
    *around, last = (
        each.matches(segment) for each, segment in zip(filled.segments, segments, strict=True)
    )
    names_none = pattern.text.endswith(":") and filled.segments[-1].literal == ""
    if not all(around) or not (last or names_none):
        return False
    return OpenPoint(f"AWS does not say what {pattern.text!r} covers: {pattern.unsettled}")


def _everywhere(pattern: ArnPattern, situation: Situation) -> bool | OpenPoint:
    """Return whether a pattern other than `*` covers an action that has no resource.

    For those of KMS `arn:partition:kms:Region:account:*` stands for `*`. The request does not say
    its Region, so one that names it is left open.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
    """
    whole = pattern.segments
    if situation.action not in KEYLESS_ACTIONS or not whole or whole[-1] is not ANY:
        return False
    caller = situation.caller
    _, partition, service, region, account, _ = whole
    mine = partition.matches(caller.partition) and account.matches(caller.account)
    if not (mine and service.matches(situation.service)):
        return False
    return (
        True
        if region is ANY
        else OpenPoint(
            f"whether {pattern.text} covers {situation.request.action}, which is asked for in no "
            "Region that the request says"
        )
    )


def _single(context: Context, key: str) -> str | None:
    value = context.get(key)
    return value if isinstance(value, str) else None


def open_part(
    statement: Statement, resource: bool | OpenPoint, conditions: bool | OpenPoint
) -> OpenPoint | None:
    """Return the first open point among the parts of a statement, its principal apart.

    Args:
        statement: One that covers the action.
        resource: Whether its resource matches.
        conditions: Whether its conditions hold.
    """
    action = statement.not_action and not statement.actions.texts
    for part in (NO_ACTION if action else None, resource, conditions):
        if isinstance(part, OpenPoint):
            return part
    return None


def conditions_hold(statement: Statement, situation: Situation) -> bool | OpenPoint:
    """Return whether all conditions hold; one that does not settles it, whatever is open."""
    undecided: OpenPoint | None = None
    for condition in statement.conditions:
        verdict = holds(condition, situation.context)
        if (
            not situation.path_known
            and condition.lookup == "aws:principalarn"
            and verdict is condition.operator.negated
            and names_a_path(condition, situation.caller)
        ):
            verdict = OpenPoint(
                f"whether the role of {situation.caller.text} has a path shows in "
                "aws:PrincipalArn, which the request does not have"
            )
        if verdict is False:
            return False
        if verdict is not True:
            undecided = verdict
    return True if undecided is None else undecided
