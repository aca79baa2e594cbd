"""The steps of a drill, beside those of the registrar that it shares.

A protocol is a generator: it yields a step, gets its outcome sent in, or the error thrown in.
An interruption (Ctrl-C, SIGTERM) is thrown in like an error, but never between `Shield(True)` and
`Shield(False)`: what gives access back is not interrupted.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from openai_ekm.registration.protocol import (
    Elapsed,
    FetchKey,
    ListKeys,
    ListProjects,
    ReadRecord,
    Say,
    TryClaim,
    ValidateKey,
    Wait,
)
from openai_ekm.registration.protocol import Step as RegistrarStep

if TYPE_CHECKING:
    from openai_ekm.drill.note import Note
    from openai_ekm.registration.intent import Intent

__all__ = [
    "DeferInterrupts",
    "DeleteNote",
    "DisableKey",
    "Elapsed",
    "EnableKey",
    "FetchKey",
    "Interrupted",
    "ListKeys",
    "ListProjects",
    "Moment",
    "Now",
    "Procedure",
    "PutPolicy",
    "ReadAws",
    "ReadNote",
    "ReadPolicy",
    "ReadRecord",
    "ReadState",
    "Say",
    "Step",
    "TryClaim",
    "ValidateKey",
    "Wait",
    "WriteNote",
    "cuts",
]

T = TypeVar("T")


class Interrupted(KeyboardInterrupt):
    """Somebody asked this run to stop.

    Args:
        signal: Its name, such as `SIGTERM`.
    """

    def __init__(self, signal: str) -> None:
        super().__init__(signal)
        self.signal = signal


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of the drill.

    Args:
        at: ISO 8601 UTC, with milliseconds.
        seconds: On a clock that never jumps.
    """

    at: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Now:
    """Outcome: `Moment`."""


@dataclass(frozen=True, slots=True)
class DeferInterrupts:
    """From here on (`on`), or not any more, interruptions wait. Delivered when it ends."""

    on: bool


@dataclass(frozen=True, slots=True)
class ReadAws:
    """Outcome: `AwsView`."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class ReadNote:
    """Outcome: the standing `Note`, or None."""


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Make the note stand. A write; it fails when one stands already."""

    note: Note


@dataclass(frozen=True, slots=True)
class DeleteNote:
    """Delete the note of that drill, and no other's."""

    id: str


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """Outcome: the key policy's text."""

    key_arn: str


@dataclass(frozen=True, slots=True)
class PutPolicy:
    """Replace the key policy.

    Args:
        cuts: Whether this is the cut, and not the way back.
    """

    key_arn: str
    text: str
    cuts: bool = False


@dataclass(frozen=True, slots=True)
class ReadState:
    """Outcome: KMS's word for the key's state (`Enabled`)."""

    key_arn: str


@dataclass(frozen=True, slots=True)
class DisableKey:
    """A cut."""

    key_arn: str


@dataclass(frozen=True, slots=True)
class EnableKey:
    """Harmless on a key that is enabled: so it also shows, before a cut, that it is allowed."""

    key_arn: str


DrillStep: TypeAlias = (
    Now
    | DeferInterrupts
    | ReadAws
    | ReadNote
    | WriteNote
    | DeleteNote
    | ReadPolicy
    | PutPolicy
    | ReadState
    | DisableKey
    | EnableKey
)
Step: TypeAlias = DrillStep | RegistrarStep
Procedure: TypeAlias = Generator[Step, Any, T]


def cuts(step: object) -> bool:
    """Return whether a step takes access away: then the lease must be held."""
    return isinstance(step, DisableKey | WriteNote) or (isinstance(step, PutPolicy) and step.cuts)
