"""How deeply JSON may be nested before nobody reads it: copying and writing it recurse."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["DEEPEST", "is_too_deep"]

DEEPEST: Final = 128  # levels; a plan of modules in modules has some thirty


def is_too_deep(value: Any) -> bool:
    """Whether decoded JSON is nested deeper than `DEEPEST`.

    Args:
        value: Decoded JSON.
    """
    level = [value]
    for _ in range(DEEPEST):
        level = [
            each
            for holder in level
            for each in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(each, dict | list)
        ]
        if not level:
            return False
    return True
