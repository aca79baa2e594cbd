"""Members of a pack that are given as files: what `ekm` printed earlier, and reports of drills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm import schemas
from openai_ekm.errors import BadInput
from openai_ekm.evidence.shape import fault_of
from openai_ekm.json_reader import UnreadableJsonError, read_content, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai_ekm.snapshot import Snapshot

__all__ = ["check_key", "read_given"]

_TEXT: Final = {"type": "string"}
_TIME: Final = {
    "type": ["string", "null"],
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
}
# Option to the schema of its file: one of the package, or the form of a member of a pack.
_SCHEMAS: Final[Mapping[str, str | Mapping[str, Any]]] = {
    "--usage": "usage",
    "--drift": "ekm-drift",
    "--drill": "ekm-drill",
    "--validation": {
        "type": "object",
        "required": ["external_key_id", "asked_at", "status", "request_id", "error", "message"],
        "properties": {
            "external_key_id": _TEXT,
            "asked_at": {**_TIME, "type": "string"},
            "status": {"type": "string", "enum": ["success", "refused"]},
            "request_id": {"type": ["string", "null"]},
            "error": {"type": ["string", "null"]},
            "message": {"type": ["string", "null"]},
        },
    },
    "--rotation": {
        "type": "object",
        "required": ["keys"],
        "properties": {
            "keys": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": [
                        *("key_arn", "enabled", "period_in_days"),
                        *("next_rotation_at", "rotations"),
                    ],
                    "properties": {
                        "key_arn": _TEXT,
                        "enabled": {"type": ["boolean", "null"]},
                        "period_in_days": {"type": ["integer", "null"]},
                        "next_rotation_at": _TIME,
                        "rotations": {
                            "type": ["array", "null"],
                            "items": {
                                "type": "object",
                                "required": ["at", "type"],
                                "properties": {"at": _TIME, "type": {"type": ["string", "null"]}},
                            },
                        },
                    },
                },
            }
        },
    },
    "--audit-events": {
        "type": "object",
        "required": ["asked_at", "resource_ids", "events"],
        "properties": {
            "asked_at": {**_TIME, "type": "string"},
            "resource_ids": {"type": "array", "items": _TEXT},
            "events": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "type", "effective_at"],
                    "properties": {
                        "id": _TEXT,
                        "type": _TEXT,
                        "effective_at": {"type": "integer", "minimum": 0},
                    },
                },
            },
        },
    },
}
_MAKERS: Final = {
    "--usage": "what `ekm usage` prints with --json",
    "--drift": "what `ekm drift` prints with --json",
    "--drill": "the report that `ekm drill revoke --report PATH` writes to PATH.json",
    "--validation": "validation.json of an earlier pack",
    "--rotation": "rotation.json of an earlier pack",
    "--audit-events": "audit-events.json of an earlier pack",
}


def read_given(option: str, file: str) -> dict[str, Any]:
    """Read a member of the pack from a file.

    Args:
        option: The option that named it.
        file: Its path, or `-` for standard input.

    Raises:
        BadInput: It cannot be read, or is something else.
    """
    try:
        found = read_json(read_content(file))
    except OSError as error:
        raise _bad(option, file, f"cannot be read: {error.strerror}") from None
    except UnreadableJsonError as error:
        raise _bad(option, file, str(error)) from None
    if not isinstance(found, dict):
        raise _bad(option, file, f"is a JSON {type(found).__name__}, not an object")
    schema = _SCHEMAS[option]
    fault = fault_of(schemas.read(schema) if isinstance(schema, str) else schema, found)
    if fault is not None:
        raise _bad(option, file, f"is something else: {fault}")
    return found


def check_key(option: str, given: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Refuse a file that is about another key: side by side they would tell an untrue story.

    Args:
        option: The option that named it.
        given: What it holds.
        snapshot: Of the key that the pack is about.

    Raises:
        BadInput: Each key that it names is another one.
    """
    named = {each for each in _keys_in(given) if isinstance(each, str)}
    if named and not named & snapshot.key_arns:
        raise BadInput(
            "evidence_of_another_key",
            f"{option} is about {min(named)}, and the pack about {snapshot.registration.kms_arn}.",
            at_fault=option,
            remedy="Give what is about the same key, or leave it out.",
        )


def _keys_in(given: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the keys that a report says it is about, wherever its format has them."""
    yield given.get("kms_arn")
    yield given.get("key_arn")
    for member, name in (("of", "kms_arn"), ("keys", "key_arn")):
        found = given.get(member)
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, dict):
                yield each.get(name)


def _bad(option: str, file: str, why: str) -> BadInput:
    return BadInput(
        "evidence_member_malformed",
        f"{option} {file} {why}.",
        at_fault=file,
        remedy=f"Name {_MAKERS[option]}.",
    )
