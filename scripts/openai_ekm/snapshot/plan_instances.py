"""The instances of the module in a plan, and the resources that are its own.

A changed copy of the module may name its resources otherwise, or add to them. The address alone
says which resource is the module's own, never the type.

Source: https://developer.hashicorp.com/terraform/internals/json-format (resource_changes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from openai_ekm.errors import BadInput
from openai_ekm.snapshot.plan_values import UNKNOWN, merge_change

__all__ = ["KEY", "ROLE", "USE", "find_further", "find_notes", "find_own", "find_prefixes",
           "refuse_partial"]  # fmt: skip

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
