"""The steps that a protocol asks for: values, so that a test can carry them out in any order.

A protocol is a generator: it yields a step, gets its outcome sent in, or the error thrown in,
and returns its result. `runner` carries steps out for real.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from ekm.registrar.intent import Intent
    from ekm.registrar.record import Record

__all__ = [
    "Age",
    "ArchiveProject",
    "CreateKey",
    "CreateProject",
    "DeleteKey",
    "DeleteRecord",
    "Elapsed",
    "Explain",
    "Explanation",
    "FetchKey",
    "ListKeys",
    "ListProjects",
    "Organization",
    "Protocol",
    "ReadRecord",
    "Say",
    "Step",
    "TryClaim",
    "ValidateKey",
    "Wait",
    "WriteRecord",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What reading the policies says about a denial.

    Args:
        curable_by_waiting: False when no wait can cure it.
        message: The fault in one sentence.
        at_fault: Document and statement.
        remedy: What to change.
    """

    curable_by_waiting: bool
    message: str
    at_fault: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class TryClaim:
    """Claim the record once. Outcome: number or `Held`."""


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """Outcome: `Record` or None."""


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """Replace the record. Outcome: the record with its times set. A write."""

    record: Record
    validated: bool = False


@dataclass(frozen=True, slots=True)
class DeleteRecord:
    """A write."""


@dataclass(frozen=True, slots=True)
class FetchKey:
    """Outcome: `ExternalKey`."""

    id: str


@dataclass(frozen=True, slots=True)
class ListKeys:
    """Outcome: every registration with purpose `ekm`."""


@dataclass(frozen=True, slots=True)
class CreateKey:
    """Outcome: `ExternalKey`. A write."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class ValidateKey:
    """Outcome: None, when OpenAI can use the key now."""

    id: str


@dataclass(frozen=True, slots=True)
class DeleteKey:
    """A write."""

    id: str


@dataclass(frozen=True, slots=True)
class ListProjects:
    """Outcome: every active project."""


@dataclass(frozen=True, slots=True)
class CreateProject:
    """Outcome: `Project`. A write."""

    name: str
    external_key_id: str


@dataclass(frozen=True, slots=True)
class ArchiveProject:
    """A write, and for good. Outcome: whether OpenAI knew the project."""

    id: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait some seconds, and say for what."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Outcome: seconds since the start, without time spent pacing."""


@dataclass(frozen=True, slots=True)
class Age:
    """Outcome: seconds since a time of the record, None when it has none."""

    since: str | None


@dataclass(frozen=True, slots=True)
class Organization:
    """Outcome: the organization that the admin key is of, None when no answer has told."""


@dataclass(frozen=True, slots=True)
class Explain:
    """Read the policies and say whether waiting can cure the denial. Outcome: or None."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Say:
    """A line of progress."""

    text: str


Step: TypeAlias = (
    TryClaim
    | ReadRecord
    | WriteRecord
    | DeleteRecord
    | FetchKey
    | ListKeys
    | CreateKey
    | ValidateKey
    | DeleteKey
    | ListProjects
    | CreateProject
    | ArchiveProject
    | Wait
    | Elapsed
    | Age
    | Organization
    | Explain
    | Say
)
Protocol: TypeAlias = Generator[Step, Any, T]
WRITES = (WriteRecord, DeleteRecord, CreateKey, DeleteKey, CreateProject, ArchiveProject)
