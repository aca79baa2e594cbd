"""The steps of a procedure, as values: a test can carry them out in any order.

A procedure is a generator. It yields a step, receives the outcome or the error of the step, and
returns its result. `runner` carries the steps out.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.record import Record


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
    "Procedure",
    "ProtocolDriver",
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
    """The explanation of a denial that reading the policies gives.

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


class Step:
    """A step of the registrar; its outcome is sent in."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class TryClaim(Step):
    """Take the record's lease, once. Outcome: its number, or `Held`."""


@dataclass(frozen=True, slots=True)
class ReadRecord(Step):
    """Outcome: `Record` or None."""


@dataclass(frozen=True, slots=True)
class WriteRecord(Step):
    """Replace the record. Outcome: the record with its times set. A write."""

    record: Record
    validated: bool = False


@dataclass(frozen=True, slots=True)
class DeleteRecord(Step):
    """A write."""


@dataclass(frozen=True, slots=True)
class FetchKey(Step):
    """Outcome: `ExternalKey`."""

    id: str


@dataclass(frozen=True, slots=True)
class ListKeys(Step):
    """Outcome: every registration with purpose `ekm`."""


@dataclass(frozen=True, slots=True)
class CreateKey(Step):
    """Outcome: `ExternalKey`. A write."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class ValidateKey(Step):
    """Outcome: None, when OpenAI can use the key now."""

    id: str


@dataclass(frozen=True, slots=True)
class DeleteKey(Step):
    """A write."""

    id: str


@dataclass(frozen=True, slots=True)
class ListProjects(Step):
    """Outcome: every active project."""


@dataclass(frozen=True, slots=True)
class CreateProject(Step):
    """Outcome: `Project`. A write."""

    name: str
    external_key_id: str


@dataclass(frozen=True, slots=True)
class ArchiveProject(Step):
    """A write, and for good. Outcome: whether OpenAI knew the project."""

    id: str


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Wait some seconds, and say for what."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Elapsed(Step):
    """Outcome: seconds since the start, without time spent pacing."""


@dataclass(frozen=True, slots=True)
class Age(Step):
    """Outcome: seconds since a time of the record, None when it has none."""

    since: str | None


@dataclass(frozen=True, slots=True)
class Organization(Step):
    """Outcome: the organization that the admin key is of, None when no answer has told."""


@dataclass(frozen=True, slots=True)
class Explain(Step):
    """Read the policies and say whether waiting can cure the denial. Outcome: or None."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Say(Step):
    """A line of progress."""

    text: str


Procedure: TypeAlias = Generator[Step, Any, T]
WRITES = (WriteRecord, DeleteRecord, CreateKey, DeleteKey, CreateProject, ArchiveProject)


# A protocol walked step by step: the one place that knows how a generator of steps is answered.
#
# A driver of it carries the steps out (`runner`, the drill's runner), or passes them on to such a
# runner, and asks, notes or refuses some (`retire_plan`, `adoption.adopt_key`).


S = TypeVar("S")


class ProtocolDriver(Generic[S, T]):
    """The steps of a protocol, for a `for` loop; each is answered before the next is asked for.

    An answer is `outcome` or `failure`, set in the loop's body; a step without one gets None.
    An error that the protocol lets out, or makes of a failure, leaves the loop.

    Args:
        protocol: One that has not begun.

    Attributes:
        outcome: What comes of the step; sent in.
        failure: What went wrong with it; thrown in, for the protocol to decide what it means.
        result: What the protocol returned; there once the loop has ended.
    """

    result: T

    def __init__(self, protocol: Generator[S, Any, T]) -> None:
        self._protocol = protocol
        self.outcome: Any = None
        self.failure: BaseException | None = None

    def __iter__(self) -> ProtocolDriver[S, T]:
        return self

    def __next__(self) -> S:
        outcome, failure = self.outcome, self.failure
        self.outcome = self.failure = None
        try:
            if failure is not None:
                return self._protocol.throw(failure)
            return self._protocol.send(outcome)
        except StopIteration as ended:
            self.result = ended.value
            raise

    def close(self) -> None:
        """End the protocol where it stands."""
        self._protocol.close()
