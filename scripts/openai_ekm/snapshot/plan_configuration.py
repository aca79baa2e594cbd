"""A resource's arguments, as the configuration in a plan writes them.

Source: https://developer.hashicorp.com/terraform/internals/json-format (configuration).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["written_arguments"]

_MODULE: Final = re.compile(r'module\.([^.\[]+)(?:\[(?:"(?:[^"\\]|\\.)*"|[^"\]]*)\])?\.')


def written_arguments(plan: Mapping[str, Any], address: str) -> Mapping[str, Any] | None:
    """Return the expressions of a resource's arguments.

    Args:
        plan: `terraform show -json PLAN`, decoded.
        address: Address of the resource, without an index of its own.

    Returns:
        By argument; empty for a resource that is not in the configuration. None where the plan
        has no configuration.
    """
    configuration = plan.get("configuration")
    if not isinstance(configuration, Mapping):
        return None
    body, rest = configuration.get("root_module") or {}, address
    while (found := _MODULE.match(rest)) is not None:
        call = (body.get("module_calls") or {}).get(found[1]) or {}
        body, rest = call.get("module") or {}, rest[found.end() :]
    for each in body.get("resources") or ():
        if each.get("address") == rest and each.get("mode") != "data":
            arguments = each.get("expressions")
            return arguments if isinstance(arguments, Mapping) else {}
    return {}
