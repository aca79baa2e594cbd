"""The configuration in a plan: its modules, its resources, and their arguments as written.

Source: https://developer.hashicorp.com/terraform/internals/json-format (configuration).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = [
    "SEGMENT",
    "module_configuration",
    "resource_configuration",
    "split_address",
    "without_index",
    "written_arguments",
]

_INDEX: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^"\]]*)\]')
# One part of an address or a reference, with its index: what stands between two dots.
SEGMENT: Final = re.compile(r'[^.\[]+(?:\[(?:"(?:[^"\\]|\\.)*"|[^"\]]*)\])*')


def written_arguments(plan: Mapping[str, Any], address: str) -> Mapping[str, Any] | None:
    """Return the expressions of a resource's arguments.

    Args:
        plan: `terraform show -json PLAN`, decoded.
        address: Address of the resource, without an index of its own.

    Returns:
        By argument; empty for a resource that is not in the configuration. None where the plan
        has no configuration.
    """
    if not isinstance(plan.get("configuration"), Mapping):
        return None
    arguments = resource_configuration(plan, *split_address(address)).get("expressions")
    return arguments if isinstance(arguments, Mapping) else {}


def resource_configuration(
    plan: Mapping[str, Any], modules: tuple[str, ...], address: str
) -> Mapping[str, Any]:
    """Return the configuration of a resource or data source; empty where the plan has none.

    Args:
        plan: As for `written_arguments`.
        modules: Those that it stands in, the outermost first; an index of theirs is passed over.
        address: Its address in the innermost one.
    """
    resources = module_configuration(plan, modules).get("resources") or ()
    return next((each for each in resources if each.get("address") == address), {})


def module_configuration(plan: Mapping[str, Any], modules: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the configuration of a module; empty where the plan has none.

    Args:
        plan: As for `written_arguments`.
        modules: As for `resource_configuration`.
    """
    body = (plan.get("configuration") or {}).get("root_module") or {}
    for each in modules:
        call = (body.get("module_calls") or {}).get(without_index(each)) or {}
        body = call.get("module") or {}
    return body


def split_address(address: str) -> tuple[tuple[str, ...], str]:
    """Return the modules of an address, and what is left of it."""
    parts = SEGMENT.findall(address)
    modules: list[str] = []
    while len(parts) > 1 and parts[0] == "module":
        modules.append(parts[1])
        parts = parts[2:]
    return tuple(modules), ".".join(parts)


def without_index(text: str) -> str:
    """Return a part of an address without its index."""
    return _INDEX.sub("", text)
