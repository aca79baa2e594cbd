"""The record of one registration, schema `ekm-record/1`, and where it is kept. It has no secret.

Sources:
docs/registration.md#the-record
docs/decisions/0003-claims-in-ssm.md
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from openai_ekm.errors import BadInput, RecordUnreadable
from openai_ekm.json_reader import UnreadableJsonError, read_json
from openai_ekm.registration.intent import Intent

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LEASE",
    "POLL",
    "RENEW_AFTER",
    "SCHEMA",
    "Held",
    "Record",
    "RecordStore",
    "State",
    "as_json",
    "moment",
    "parse",
    "serialise",
    "timestamp",
]

SCHEMA: Final = "ekm-record/1"


class State(StrEnum):
    """The stage of a registration's life."""

    REGISTERING = "registering"
    REGISTERED = "registered"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Record:
    """The known state of one registration.

    Args:
        claim: Number of the lease under which it was last written; it only grows.
        external_key_id: None until OpenAI has answered the create.
        base_url: Where it was registered.
        projects: Name of each project on the key -> its id.
        registered_at: ISO 8601 UTC, as the other times.
        in_doubt: The registration was created after another create had remained unanswered,
            and no list has shown yet whether there are two.
        creating: Name of the project whose create was sent and is not settled.
        organization: That OpenAI said it was registered in, None where it did not say.
    """

    state: State
    claim: int
    intent: Intent
    base_url: str
    external_key_id: str | None = None
    projects: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    registered_at: str | None = None
    validated_at: str | None = None
    updated_at: str | None = None
    in_doubt: bool = False
    creating: str | None = None
    organization: str | None = None

    @property
    def live_id(self) -> str | None:
        """Return the external key's id, unless the registration was retired."""
        return None if self.state is State.RETIRED else self.external_key_id

    def with_project(self, name: str, project_id: str) -> Record:
        """Return the record with one project more, and none being created."""
        projects = MappingProxyType({**self.projects, name: project_id})
        return replace(self, projects=projects, creating=None)


def timestamp(moment: datetime) -> str:
    """Return a time as records hold it: ISO 8601, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Return the time that a record holds; parsing has checked its form."""
    return datetime.fromisoformat(text)


def serialise(record: Record, *, indent: int | None = None) -> str:
    """Return the record as JSON text."""
    return json.dumps(as_json(record), indent=indent, ensure_ascii=False)


def as_json(record: Record) -> dict[str, Any]:
    """Return the record as it is stored."""
    return {
        "schema": SCHEMA,
        "state": record.state.value,
        "claim": record.claim,
        "external_key_id": record.external_key_id,
        "type": "aws",
        "purpose": "ekm",
        "role_arn": record.intent.role_arn,
        "kms_arn": record.intent.kms_arn,
        "external_id": record.intent.external_id,
        "name": record.intent.name,
        "base_url": record.base_url,
        "projects": {name: {"id": found} for name, found in sorted(record.projects.items())},
        "registered_at": record.registered_at,
        "validated_at": record.validated_at,
        "updated_at": record.updated_at,
        **({"organization": record.organization} if record.organization else {}),
        # There only while something is unsettled: a record at rest has one form.
        **({"in_doubt": True} if record.in_doubt else {}),
        **({"creating": record.creating} if record.creating else {}),
    }


def parse(text: str, place: str) -> Record:
    """Read a record.

    Args:
        text: As `serialise` wrote it.
        place: Where it was read, for messages.

    Raises:
        RecordUnreadable: Not JSON, another schema, or a member that is missing or malformed.
    """
    try:
        value = read_json(text)
    except UnreadableJsonError as error:
        raise _unreadable(place, str(error)) from None
    if not isinstance(value, dict):
        raise _unreadable(place, "is not a JSON object")
    schema = value.get("schema")
    if schema != SCHEMA:
        raise RecordUnreadable(
            "record_schema_unknown",
            f"The record at {place} has the schema {schema!r}; this version reads {SCHEMA!r}.",
            at_fault=place,
            remedy="Use the version of ekm that wrote it, or name another place with --record.",
        )
    try:
        return _read(value)
    except BadInput as failure:
        raise _unreadable(place, f"is malformed: {failure.message}") from None
    except _Malformed as failure:
        raise _unreadable(place, f"is malformed: {failure}") from None


class _Malformed(ValueError):
    pass


def _read(value: Mapping[str, Any]) -> Record:
    for name, wanted in (("type", "aws"), ("purpose", "ekm")):
        if value.get(name) != wanted:
            raise _Malformed(f"{name} is {value.get(name)!r} instead of {wanted!r}")
    claim = value.get("claim")
    if not isinstance(claim, int) or isinstance(claim, bool) or claim < 0:
        raise _Malformed(f"claim is {claim!r} instead of a whole number")
    try:
        state = State(_text(value, "state"))
    except ValueError:
        raise _Malformed(f"state is {value.get('state')!r}") from None
    projects = value.get("projects")
    if not isinstance(projects, dict):
        raise _Malformed("projects is not an object")
    found = {name: _text(_object(entry, name), "id") for name, entry in projects.items()}
    return Record(
        state=state,
        claim=claim,
        intent=Intent(
            role_arn=_text(value, "role_arn"),
            kms_arn=_text(value, "kms_arn"),
            external_id=_text(value, "external_id"),
            name=_text(value, "name"),
        ),
        base_url=_text(value, "base_url"),
        external_key_id=_text_or_none(value, "external_key_id"),
        projects=MappingProxyType(found),
        registered_at=_time_or_none(value, "registered_at"),
        validated_at=_time_or_none(value, "validated_at"),
        updated_at=_time_or_none(value, "updated_at"),
        in_doubt=_flag(value, "in_doubt"),
        creating=_text_or_none(value, "creating"),
        organization=_text_or_none(value, "organization"),
    )


def _object(entry: object, name: str) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise _Malformed(f"projects[{name!r}] is not an object")
    return entry


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise _Malformed(f"{name} is {found!r} instead of text")
    return found


def _text_or_none(value: Mapping[str, Any], name: str) -> str | None:
    return None if value.get(name) is None else _text(value, name)


def _flag(value: Mapping[str, Any], name: str) -> bool:
    found = value.get(name, False)
    if not isinstance(found, bool):
        raise _Malformed(f"{name} is {found!r} instead of true or false")
    return found


def _time_or_none(value: Mapping[str, Any], name: str) -> str | None:
    text = _text_or_none(value, name)
    try:
        zoned = text is None or moment(text).tzinfo is not None
    except ValueError:
        zoned = False
    if not zoned:
        raise _Malformed(f"{name} is {text!r} instead of a time in UTC")
    return text


def _unreadable(place: str, wrong: str) -> RecordUnreadable:
    return RecordUnreadable(
        "record_unreadable",
        f"The record at {place} {wrong}.",
        at_fault=place,
        remedy="Restore it from a backup or its history; or move it away and register again, "
        "which adopts what OpenAI has.",
    )


LEASE: Final = 90.0  # seconds without renewal until a lease may be taken over; > one HTTP call
RENEW_AFTER: Final = 20.0  # seconds since the last renewal
POLL: Final = 2.0  # seconds between two looks at a lease that another run holds


@dataclass(frozen=True, slots=True)
class Held:
    """Another run holds the lease.

    Args:
        holder: Who, in words (`host deploy-1, process 4711`).
        expires_in: Seconds until it may be taken over unless renewed; None: when it ends.
    """

    holder: str
    expires_in: float | None = None


class RecordStore(Protocol):
    """A record with its lease; one object is one run."""

    place: str

    def read(self) -> Record | None:
        """Return the record, None when there is none yet.

        Raises:
            RecordUnreadable: There is one, and this version cannot read it.
        """
        ...

    def try_claim(self) -> int | Held:
        """Take the lease once, without waiting; return its number or who holds it."""
        ...

    def still_held(self) -> bool:
        """Return whether this run's lease is the latest: asked before each write."""
        ...

    def renew(self) -> None:
        """Tell others that this run is alive."""
        ...

    def write(self, record: Record) -> None:
        """Replace the record as a whole."""
        ...

    def delete(self) -> None:
        """Delete the record; what the lease needs goes with `release`."""
        ...

    def release(self) -> None:
        """Give the lease back; harmless without one."""
        ...
