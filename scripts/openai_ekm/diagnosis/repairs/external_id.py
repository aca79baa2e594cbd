"""The external id: another value, another case, white space, another operator or key.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html,
https://help.openai.com/en/articles/20000955 (the id of another organization, typically a
personal one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.diagnosis.repairs.repair import Repair, as_list, nearest, set_values, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis.repairs.repair import Site
    from openai_ekm.policy.conditions import Condition

__all__ = ["KEY", "is_about", "repairs"]

KEY = "sts:ExternalId"
_INVISIBLE = "\u200b\ufeff\u00a0"


def is_about(condition: Condition, registered: str) -> bool:
    """Return whether a condition means the external id, by its key or by a key like it."""
    name = condition.lookup.replace("-", "").replace("_", "").replace("/", "")
    return "externalid" in name or (
        condition.lookup.startswith("sts:") and registered in condition.values
    )


def repairs(site: Site, condition: Condition) -> Iterator[Repair]:
    """Yield ways to let the registered external id pass, the likeliest first."""
    registered = site.snapshot.registration.external_id
    operator, key = condition.operator.text, condition.key
    element = f"Condition.{operator}.{key}"
    raw = site.raw["Condition"][operator][key]
    values = [str(each) for each in as_list(raw)]
    right = registered in values
    if condition.lookup != KEY.lower():
        yield Repair(
            "external_id_wrong_key",
            element,
            f"{operator} {key}: {shown(values)}",
            f"StringEquals {KEY}: {registered}",
            f"The condition is on {key}, which OpenAI's call does not carry; the external id "
            f"is {KEY}{_besides(values, registered)}.",
            f"Write the condition on {KEY}.",
            (site.renamed(condition, "StringEquals", KEY, raw if right else [registered]),),
        )
        return
    positive = operator.endswith(("StringEquals", "StringLike", "StringEqualsIgnoreCase"))
    if right or not positive or not values:
        yield Repair(
            "external_id_wrong_operator",
            element,
            f"{operator}: {shown(values)}",
            f"StringEquals: {registered}",
            f"{operator} does not let {KEY} {registered!r} pass; an external id is compared by "
            f"StringEquals{_besides(values, registered)}.",
            "Use StringEquals, with the registered id as its value.",
            (site.renamed(condition, "StringEquals", KEY, raw if right else [registered]),),
        )
        return
    index = nearest(registered, values)
    other = values[index]
    kind_of_fault, message = _difference(other, registered)
    kept = other in (site.snapshot.registration.external_ids or ())
    change = set_values(
        site, ("Condition", operator, key), raw, None if kept else index, registered
    )
    yield Repair(
        kind_of_fault,
        element,
        shown(values),
        registered,
        message,
        f"Write {registered!r} as the value"
        + (" beside the others" if kept else "")
        + f" of {KEY}; if that is not the id of the organization that is encrypted, register "
        "with the right one.",
        (change,),
    )


def _besides(values: list[str], registered: str) -> str:
    """Return what else is wrong with the value."""
    if registered in values or not values:
        return ""
    return f"; and the value {shown(values)} is not the registered {registered!r}"


def _difference(other: str, registered: str) -> tuple[str, str]:
    """Say how the value in the policy differs from the registered one."""
    bare = "".join(other.split()).strip(_INVISIBLE)
    cased = bare != registered
    if bare.casefold() == registered.casefold():
        if bare == other:
            return (
                "external_id_case",
                (
                    f"The trust policy spells the external id in another case: {other!r}, and "
                    f"OpenAI sends {registered!r}."
                ),
            )
        also = f", and in another case: OpenAI sends {registered!r}" if cased else ""
        return (
            "external_id_white_space",
            f"The trust policy holds the external id with white space in it: {other!r}{also}.",
        )
    if "*" in other or "?" in other:
        return (
            "external_id_pattern",
            f"StringEquals is literal: the pattern {other!r} is not {registered!r}.",
        )
    kinds = [value.partition("-")[0].partition("_")[0] for value in (other, registered)]
    if kinds[0] == kinds[1] == "org":
        return (
            "external_id_of_another_organization",
            (
                f"The trust policy holds the external id {other!r}; OpenAI sends {registered!r}, "
                "the id of another organization."
            ),
        )
    return (
        "external_id_wrong",
        f"The trust policy wants the external id {other!r}, and OpenAI sends {registered!r}.",
    )
