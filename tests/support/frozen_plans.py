"""The part of a plan that is a contract, and the file that freezes it for each example."""

from __future__ import annotations

import json
import os
import re
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.snapshot.plan_instances import merge_unknown
from tests.support.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.rehearsal.terraform import Plan

__all__ = ["EXAMPLES", "PLANNED_WITH", "PLANS", "assert_frozen", "contract", "difference"]

PLANS: Final = Path(__file__).parent.parent / "golden" / "plans"
# The variables of each example's frozen plan. An existing key is made first: `kms_key_arn`.
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "api-project": {"organization_id": "org-abc123"},
    "chatgpt-workspace": {"organization_id": "org-abc123"},
    "existing-key": {"organization_id": "org-abc123"},
    "monitoring": {
        "organization_id": "org-abc123",
        "maintenance": ["arn:aws:iam::111122223333:role/deployer"],
        "silence_hours": 24,
    },
    "fleet": {
        "organization_id": "org-abc123",
        "keys": {"red": {"projects": ["red-chat"]}, "blue": {}},
        "name_prefix": "fleet",
    },
}
# The fleet is planned without its registration, which an apply adds.
PLANNED_WITH: Final[dict[str, dict[str, Any]]] = {"fleet": {"register_in_apply": False}}
REWRITE: Final = "WRITE_GOLDEN"
UNKNOWN: Final = "<unknown>"
_INSTANCE: Final = re.compile(r"\[(?:\d+|\"[^\"]*\")\]")


def assert_frozen(example: str, plan: Plan) -> None:
    """Compare a plan with the frozen one, or freeze it where `WRITE_GOLDEN` is set.

    Args:
        example: Name of the example's folder; the file has it too.
        plan: The first plan of the example.
    """
    found = _of(plan)
    path = PLANS / f"{example}.json"
    if os.environ.get(REWRITE):
        path.write_text(_text(found), encoding="utf-8")
    expected = json.loads(path.read_text(encoding="utf-8"))
    assert found["resources"].keys() == expected["resources"].keys()
    for address, resource in found["resources"].items():
        assert resource == expected["resources"][address], f"{example}: {address}"
    assert found == expected


def difference(example: str, plan: Plan) -> str:
    """Return where a plan differs from the frozen one, as a diff; empty where it does not.

    Args:
        example: As for `assert_frozen`.
        plan: As for `assert_frozen`.
    """
    path = PLANS / f"{example}.json"
    frozen = path.read_text(encoding="utf-8").splitlines()
    lines = unified_diff(frozen, _text(_of(plan)).splitlines(), path.name, "plan", lineterm="")
    return "\n".join(lines)


def contract(plan: dict[str, Any], account: str) -> dict[str, Any]:
    """Return what a plan promises: resources with what the module sets, outputs, checks.

    Attributes that no configuration sets are left out: the provider's version decides which there
    are. Sentences are hidden, as in the frozen output of commands.

    Args:
        plan: `terraform show -json` of a saved plan.
        account: The account that the plan is for.
    """
    configured = dict(_configured(plan["configuration"]["root_module"], ""))
    reduced = {
        "resources": {
            planned["address"]: {
                "type": planned["type"],
                "actions": planned["change"]["actions"],
                "values": {
                    name: _decoded(value)
                    for name, value in _planned(planned["change"]).items()
                    if name in configured[_INSTANCE.sub("", planned["address"])]
                },
            }
            for planned in plan["resource_changes"]
        },
        "outputs": {
            name: {
                "sensitive": planned["sensitive"],
                "members": sorted(_members(plan["output_changes"][name])),
            }
            for name, planned in plan["planned_values"]["outputs"].items()
        },
        "checks": sorted(each["address"]["to_display"] for each in plan["checks"]),
    }
    text = json.dumps(reduced, sort_keys=True).replace(account, "<account>")
    hidden: dict[str, Any] = masked(json.loads(text), {})
    return hidden


def _of(plan: Plan) -> dict[str, Any]:
    # LocalStack takes the account from there.
    return contract(plan.json, plan.workspace.environment["AWS_ACCESS_KEY_ID"])


def _text(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _configured(module: dict[str, Any], prefix: str) -> Iterator[tuple[str, set[str]]]:
    """The attributes that a module and the modules in it set, by the resource's address."""
    for resource in module.get("resources", ()):
        yield prefix + resource["address"], set(resource.get("expressions", ()))
    for name, call in module.get("module_calls", {}).items():
        yield from _configured(call["module"], f"{prefix}module.{name}.")


def _planned(change: dict[str, Any]) -> Any:
    """The value after a change; Terraform writes no `after` where all of it is unknown."""
    return merge_unknown(change.get("after"), change.get("after_unknown"), UNKNOWN)


def _members(change: dict[str, Any]) -> list[str]:
    """The names of an output's members, where it is an object."""
    value = _planned(change)
    return list(value) if isinstance(value, dict) else []


def _decoded(value: Any) -> Any:
    """A policy, which the provider takes as text, as the object that it is."""
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    return json.loads(value)
