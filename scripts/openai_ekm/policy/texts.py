"""The texts of a document, whatever stands in it: a name is found where no form is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["texts_in"]

_DEEPEST: Final = 64  # levels of a document that are looked through


def texts_in(document: Any) -> Iterator[str]:
    """Yield each text in a document, names of members included.

    Args:
        document: Decoded JSON, or a text.
    """
    return _texts(document, 0)


def _texts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth < _DEEPEST:
        if isinstance(value, dict):
            yield from (name for name in value if isinstance(name, str))
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each, depth + 1)
