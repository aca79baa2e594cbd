"""Hold decoded JSON to a schema of this package, without a library of schemas. Pure.

It knows the keywords that these schemas have, and takes what another keyword would refuse: it keeps
a file that is something else away from the page, and promises no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from openai_ekm import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fault_of"]

_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def fault_of(schema: Mapping[str, Any], document: Any) -> str | None:
    """Return the first thing in a document that is not of its schema, by its path; else None.

    Args:
        schema: A schema of JSON; its references lead into this package.
        document: Decoded JSON.
    """
    return next(_faults(schema, schema, document, "it"), None)


def _faults(
    schema: Mapping[str, Any], root: Mapping[str, Any], value: Any, path: str
) -> Iterator[str]:
    if "$ref" in schema:
        yield from _faults(*_target(str(schema["$ref"]), root), value, path)
    if "anyOf" in schema and all(_first(each, root, value, path) for each in schema["anyOf"]):
        yield f"{path} is of none of the forms that it may have"
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{path} is no {' or '.join(kinds)}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{path} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is none of {', '.join(map(str, schema['enum']))}"
    yield from _limits(schema, value, path)
    if isinstance(value, Mapping):
        yield from _members(schema, root, value, path)
    if isinstance(value, list) and "items" in schema:
        for index, each in enumerate(value):
            yield from _faults(schema["items"], root, each, f"{path}[{index}]")


def _limits(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{path} is not of the form {schema['pattern']}"
    if isinstance(value, int) and value < schema.get("minimum", value):
        yield f"{path} is less than {schema['minimum']}"


def _first(schema: Mapping[str, Any], root: Mapping[str, Any], value: Any, path: str) -> str | None:
    """Return the first fault by one of several forms."""
    return next(_faults(schema, root, value, path), None)


def _members(
    schema: Mapping[str, Any], root: Mapping[str, Any], value: Mapping[str, Any], path: str
) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{path} has no member {name!r}"
    named = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for name, each in value.items():
        inner = named.get(name, others)
        if isinstance(inner, Mapping):
            yield from _faults(inner, root, each, f"{path}.{str(name)[:60]}")


def _target(reference: str, root: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what a reference names, and the schema that it stands in."""
    name, _, pointer = reference.partition("#")
    found = schemas.read(name.removeprefix(schemas.ID_PREFIX)) if name else root
    whole = found
    for part in pointer.split("/")[1:]:
        found = found[part]
    return found, whole


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _TYPES[kind])
