"""`ekm schema`: the JSON Schema of what a verb reads or prints."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from openai_ekm import schemas
from openai_ekm.cli import render
from openai_ekm.errors import BadInput

__all__ = ["run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaOptions:
    """Options of `ekm schema`.

    Args:
        name: The schema to print; None lists them all.
    """

    name: str | None
    as_json: bool


def run(options: SchemaOptions) -> None:
    """Run `ekm schema`."""
    if options.name is not None:
        render.document(schemas.bundled(_known(options.name)))
        return
    titles = {each: schemas.read(each)["title"] for each in _of_documents()}
    if options.as_json:
        render.document({"schemas": titles})
        return
    widest = max(map(len, titles))
    render.result(*(f"{each:<{widest}}  {title}" for each, title in titles.items()))


def _of_documents() -> tuple[str, ...]:
    return tuple(each for each in schemas.names() if each != schemas.SHARED)


def _known(name: str) -> str:
    """Return the schema's name; a document's own member `schema`, such as ekm-fleet/1, is one too.

    Raises:
        BadInput: There is no such schema.
    """
    known = _of_documents()
    if name in known:
        return name
    stem = name.rpartition("/")[0]
    if stem in known:
        said = schemas.read(stem).get("properties", {}).get("schema", {})
        if said.get("const") == name:
            return stem
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise BadInput(
        "schema_unknown",
        f"There is no schema {name!r}.{hint}",
        at_fault="NAME",
        remedy="`ekm schema` lists the schemas.",
    )
