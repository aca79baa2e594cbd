"""JSON Schemas of the documents that ekm reads and prints, one file for each format.

They are open where docs/compatibility.md promises that members may be added.

Source: https://json-schema.org/draft/2020-12/json-schema-core
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ID_PREFIX", "SHARED", "bundled", "names", "read"]

ID_PREFIX: Final = "urn:openai-ekm:schema:"
SHARED: Final = "common"  # holds parts of the others, and is the schema of no document
_SUFFIX: Final = ".schema.json"


def names() -> tuple[str, ...]:
    """Return the name of every schema, in the order of the alphabet."""
    found = (each.name for each in files(__name__).iterdir())
    return tuple(sorted(each.removesuffix(_SUFFIX) for each in found if each.endswith(_SUFFIX)))


def read(name: str) -> dict[str, Any]:
    """Return a schema as its file has it; it may refer to others.

    Args:
        name: A name of `names`.
    """
    text = (files(__name__) / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def bundled(name: str) -> dict[str, Any]:
    """Return a schema together with all that it refers to, as one document.

    Args:
        name: A name of `names`.
    """
    needed: dict[str, dict[str, Any]] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in needed:
            needed[each] = read(each)
            waiting += sorted(_referred(needed[each]))
    whole = needed.pop(name)
    if not needed:
        return whole
    others = {other: needed[other] for other in sorted(needed)}
    return {**whole, "$defs": {**whole.get("$defs", {}), **others}}


def _referred(value: Any) -> Iterator[str]:
    """Yield the names of the other schemas that a part of a schema refers to."""
    if isinstance(value, list):
        for each in value:
            yield from _referred(each)
    if isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith(ID_PREFIX):
            yield target.removeprefix(ID_PREFIX).partition("#")[0]
        for each in value.values():
            yield from _referred(each)
