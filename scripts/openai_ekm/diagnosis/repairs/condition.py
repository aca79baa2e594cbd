"""Repair a condition on a key that the call has: another value, or another operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis.repairs import external_id, unsatisfiable
from openai_ekm.diagnosis.repairs.ownership import account_in
from openai_ekm.diagnosis.repairs.repair import Repair, as_list, nearest, set_values, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis.repairs.repair import Site
    from openai_ekm.policy.conditions import Condition

__all__ = ["repairs"]

_PATH: Final = "role_path_left_out"


def repairs(site: Site, condition: Condition) -> Iterator[Repair]:
    """Yield ways to make one condition hold, the likeliest first."""
    registered = site.snapshot.registration.external_id
    if site.assumes and external_id.is_about(condition, registered):
        yield from external_id.repairs(site, condition)
    elif unsatisfiable.find_unsatisfiable(condition.lookup) is None or _own_organization(
        site, condition
    ):
        yield from _known_value(site, condition)
    yield from unsatisfiable.repairs(site, condition)


def _own_organization(site: Site, condition: Condition) -> bool:
    """Return whether the key's value is the customer's: OpenAI acts as the customer's role."""
    return not site.assumes and condition.lookup in {"aws:principalorgid", "aws:resourceorgid"}


def _known_value(site: Site, condition: Condition) -> Iterator[Repair]:
    """Put the value that the call has among the policy's values."""
    seen = site.situation.context.get(condition.lookup)
    if not isinstance(seen, str):
        return
    operator, key = condition.operator, condition.key
    raw = site.raw["Condition"][operator.text][key]
    values = [str(each) for each in as_list(raw)]
    element = f"Condition.{operator.text}.{key}"
    found = f"{operator.text} {key}: {shown(values)}"
    fits = "ArnEquals" if seen.startswith("arn:") else "StringEquals"
    wild = any("*" in value or "?" in value for value in values)
    likes = fits.replace("Equals", "Like") if wild else fits
    if seen in values or wild:
        yield Repair(
            "condition_wrong_operator",
            element,
            found,
            f"{likes} {key}: {shown(values)}",
            f"{operator.text} does not let {key} {seen!r} pass.",
            f"Use {likes}.",
            (site.renamed(condition, likes, key, raw),),
        )
    if values and not operator.negated:
        index = nearest(seen, values)
        kind_of_fault, message = _difference(condition, values[index], seen)
        change = set_values(site, ("Condition", operator.text, key), raw, index, seen)
        yield Repair(
            kind_of_fault,
            element,
            found,
            seen,
            message,
            f"Write {seen} as the value of {key}.",
            (change,),
        )
    yield Repair(
        "condition_not_met",
        element,
        found,
        f"{fits} {key}: {seen}",
        f"The condition {operator.text} {key} is not met by a call whose {key} is {seen!r}.",
        f"Write {fits} {key}: {seen}.",
        (site.renamed(condition, fits, key, seen),),
        cost=1.2,
    )


def _difference(condition: Condition, other: str, seen: str) -> tuple[str, str]:
    if condition.lookup == "aws:principalarn":
        same_name = other.rpartition("/")[2] == seen.rpartition("/")[2]
        if same_name and account_in(other) == account_in(seen):
            return _PATH, f"The role's path is not the one in {other}: aws:PrincipalArn is {seen}."
        return (
            "condition_wrong_principal",
            f"The condition admits {other}, and the caller is {seen}.",
        )
    if other.strip() == seen:
        return "condition_white_space", f"{condition.key} is compared with {other!r}."
    return (
        "condition_wrong_value",
        f"The condition wants {condition.key} {other!r}, and the call has {seen!r}.",
    )
