"""Checks of the record and of its lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.doctor.line import Line, State, failed, unseen
from openai_ekm.errors import EkmError

if TYPE_CHECKING:
    from openai_ekm.doctor.facts import RecordFacts

__all__ = ["check_record"]


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
    error = record if isinstance(record, EkmError) else record.state
    if isinstance(error, EkmError):
        return [
            failed("record", error),
            unseen("record_lease", "The record could not be read (record)."),
        ]
    assert not isinstance(record, EkmError)  # nosec B101 # narrows the type
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
