"""Read policy documents out of a plan, a state or outputs, also where an ARN is not known yet.

A `jsonencode`d document with one unknown ARN is unknown as a whole in `terraform show -json`. The
same document as an object, in a root output or in the `input` of a `terraform_data`, shows every
leaf that is known, and `after_unknown` marks the ones that are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from openai_ekm.errors import BadInput
from openai_ekm.snapshot.plan_instances import merge_unknown

__all__ = ["UNKNOWN", "planned_document"]

UNKNOWN = "(known after apply)"  # stands where Terraform does not know a leaf yet


def planned_document(plan: Mapping[str, Any], name: str, stand_in: Any = UNKNOWN) -> Any:
    """Return a value by name from plan JSON, with a stand-in at every unknown leaf.

    Looked for in the root's outputs, in objects inside them, and in the `input` of every
    `terraform_data`. JSON text comes back parsed; `NAME` also finds `NAME_json`.

    Args:
        plan: `terraform show -json` of a saved plan.
        name: For example `trust_policy`.
        stand_in: What to put at an unknown leaf.

    Raises:
        BadInput: Nothing has that name, or several differ.
    """
    found: list[Any] = []
    for place in _places(plan, stand_in):
        for key in (name, f"{name}_json"):
            if key in place:
                value = _parse(place[key])
                if value != stand_in and value not in found:
                    found.append(value)
    if len(found) == 1:
        return found[0]
    if not found:
        seen = sorted({str(key) for place in _places(plan, stand_in) for key in place})
        raise BadInput(
            "document_not_in_plan",
            f"The plan holds no {name} whose leaves are known.",
            at_fault=name,
            remedy=f"It holds: {', '.join(seen) or 'nothing'}.",
        )
    raise BadInput(
        "document_not_unique",
        f"The plan holds {len(found)} different values of {name}.",
        at_fault=name,
        remedy="Read them from resource_changes by address.",
    )


def _places(plan: Mapping[str, Any], stand_in: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings of names to values: outputs, objects in them, terraform_data inputs."""
    outputs = {
        name: merge_unknown(change.get("after"), change.get("after_unknown"), stand_in)
        for name, change in (plan.get("output_changes") or {}).items()
    }
    yield from _objects(outputs)
    for resource in plan.get("resource_changes") or ():
        if resource.get("type") != "terraform_data":
            continue
        change = resource["change"]
        after = merge_unknown(change.get("after"), change.get("after_unknown"), stand_in)
        if isinstance(after, Mapping) and isinstance(after.get("input"), Mapping):
            yield from _objects(after["input"])


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield an object and every object in it, policy documents' insides excepted."""
    if isinstance(value, Mapping) and "Statement" not in value:
        yield value
        for member in value.values():
            yield from _objects(member)


def _parse(value: Any) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
