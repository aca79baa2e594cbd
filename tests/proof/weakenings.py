"""Weakenings made from a snapshot's documents: one at a time, none of them by hand."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from proof_sample import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any
LOOSER = {
    "StringEquals": ("StringLike", "StringEqualsIfExists", "StringEqualsIgnoreCase"),
    "ArnEquals": ("ArnLike", "ArnEqualsIfExists", "ForAllValues:ArnEquals"),
    "DateLessThan": ("DateLessThanIfExists",),
}


def documents(found: Json) -> Iterator[tuple[str, Json]]:
    """Every document of a snapshot with its path."""
    yield "trust_policy", found["role"]["trust_policy"]
    for index, each in enumerate(found["role"]["permission_policies"]):
        yield f"permission_policies[{index}]", each["document"]
    for index, each in enumerate(found["keys"]):
        yield f"keys[{index}].policy", each["policy"]


def weakenings(found: Json) -> Iterator[tuple[str, Json]]:
    """Each weakened snapshot with what was done to it."""
    for path, document in documents(found):
        for index, statement in enumerate(document["Statement"]):
            for what, changed in _statement(statement, path):
                weakened = copy.deepcopy(found)
                target = dict(documents(weakened))[path]
                target["Statement"][index : index + 1] = [] if changed is None else [changed]
                if target["Statement"]:
                    yield f"{path} statement {index}: {what}", weakened


def _statement(statement: Json, path: str) -> Iterator[tuple[str, Json]]:
    yield "dropped", None
    if statement["Effect"] == "Deny":
        return
    actions = statement["Action"]
    listed = [actions] if isinstance(actions, str) else actions
    service = listed[0].split(":")[0]
    for action in (f"{service}:*", *(f"{each}*" for each in listed)):
        yield f"action {action} added", {**statement, "Action": [*listed, action]}
    if "Resource" in statement and statement["Resource"] != "*":
        yield "resource *", {**statement, "Resource": "*"}
    if "Principal" in statement:
        for principal in ({"AWS": ROOT}, {"AWS": "790389265272"}, {"AWS": "444455556666"}, "*"):
            yield f"principal {principal}", {**statement, "Principal": principal}
    yield from _conditions(statement)


def _conditions(statement: Json) -> Iterator[tuple[str, Json]]:
    block = statement.get("Condition", {})
    for operator, keys in block.items():
        for key, values in keys.items():
            rest = copy.deepcopy(statement)
            del rest["Condition"][operator][key]
            yield f"{operator} {key} removed", rest
            listed = [values] if isinstance(values, str) else values
            for looser in LOOSER.get(operator, ()):
                loosened = copy.deepcopy(rest)
                loosened["Condition"].setdefault(looser, {})[key] = listed
                yield f"{operator} {key} made {looser}", loosened
            for wider in ("*", f"{listed[0]}*", f"{listed[0]}?"):
                like = operator.replace("StringEquals", "StringLike")
                loosened = copy.deepcopy(rest)
                loosened["Condition"].setdefault(like, {})[key] = [*listed, wider]
                if not operator.startswith("Date"):
                    yield f"{like} {key} widened to {wider}", loosened
