"""The budget of a fleet: calls by endpoint, and minutes at the pace. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openai_ekm.openai_api import constants
from openai_ekm.openai_api.rate_limit import minutes_at_pace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.fleet.manifest import Entry
    from openai_ekm.registration.record import Record

__all__ = ["Budget", "Need", "budget", "need"]

LIST_KEYS: Final = "GET /organization/external_keys"
FETCH_KEY: Final = "GET /organization/external_keys/{id}"
CREATE_KEY: Final = "POST /organization/external_keys"
VALIDATE: Final = "POST /organization/external_keys/{id}/validate"
CREATE_PROJECT: Final = "POST /organization/projects"


@dataclass(frozen=True, slots=True)
class Need:
    """The work that one entry needs, as far as its record tells.

    Args:
        registers: It has no registration that its record knows of.
        projects: How many projects are to be made.
        shares_list: Nothing was ever begun under its record, so the fleet's list serves.
    """

    registers: bool
    projects: int
    shares_list: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """Calls by endpoint, in the order in which they are made; the least there can be.

    Args:
        registers, checks: How many entries are registered, and are only looked at.
        calls_per_minute: To each endpoint; 0 for no pacing.
    """

    calls: tuple[tuple[str, int], ...]
    registers: int
    checks: int
    calls_per_minute: int

    @property
    def total(self) -> int:
        """Return the sum of all calls."""
        return sum(count for _, count in self.calls)

    @property
    def minutes(self) -> float:
        """Return the minutes at the pace: endpoints are paced apart, so the busiest one decides."""
        return max(
            (minutes_at_pace(count, self.calls_per_minute) for _, count in self.calls), default=0.0
        )


def need(entry: Entry, record: Record | None) -> Need:
    """Return what an entry needs."""
    if record is None or record.live_id is None:
        return Need(True, len(entry.projects), record is None)
    missing = [name for name in entry.projects if name not in record.projects]
    return Need(False, len(missing), False)


def budget(needs: Iterable[Need], registered: int | None, calls_per_minute: int) -> Budget:
    """Add up.

    Args:
        needs: One for each entry.
        registered: How many registrations OpenAI has; None when it was not asked.
        calls_per_minute: To each endpoint; 0 for no pacing.
    """
    needs = tuple(needs)
    registers = sum(one.registers for one in needs)
    checks = len(needs) - registers
    alone = sum(one.registers and not one.shares_list for one in needs)
    lists = alone + any(one.shares_list for one in needs)
    counts = {
        LIST_KEYS: lists * pages(registered or 0),
        FETCH_KEY: checks,
        CREATE_KEY: registers,
        VALIDATE: len(needs),
        CREATE_PROJECT: sum(one.projects for one in needs),
    }
    calls = tuple((endpoint, count) for endpoint, count in counts.items() if count)
    return Budget(calls, registers, checks, calls_per_minute)


def pages(items: int) -> int:
    """Return the calls for a list of so many items: an empty one takes one too."""
    return max(1, -(-items // constants.PAGE_SIZE))
