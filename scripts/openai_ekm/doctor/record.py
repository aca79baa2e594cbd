"""The record and its lease: read, never taken, and judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from openai_ekm.aws_session import client
from openai_ekm.doctor.checks import Line, State, failed, unseen
from openai_ekm.doctor.facts import RecordFacts
from openai_ekm.errors import EkmError
from openai_ekm.registration.file_store import FileStore
from openai_ekm.registration.ssm_store import SsmStore

if TYPE_CHECKING:
    import boto3

    from openai_ekm.doctor.facts import Given

__all__ = ["check_record", "read_record"]

_MEMBERS: Final = ("role_arn", "kms_arn", "external_id")


def read_record(given: Given, session: boto3.Session | None) -> RecordFacts | EkmError | None:
    """Read the record that is named.

    Args:
        given: What is named.
        session: The credentials, for a record in SSM; None where AWS cannot be asked.

    Returns:
        None when no record is named, or AWS cannot be asked for it.
    """
    if given.record is None:
        return None
    kind, path = given.record
    place = f"{kind}:{path}"
    try:
        if kind == "file":
            return _facts(given, place, FileStore(Path(path)))
        if session is None:
            return None
        return _facts(given, place, SsmStore(client(session, "ssm", attempts=2), path))
    except EkmError as error:
        return error


def _facts(given: Given, place: str, store: FileStore | SsmStore) -> RecordFacts:
    record = store.read()
    state = "none"
    differs: tuple[str, ...] = ()
    if record is not None:
        state = record.state.value
        differs = tuple(
            name
            for name in _MEMBERS
            if getattr(given, name) not in {None, getattr(record.intent, name)}
        )
    if isinstance(store, FileStore):
        return RecordFacts(place, state, differs, holder=None)
    held = store.holder()
    if held is None:
        return RecordFacts(place, state, differs)
    return RecordFacts(place, state, differs, held.holder, held.expires_in)


def check_record(record: RecordFacts | EkmError | None, blocked: str | None) -> list[Line]:
    """Judge the record and its lease.

    Args:
        record: As read; an error where the place cannot be used.
        blocked: Why nothing was read.
    """
    if record is None:
        why = blocked or "No record is named."
        remedy = None if blocked else "Give --record, or --from-terraform DIR after an apply."
        return [unseen("record", why, remedy), unseen("record_lease", why)]
    if isinstance(record, EkmError):
        return [
            failed("record", record),
            unseen("record_lease", "The record could not be read (record)."),
        ]
    return [_record(record), _lease(record)]


def _record(record: RecordFacts) -> Line:
    shown = f"The record {record.place}"
    match record.state:
        case "none":
            return Line("record", State.OK, f"{shown} is not there yet: nothing is registered.")
        case "registering":
            return Line(
                "record",
                State.WARNING,
                f"{shown} says that a registration has begun and not ended.",
                "Run `ekm register` again: it goes on where the run stopped.",
            )
        case "retired":
            return Line("record", State.OK, f"{shown} says that the registration was retired.")
    if record.differs:
        return Line(
            "record",
            State.WARNING,
            f"{shown} differs from what is named in {', '.join(record.differs)}.",
            "`ekm status` shows both. Name the record of this registration, or register anew.",
        )
    return Line("record", State.OK, f"{shown} says that the key is registered.")


def _lease(record: RecordFacts) -> Line:
    if record.holder is None:
        return unseen("record_lease", "The lock of a record in a file is not looked at.")
    if not record.holder:
        return Line("record_lease", State.OK, "No run holds the lease of the record.")
    left = f" for {record.expires_in:.0f} s more" if record.expires_in is not None else ""
    return Line(
        "record_lease",
        State.WARNING,
        f"A run holds the lease{left}: {record.holder}.",
        "Wait for that run. A run that has died gives its lease up 90 seconds after its last sign.",
    )
