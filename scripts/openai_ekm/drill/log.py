"""The log of a drill: its events as they happen. The report is made of it in any case."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai_ekm.drill.note import Method
    from openai_ekm.drill.steps import Moment
    from openai_ekm.drill.targets import Target

__all__ = ["DrillLog", "Event", "Mark"]


class Mark(StrEnum):
    """The kinds of events."""

    BEGUN = "begun"
    VALIDATED = "validated_before"
    NOTED = "note_written"
    CUT = "cut"
    REFUSED = "refused"
    HELD = "still_refused"
    UNDONE = "undone_by_others"
    NOT_SHOWN = "cut_not_shown"
    NOT_REFUSED = "not_refused"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    RESTORING = "restoring"
    RESTORED = "restored"
    NOT_RESTORED = "not_restored"
    NOTE_DELETED = "note_deleted"
    RECOVERED = "recovered"
    NOT_RECOVERED = "not_recovered"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, in a sentence."""

    mark: Mark
    moment: Moment
    text: str


@dataclass(slots=True)
class DrillLog:
    """Grows with the drill.

    Args:
        verb: `revoke` or `restore`.
        place: The record's.
        held_for: Seconds that the cut was to last after the refusal.
    """

    verb: str
    place: str
    held_for: float = 0.0
    method: Method | None = None
    drill_id: str | None = None
    external_key_id: str | None = None
    key_arn: str | None = None
    role_arn: str | None = None
    caller: str | None = None
    projects: tuple[Target, ...] = ()
    unseen: tuple[str, ...] = ()
    refusal: str | None = None
    refusal_request_id: str | None = None
    policy_before: str | None = None
    policy_after: str | None = None
    policy_found: str | None = None
    note_stands: bool = False
    events: list[Event] = field(default_factory=list)

    def add(self, mark: Mark, moment: Moment, text: str) -> None:
        """Write down what happened."""
        self.events.append(Event(mark, moment, text))

    def has(self, mark: Mark) -> bool:
        """Return whether an event happened."""
        return any(event.mark is mark for event in self.events)

    def between(self, first: Mark, second: Mark) -> float | None:
        """Return the seconds from the first to the last such event; None where one is missing."""
        begun = next((e.moment.seconds for e in self.events if e.mark is first), None)
        ended = next((e.moment.seconds for e in reversed(self.events) if e.mark is second), None)
        return None if begun is None or ended is None else ended - begun
