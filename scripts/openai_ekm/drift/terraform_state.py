"""Terraform's state in the form of a plan that changes nothing, so that one reader takes both.

Source: https://developer.hashicorp.com/terraform/internals/json-format (state and plan
representation).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from openai_ekm.errors import BadInput
from openai_ekm.snapshot.plan_instances import KEY, ROLE, USE

__all__ = ["is_state", "plan_of_state"]

_NOTE: Final = "terraform_data.documents"
# Where the module writes each document that it notes.
_WRITTEN: Final = (
    (ROLE, "assume_role_policy", "trust_policy"),
    (USE, "policy", "permission_policy"),
    (KEY, "policy", "key_policy"),
)


def is_state(printed: Mapping[str, Any]) -> bool:
    """Return whether this is what `terraform show -json` prints of a state, and not outputs.

    Args:
        printed: Decoded JSON.
    """
    return isinstance(printed.get("format_version"), str) and "resource_changes" not in printed


def plan_of_state(printed: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return a state as a plan that leaves everything as it is.

    A policy stands in the state as the last refresh found it in AWS. Beside it stands the module's
    note of its documents at the last apply, which is what was meant.

    Args:
        printed: What `terraform show -json` prints, decoded.
        source: Where it came from, for messages.

    Raises:
        BadInput: It is no state, or an empty one.
    """
    values = printed.get("values")
    root = values.get("root_module") if isinstance(values, Mapping) else None
    if not isinstance(values, Mapping) or not isinstance(root, Mapping):
        raise BadInput(
            "state_empty",
            f"{source} holds no resource: nothing is applied there.",
            at_fault="--from-terraform",
            remedy="Name the folder of a root module that is applied, after terraform init.",
        )
    resources = [each for each in _resources(root) if isinstance(each.get("values"), Mapping)]
    noted = dict(_noted(resources))
    outputs = values.get("outputs")
    return {
        "planned_values": values,
        "prior_state": {"values": {"root_module": {"resources": resources}}},
        "output_changes": {
            name: {"after": each.get("value")}
            for name, each in (outputs if isinstance(outputs, Mapping) else {}).items()
            if isinstance(each, Mapping)
        },
        "resource_changes": [
            _unchanged(each, noted) for each in resources if each.get("mode") != "data"
        ],
    }


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting: list[Any] = [module]
    while waiting:
        here = waiting.pop()
        if not isinstance(here, Mapping):
            continue
        for each in here.get("resources") or ():
            if isinstance(each, Mapping) and isinstance(each.get("address"), str):
                yield each
        waiting += here.get("child_modules") or ()


def _noted(resources: list[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield each noted document as text, by the address and the argument that write it."""
    for each in resources:
        if not each["address"].endswith(_NOTE):
            continue
        prefix = each["address"].removesuffix(_NOTE)
        note = each["values"].get("input")
        for place, argument, name in _WRITTEN:
            document = note.get(name) if isinstance(note, Mapping) else None
            if isinstance(document, Mapping):
                yield (prefix + place, argument), json.dumps(document)


def _unchanged(resource: Mapping[str, Any], noted: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    address = resource["address"]
    values = dict(resource["values"])
    values |= {argument: text for (place, argument), text in noted.items() if place == address}
    return {
        "address": address,
        "mode": resource.get("mode", "managed"),
        "type": str(resource.get("type")),
        "name": resource.get("name"),
        "change": {"actions": ["no-op"], "before": values, "after": values, "after_unknown": {}},
    }
