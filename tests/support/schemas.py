"""Documents held to their schemas, more strictly than users hold them: no member is unknown.

The published schemas are open, so that members can be added. Here they are closed, so that a new
member is written into its schema in the same change.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import click

from openai_ekm import schemas
from openai_ekm.cli import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from jsonschema.protocols import Validator

__all__ = ["closed", "faults_of", "held", "name_of_format", "open_validator", "schema_of"]

_MAPS = ("properties", "$defs", "patternProperties")


def closed(schema: Any) -> Any:
    """Return a schema whose objects have no members but those that it names."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        name: {key: closed(each) for key, each in value.items()} if name in _MAPS else closed(value)
        for name, value in schema.items()
    }
    if "type" in found and "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def _validator(schema: dict[str, Any]) -> Validator:
    """Return a validator that has looked for the schemas within a schema.

    It would look for them at each reference to one of them otherwise, which is nearly all its work.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - most tests print no JSON
    from referencing import Registry  # noqa: PLC0415 - see above
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415 - see above

    whole = DRAFT202012.create_resource(schema)
    return Draft202012Validator(schema, registry=(whole @ Registry()).crawl())


@functools.cache
def open_validator(name: str) -> Validator:
    """Return a validator of a schema as it is published."""
    return _validator(schemas.bundled(name))


@functools.cache
def _closed_validator(name: str) -> Validator:
    return _validator(closed(schemas.bundled(name)))


def faults_of(name: str, document: object) -> list[str]:
    """Return what in a document is not of its schema, or not named there.

    Args:
        name: Of the schema.
        document: What was printed; it is compared as JSON.
    """
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - see above

    decoded = json.loads(json.dumps(document))
    return [
        f"{name}: {(worst := best_match([error])).json_path}: {worst.message[:300]}"
        for error in _closed_validator(name).iter_errors(decoded)
    ]


def name_of_format(document: object) -> str | None:
    """Return the schema of a document that says its format, such as ekm-record/1."""
    said = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(said, str):
        return None
    name = said.partition("/")[0]
    return name if name in schemas.names() else None


def schema_of(context: click.Context, document: dict[str, Any]) -> str:
    """Return the schema of what a verb prints for one instance.

    Args:
        context: Of the verb that runs.
        document: What it prints.
    """
    given, verb = context.params, str(context.command.name)
    chosen = (
        ("register-fleet-plan", verb == "register" and given["plan"]),
        ("retire", verb == "register" and given["retire"]),
        ("register-fleet", verb == "register" and "entries" in document),
        ("retire-plan", verb == "retire" and given["only_plan"]),
        ("ekm-drill-plan", verb == "revoke" and given["plan"]),
        ("ekm-drift", verb == "check"),
        ("ekm-drift-accept", verb == "accept"),
        ("ekm-drill", verb in {"revoke", "restore"}),
        ("monitor-test", verb == "test"),
        ("evidence-write", verb == "write"),
        ("evidence-verify", verb == "verify"),
        ("usage-athena", verb == "usage" and given["athena"] is not None),
        ("emulate-settings", verb == "emulate" and given["list_settings"]),
        ("emulate-faults", verb == "emulate" and given["list_faults"]),
        ("schemas", verb == "schema"),
        ("decision-answer", verb == "decide"),
        ("ekm-snapshot", verb == "snapshot"),
        (verb, True),
    )
    return next(name for name, is_it in chosen if is_it)


def held(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold what verbs print in this process to its schema, until the end of the test.

    Faults are told at the end: an error within a verb would be turned into an exit code.
    """
    faults: list[str] = []

    def look(document: Any) -> None:
        context = click.get_current_context(silent=True)
        if isinstance(document, dict) and document.keys() == {"error"}:
            faults.extend(faults_of("error", document))
        elif context is None or (context.command.name == "schema" and context.params["name"]):
            return  # no verb runs, or it prints a schema
        elif context.params.get("every") and context.command.name != "accept":
            faults.extend(faults_of("instances", document))
            for one in document["instances"].values():
                if "result" in one:
                    found = one["result"]
                    faults.extend(faults_of(schema_of(context, found), found))
        else:
            faults.extend(faults_of(schema_of(context, document), document))

    for name in ("document", "json_line"):
        put = getattr(render, name)

        def checked(value: object, put: Any = put) -> None:
            look(value)
            put(value)

        patch.setattr(render, name, checked)
    yield
    assert not faults, "\n".join(faults)
