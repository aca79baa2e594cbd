"""The note that stands from before the cut until access is back, schema `ekm-drill-note/1`.

It is all that the next run needs to give access back after a crash; no secret is in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from openai_ekm.errors import RecordUnreadable
from openai_ekm.json_reader import UnreadableJsonError, read_json

__all__ = ["SCHEMA", "Method", "Note", "parse", "serialise"]

SCHEMA: Final = "ekm-drill-note/1"


class Method(StrEnum):
    """The way in which access is cut."""

    KEY_POLICY = "key-policy"
    DISABLE_KEY = "disable-key"


@dataclass(frozen=True, slots=True)
class Note:
    """One drill that has begun.

    Args:
        id: Tells this drill from any other.
        begun_at: ISO 8601 UTC.
        caller: ARN of who cut.
        host: Where it ran, for a person who looks for it.
        key_arn: The key's own ARN, never an alias: an alias may move meanwhile.
        role_arn: Whom the statement denies.
        statement: What was added to the key policy; None with DisableKey.
        policy_digest: `document.digest` of the policy before the cut; None with DisableKey.
        policy: That policy to the letter, where the note has room for it.
    """

    id: str
    begun_at: str
    method: Method
    caller: str
    host: str
    external_key_id: str
    key_arn: str
    role_arn: str
    statement: dict[str, Any] | None = None
    policy_digest: str | None = None
    policy: str | None = None


_TEXTS: Final = (
    "id",
    "begun_at",
    "caller",
    "host",
    "external_key_id",
    "key_arn",
    "role_arn",
)


def serialise(note: Note, *, indent: int | None = None) -> str:
    """Return the note as JSON text."""
    return json.dumps({"schema": SCHEMA, **asdict(note)}, ensure_ascii=False, indent=indent)


def parse(text: str, place: str) -> Note:
    """Read a note.

    Args:
        text: As `serialise` wrote it.
        place: Where it was read, for messages.

    Raises:
        RecordUnreadable: It is not one that this version wrote.
    """
    try:
        value = read_json(text)
    except UnreadableJsonError as error:
        raise _unreadable(place, str(error)) from None
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise _unreadable(place, f"is not of schema {SCHEMA}")
    for name in _TEXTS:
        if not isinstance(value.get(name), str) or not value[name]:
            raise _unreadable(place, f"has no usable {name}")
    parts = value["key_arn"].split(":")
    if parts[:3] != ["arn", "aws", "kms"] or not parts[-1].startswith("key/"):
        raise _unreadable(place, "has a key_arn that is not a key's")
    try:
        method = Method(str(value.get("method")))
    except ValueError:
        raise _unreadable(place, f"has the method {value.get('method')!r}") from None
    statement = value.get("statement")
    if method is Method.KEY_POLICY and not isinstance(statement, dict):
        raise _unreadable(place, "has no statement")
    return Note(
        **{name: value[name] for name in _TEXTS},
        method=method,
        statement=statement if isinstance(statement, dict) else None,
        policy_digest=_text_or_none(value.get("policy_digest")),
        policy=_text_or_none(value.get("policy")),
    )


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _unreadable(place: str, wrong: str) -> RecordUnreadable:
    return RecordUnreadable(
        "drill_note_unreadable",
        f"The note of a drill at {place} {wrong}: access may be cut.",
        at_fault=place,
        remedy="Look at the key's state and at its policy for the statement EkmDrillRevoke, give "
        "access back by hand (docs/drill.md), then delete the note.",
    )
