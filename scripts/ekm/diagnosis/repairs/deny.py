"""Statements that deny: the smallest exception for the caller.

Source: github.com/aws-samples/data-perimeter-policy-examples (identity_perimeter_rcp.json: the
accounts of third parties stand under aws:PrincipalAccount);
docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ekm.diagnosis.repairs import unmeetable
from ekm.diagnosis.repairs.repair import Repair, as_list, set_values, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.diagnosis.repairs.repair import Site
    from ekm.policy.statement import Condition

__all__ = ["repairs"]

_KINDS: Final = {
    "resource": "key policy",
    "identity": "identity policy",
    "permissions_boundary": "permissions boundary",
    "scps": "service control policy",
    "rcps": "resource control policy",
}
# How many an exception under a key lets through: a role, an account, an organization.
_BREADTH: Final = {"aws:principalarn": 0, "aws:principalorgid": 2, "aws:resourceorgid": 3}


def repairs(site: Site) -> Iterator[Repair]:
    """Yield ways to keep a Deny from hitting the caller, the smallest first."""
    negated = [each for each in site.statement.conditions if each.operator.negated]
    for condition in sorted(negated, key=lambda each: _BREADTH.get(each.lookup, 1)):
        yield from _listed(site, condition)
    if site.layer == "identity":
        yield from _excepted_action(site)
        yield from _removed(site)
    yield from _excepted_caller(site)
    yield from _excepted_action(site)  # for everybody whom the policy is about
    yield from _removed(site)


def _listed(site: Site, condition: Condition) -> Iterator[Repair]:
    """The policy has a list of exceptions that the call has a value for."""
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


def _excepted_action(site: Site) -> Iterator[Repair]:
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


def _excepted_caller(site: Site) -> Iterator[Repair]:
    """Add the condition that the caller is not the one role."""
    block: dict[str, Any] = dict(site.raw.get("Condition") or {})
    for operator in ("ArnNotEquals", "ArnNotEqualsIfExists", "ArnNotLike"):
        keys = {str(key).lower(): key for key in block.get(operator, {})}
        if "aws:principalarn" in keys:
            return  # `_listed` has added it there
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


def _removed(site: Site) -> Iterator[Repair]:
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
    site: Site,
    element: str | None,
    found: str | None,
    needed: str,
    remedy: str,
    changes: list[Any],
) -> Repair:
    action = site.situation.request.action
    kind = "trust policy" if site.assumes and site.layer == "resource" else _KINDS[site.layer]
    why = [
        f"{condition.key} ({known[1]})"
        for condition in site.statement.conditions
        if (known := unmeetable.reason(condition.lookup)) is not None
    ]
    because = f": it asks for {', '.join(why)}" if why else ""
    return Repair(
        f"denied_by_{_id(site)}",
        element,
        found,
        needed,
        f"A statement of the {kind} denies {action} to {site.caller_arn}{because}.",
        remedy,
        tuple(changes),
    )


def _id(site: Site) -> str:
    if site.layer == "resource":
        return "trust_policy" if site.assumes else "key_policy"
    return {"identity": "identity_policy", "scps": "scp", "rcps": "rcp"}.get(site.layer, site.layer)


def _conditions(site: Site) -> str:
    texts = [
        f"{each.operator.text} {each.key}: {shown(list(each.values))}"
        for each in site.statement.conditions
    ]
    return "Deny" + (f" when {'; '.join(texts)}" if texts else "")
