"""JSON as policies need it read: a repeated member is noticed, not silently the last one.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
("Individual elements must not contain multiple instances of the same key").
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["RepeatedMember", "loads"]


class RepeatedMember(dict[str, Any]):
    """A JSON object that held one member name twice; `name` is that name."""

    name: str = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated = RepeatedMember(members)
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            repeated.name = name
            break
        seen.add(name)
    return repeated


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def loads(text: str) -> Any:
    """Read JSON text.

    Args:
        text: One JSON value.

    Returns:
        The value; an object with a repeated member is a `RepeatedMember`.

    Raises:
        ValueError: The text is not JSON, or is nested too deeply to read.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
