"""Writing snapshot values as JSON: what was not seen is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ekm.snapshot.unseen import UNSEEN

__all__ = ["members"]

# Members that are optional in the format: null in Python means absent in JSON.
_ABSENT_WHEN_NONE = {"external_ids", "administrators", "caller"}


def members(value: Any) -> dict[str, Any]:
    """Return the members of a snapshot value as a JSON object, without what was not seen."""
    written: dict[str, Any] = {}
    for member in fields(value):
        content = getattr(value, member.name)
        if content is UNSEEN or member.name == "extra":
            continue
        if content is None and member.name in _ABSENT_WHEN_NONE:
            continue
        written[member.name] = _json(content)
    return {**written, **value.extra}


def _json(content: Any) -> Any:
    """Turn tuples into lists and snapshot values into objects; leave documents alone."""
    if is_dataclass(content):
        return members(content)
    if isinstance(content, tuple):
        return [_json(item) for item in content]
    if isinstance(content, Mapping):
        return dict(content)
    return content
