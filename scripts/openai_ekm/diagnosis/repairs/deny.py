"""Statements that deny: the smallest exception for the caller.

Sources: https://github.com/aws-samples/data-perimeter-policy-examples
(identity_perimeter_rcp.json: the accounts of third parties stand under aws:PrincipalAccount),
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis.repairs import unsatisfiable
from openai_ekm.diagnosis.repairs.repair import Repair, as_list, condition_text, set_values, shown
from openai_ekm.policy.letters import lower_ascii

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis.repairs.repair import Site
    from openai_ekm.evaluation.decision import OpenPoint
    from openai_ekm.policy.conditions import Condition

__all__ = ["BY_HAND", "may_deny", "repairs"]

# What to do about a Deny that no single exception lifts.
BY_HAND: Final = (
    "Take the call out of the statement, or except the role: no single condition added to it "
    "does that."
)

_KINDS: Final = {
    "resource": "key policy",
    "identity": "identity policy",
    "permissions_boundary": "permissions boundary",
    "scps": "service control policy",
    "rcps": "resource control policy",
}
_MOST_SHOWN: Final = 3  # conditions in a sentence; the near misses hold them all
_TAGGED: Final = "true"  # any value will do
# How many an exception under a key lets through: a role, an account, an organization.
_BREADTH: Final = {"aws:principalarn": 0, "aws:principalorgid": 2, "aws:resourceorgid": 3}


def repairs(site: Site) -> Iterator[Repair]:
    """Yield ways to keep a Deny from hitting the caller, the likeliest first."""
    negated = [each for each in site.statement.conditions if each.operator.negated]
    yield from _spare_by_tag(site)
    for condition in sorted(negated, key=lambda each: _BREADTH.get(each.lookup, 1)):
        yield from _spare_by_list(site, condition)
    if site.layer == "identity":
        yield from _except_action(site)
        yield from _remove_statement(site)
    yield from _except_caller(site)
    yield from _except_action(site)  # for everybody whom the policy is about
    yield from _remove_statement(site)


def _spare_by_tag(site: Site) -> Iterator[Repair]:
    """Yield the repair for a policy that spares roles that carry a tag."""
    for condition in site.statement.conditions:
        asks = condition.operator.text == "Null" and "true" in condition.values
        if not condition.operator.negated and not asks:
            continue
        value = _TAGGED if asks else next(iter(condition.values), _TAGGED)
        change = unsatisfiable.tagged(site, condition, value.replace("*", "").replace("?", ""))
        if change is None:
            continue
        name = condition.key.partition("/")[2]
        put = change.value[name] if isinstance(change.value, dict) else change.value
        yield _repair(
            site,
            f"Condition.{condition.operator.text}.{condition.key}",
            condition_text(condition),
            f"the tag {name}={put} on the role",
            f"Tag the role: {name}={put}.",
            [change],
        )


def _spare_by_list(site: Site, condition: Condition) -> Iterator[Repair]:
    """Yield the repair for a policy that has a list of exceptions with a value for the call."""
    context = site.situation.context
    seen = context.get(condition.lookup)
    if not isinstance(seen, str) or condition.lookup in {"aws:sourceip", "aws:currenttime"}:
        return
    operator, key = condition.operator.text, condition.key
    raw = site.raw["Condition"][operator][key]
    yield _repair(
        site,
        f"Condition.{operator}.{key}",
        f"{operator} {key}: {shown(as_list(raw))}",
        seen,
        f"Add {seen} to the exceptions under {key}.",
        [set_values(site, ("Condition", operator, key), raw, None, seen)],
    )


def _except_action(site: Site) -> Iterator[Repair]:
    if not site.statement.not_action:
        return
    raw = site.raw["NotAction"]
    action = site.situation.request.action
    yield _repair(
        site,
        "NotAction",
        shown(as_list(raw)),
        action,
        f"Add {action} to NotAction.",
        [set_values(site, ("NotAction",), raw, None, action)],
    )


def _except_caller(site: Site) -> Iterator[Repair]:
    """Add the condition that the caller is not the one role."""
    block: dict[str, Any] = dict(site.raw.get("Condition") or {})
    for operator in ("ArnNotEquals", "ArnNotEqualsIfExists", "ArnNotLike"):
        keys = {lower_ascii(str(key)): key for key in block.get(operator, {})}
        if "aws:principalarn" in keys:
            return  # `_spare_by_list` has added it there
    put = {"aws:PrincipalArn": site.caller_arn}
    if "Condition" not in site.raw:
        change = site.change("add", "Condition", value={"ArnNotEquals": put})
    elif "ArnNotEquals" in block:
        change = site.change(
            "add", "Condition", "ArnNotEquals", "aws:PrincipalArn", value=site.caller_arn
        )
    else:
        change = site.change("add", "Condition", "ArnNotEquals", value=put)
    yield _repair(
        site,
        "Condition" if "Condition" in site.raw else None,
        _conditions(site),
        f"ArnNotEquals aws:PrincipalArn: {site.caller_arn}",
        f"Except the role: add the condition ArnNotEquals aws:PrincipalArn {site.caller_arn}.",
        [change],
    )


def _remove_statement(site: Site) -> Iterator[Repair]:
    *_rest, last = site.pointer
    if last == "Statement":
        return  # the document's only statement, written without a list
    yield _repair(
        site,
        None,
        _conditions(site),
        "no such statement",
        "Remove the statement, or take the call out of it.",
        [site.change("remove")],
    )


def _repair(  # noqa: PLR0917 - a repair's members in their order
    site: Site, element: str | None, found: str | None, needed: str, remedy: str, changes: list[Any]
) -> Repair:
    action = site.situation.request.action
    # Those that select come before those that only except.
    conditions = sorted(site.statement.conditions, key=lambda each: each.operator.if_exists)
    why = [
        f"{condition_text(condition)} is true of {unsatisfiable.of_the_call(site, condition)}"
        for condition in conditions[:_MOST_SHOWN]
    ]
    if len(conditions) > _MOST_SHOWN:
        why.append(f"so are its {len(conditions) - _MOST_SHOWN} other conditions")
    because = f": {'; '.join(why)}" if why else ""
    return Repair(
        f"denied_by_{_id(site)}",
        element,
        found,
        needed,
        f"A statement of the {_kind(site)} denies {action} to {site.caller_arn}{because}.",
        remedy,
        tuple(changes),
    )


def may_deny(site: Site, point: OpenPoint) -> str:
    """Say of a statement that it is open whether it denies.

    Args:
        site: The statement and the call.
        point: What is open.
    """
    action = site.situation.request.action
    return (
        f"A statement of the {_kind(site)} may deny {action} to {site.caller_arn}, and what is "
        f"open counts as denied: {point.text}."
    )


def _kind(site: Site) -> str:
    return "trust policy" if site.assumes and site.layer == "resource" else _KINDS[site.layer]


def _id(site: Site) -> str:
    if site.layer == "resource":
        return "trust_policy" if site.assumes else "key_policy"
    return {"identity": "identity_policy", "scps": "scp", "rcps": "rcp"}.get(site.layer, site.layer)


def _conditions(site: Site) -> str:
    texts = [condition_text(each) for each in site.statement.conditions]
    return "Deny" + (f" when {'; '.join(texts)}" if texts else "")
