"""The instances of the module in a plan, their own resources, and what the plan does not know.

A changed copy of the module may name its resources otherwise, or add to them. The address alone
says which resource is the module's own, never the type.

Source: https://developer.hashicorp.com/terraform/internals/json-format
(resource_changes, after, after_unknown)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

from openai_ekm.errors import BadInput

__all__ = [
    "KEY",
    "ROLE",
    "UNKNOWN",
    "USE",
    "find_further",
    "find_notes",
    "find_own",
    "find_prefixes",
    "known_values",
    "merge_change",
    "merge_unknown",
    "refuse_partial",
    "unknown_places",
]

ROLE: Final = "module.role.aws_iam_role.this"
USE: Final = "module.role.aws_iam_role_policy.use"
KEY: Final = "module.key[0].aws_kms_key.this"
_NOTE: Final = re.compile(r"((?:.*\.)?)terraform_data\.documents(?:\[.*\])?")
# An instance has these two, also where its note is not there.
_GUARD: Final = re.compile(r"((?:.*\.)?)terraform_data\.(?:deletion_guard|location)(?:\[.*\])?")
_OF_ROLE: Final = re.compile(r"((?:.*\.)?)module\.role\.aws_iam_role(?:_policy)?\..*")
# The parts of the module that make a role or a key for OpenAI; the root may be the module.
_PARTS: Final = re.compile(r"module\.(?:role|key|existing_key)(?:\[.*?\])?\.")
_MONITORING: Final = re.compile(r"module\.monitoring(?:\[0\])?\.")


def refuse_partial(plan: Mapping[str, Any]) -> None:
    """Refuse a plan that leaves changes out.

    Raises:
        BadInput: It does.
    """
    if plan.get("complete", True) is True and not (
        plan.get("errored") or plan.get("deferred_changes")
    ):
        return
    raise BadInput(
        "plan_incomplete",
        "The plan is not complete: it leaves out changes that a later apply makes.",
        at_fault="--from-plan",
        remedy="Plan the whole root module, without -target.",
    )


def find_prefixes(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the beginning of every address inside an instance, for each instance."""
    staying = [each for each in changes if _is_managed(each) and _stays(each)]
    noted = [_prefix(_NOTE, each) for each in staying if _may_be_note(each)]
    guarded = {_prefix(_GUARD, each) for each in staying}
    unnoted = [_prefix(_OF_ROLE, each) for each in staying]
    found = [*noted, *(each for each in unnoted if each in guarded)]
    return list(dict.fromkeys(each for each in found if each is not None))


def find_notes(changes: Iterable[Mapping[str, Any]], prefix: str) -> list[Mapping[str, Any]]:
    """Return what notes the documents of an instance: one resource, unless the copy is changed."""
    return [each for each in changes if _prefix(_NOTE, each) == prefix and _may_be_note(each)]


def find_own(
    changes: Iterable[Mapping[str, Any]], prefix: str, place: str
) -> Mapping[str, Any] | None:
    """Return a resource of the module's own, by its address; None where there is none."""
    return next(
        (
            each
            for each in changes
            if each["address"] == prefix + place and _is_managed(each) and not each.get("deposed")
        ),
        None,
    )


def find_further(
    changes: Iterable[Mapping[str, Any]], prefixes: Iterable[str], prefix: str, place: str
) -> str | None:
    """Return the address of a further role or key inside an instance; None where there is none.

    A root that is the module may have roles and keys of its own beside it.
    """
    own = prefix + place
    kind = place.split(".")[-2]
    others = tuple(each for each in prefixes if each != prefix and each.startswith(prefix))
    for each in changes:
        address: str = each["address"]
        rest = address.removeprefix(prefix)
        if (
            each["type"] == kind
            and address.startswith(prefix)
            and address != own
            and not (others and address.startswith(others))
            and (not _MONITORING.match(rest) if prefix else _PARTS.match(rest))
            and _is_managed(each)
            and _stays(each)
        ):
            return address
    return None


def _prefix(pattern: re.Pattern[str], change: Mapping[str, Any]) -> str | None:
    found = pattern.fullmatch(change["address"])
    return None if found is None else found[1]


def _is_managed(change: Mapping[str, Any]) -> bool:
    return change.get("mode") != "data"


def _stays(change: Mapping[str, Any]) -> bool:
    return isinstance(change["change"].get("after"), Mapping)


def _may_be_note(change: Mapping[str, Any]) -> bool:
    """Return whether a `terraform_data.documents` is, or may be, the module's."""
    if change["type"] != "terraform_data" or _prefix(_NOTE, change) is None:
        return False
    noted = merge_change(change).get("input")
    return noted is UNKNOWN or (isinstance(noted, Mapping) and "trust_policy" in noted)


UNKNOWN: Final = object()


def unknown_places(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of values that are still not known."""
    if value is UNKNOWN:
        yield path
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from unknown_places(each, f"{path}.{name}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from unknown_places(each, f"{path}[{index}]")


def known_values(change: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a plan knows of a resource, without what it does not know yet."""
    found = {} if change is None else merge_change(change)
    return {name: value for name, value in found.items() if not any(unknown_places(value, " "))}


def merge_change(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a plan says of a resource, with a mark at what it does not know yet."""
    body = change["change"]
    merged = merge_unknown(body.get("after"), body.get("after_unknown"))
    return merged if isinstance(merged, dict) else {}


def merge_unknown(known: Any, unknown: Any, mark: Any = UNKNOWN) -> Any:
    """Return a planned value with a mark at every leaf that is not known yet.

    Args:
        known: `after` of a change in plan JSON.
        unknown: `after_unknown` of the same change: true where a leaf is unknown.
        mark: What to put there.
    """
    if unknown is True:
        return mark
    if isinstance(unknown, Mapping):
        before = known if isinstance(known, Mapping) else {}
        merged = {
            name: merge_unknown(value, unknown.get(name, False), mark)
            for name, value in before.items()
        }
        for name in unknown.keys() - before.keys():
            if _has_mark(unknown[name]):
                merged[name] = merge_unknown(None, unknown[name], mark)
        return merged
    if isinstance(unknown, list) and (isinstance(known, list) or _has_mark(unknown)):
        values = known if isinstance(known, list) else []
        return [merge_unknown(value, each, mark) for value, each in zip_longest(values, unknown)]
    return known


def _has_mark(unknown: Any) -> bool:
    """Return whether anything in a part of `after_unknown` is not known yet."""
    if isinstance(unknown, Mapping | list):
        return any(map(_has_mark, unknown.values() if isinstance(unknown, Mapping) else unknown))
    return unknown is True
