"""The values of a plan's resources, with a mark at what the plan does not know yet.

Source: https://developer.hashicorp.com/terraform/internals/json-format (after, after_unknown).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

__all__ = ["UNKNOWN", "known_values", "merge_change", "unknown_places"]

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
    merged = _merge_unknown(body.get("after"), body.get("after_unknown"))
    return merged if isinstance(merged, dict) else {}


def _merge_unknown(known: Any, unknown: Any) -> Any:
    """Return a planned value with a mark at every leaf that is not known yet."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, Mapping):
        before = known if isinstance(known, Mapping) else {}
        merged = {
            name: _merge_unknown(value, unknown.get(name, False)) for name, value in before.items()
        }
        for name in unknown.keys() - before.keys():
            if _has_mark(unknown[name]):
                merged[name] = _merge_unknown(None, unknown[name])
        return merged
    if isinstance(unknown, list) and (isinstance(known, list) or _has_mark(unknown)):
        values = known if isinstance(known, list) else []
        return [_merge_unknown(value, mark) for value, mark in zip_longest(values, unknown)]
    return known


def _has_mark(unknown: Any) -> bool:
    """Return whether anything in a part of `after_unknown` is not known yet."""
    if isinstance(unknown, Mapping | list):
        return any(map(_has_mark, unknown.values() if isinstance(unknown, Mapping) else unknown))
    return unknown is True
