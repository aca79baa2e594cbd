"""Whose turn it is to call an endpoint: the calls made, those who wait, and what 429s taught. Pure.

Waiting is first come, first served: everybody's time follows from the calls that still count
and from those who wait before them, so nobody is overtaken and nobody needs a reservation that
a dead process could keep.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.openai_api import constants

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SPAN", "Window", "minutes_at_pace", "parse"]

# Seconds over which calls are counted: the server counts a call when it arrives, so two calls
# that leave a window apart may arrive closer together than they left.
SPAN: Final = constants.WINDOW + constants.WINDOW_MARGIN
LONGEST_NAP: Final = 10.0  # seconds between two looks of one who waits: others may have left
GRACE: Final = 15.0  # seconds past the announced look until one who waits counts as dead
KEPT_SHARE: Final = 0.7  # of the calls in a window, after a 429
RECOVERY: Final = 2 * SPAN  # seconds without a 429 for one step up
STEP_SHARE: Final = 7  # a step up is a seventh of the full number, at least one call
RECOVERED: Final = STEP_SHARE + 7  # steps after which the last 429 is forgotten
TOLERANCE: Final = 1.0  # seconds by which a moment may lie ahead before the clock was set back


@dataclass(slots=True)
class Turn:
    """One who waits.

    Args:
        ticket: Unique to the wait.
        wakes: When it said that it would look again.
    """

    ticket: str
    wakes: float


@dataclass(slots=True)
class Window:
    """One endpoint; moments are seconds of a clock that all processes share.

    Args:
        calls: Moments of the calls that still count, in their order.
        queue: Those who wait, in their order.
        blocked_until: Nobody calls before: a 429 said so.
        narrowed_to: Calls a window after the last 429; None when there was none.
        narrowed_at: When that was.
    """

    calls: list[float] = field(default_factory=list)
    queue: list[Turn] = field(default_factory=list)
    blocked_until: float = 0.0
    narrowed_to: int | None = None
    narrowed_at: float = 0.0

    def turn(self, ticket: str, most: int, now: float) -> tuple[float, float]:
        """Count a call, or say when to look again.

        Args:
            ticket: Of the caller; joins the end of the queue when it is not in it.
            most: Calls in a window, as configured.
            now: Current moment.

        Returns:
            Seconds until the call may be made, 0 when it was counted and is to be made now; and
            seconds until the next look, which is not later.
        """
        self._tidy(now)
        place = next((place for place in self.queue if place.ticket == ticket), None)
        if place is None:
            place = Turn(ticket, now)
            self.queue.append(place)
        left = self._moment(self.queue.index(place) + 1, most, now) - now
        if left <= 0:
            self.queue.remove(place)
            self.calls.append(now)
            return 0.0, 0.0
        nap = min(max(left, 0.01), LONGEST_NAP)
        place.wakes = now + nap
        return left, nap

    def leave(self, ticket: str) -> None:
        """Wait no longer."""
        self.queue = [place for place in self.queue if place.ticket != ticket]

    def refused(self, seconds: float, most: int, now: float) -> None:
        """Take in a 429: nobody calls for so long, and fewer calls go into a window from now on.

        The refusals of one burst are one: fewer calls only once in a window.
        """
        self._tidy(now)
        until = now + min(seconds, constants.LONGEST_RETRY_AFTER)
        self.blocked_until = max(self.blocked_until, until)
        if self.narrowed_to is None or now - self.narrowed_at >= constants.WINDOW:
            self.narrowed_to = max(1, int(self.allowed(most, now) * KEPT_SHARE))
            self.narrowed_at = now

    def allowed(self, most: int, now: float) -> int:
        """Return the calls in a window now: what the last 429 left, and a step for each pause."""
        if self.narrowed_to is None:
            return most
        steps = int(max(now - self.narrowed_at, 0.0) // RECOVERY)
        return min(most, self.narrowed_to + steps * max(1, most // STEP_SHARE))

    def empty(self, now: float) -> bool:
        """Return whether there is nothing to remember."""
        self._tidy(now)
        return not self.calls and not self.queue and self.narrowed_to is None

    def as_json(self) -> dict[str, Any]:
        """Return it as `parse` reads it."""
        return {
            "calls": self.calls,
            "queue": [[place.ticket, place.wakes] for place in self.queue],
            "blocked_until": self.blocked_until,
            "narrowed_to": self.narrowed_to,
            "narrowed_at": self.narrowed_at,
        }

    def _moment(self, position: int, most: int, now: float) -> float:
        """Return when the one at a position of the queue, from 1, may call."""
        limit = self.allowed(most, now)
        calls = self.calls[-limit:]
        moment = max(now, self.blocked_until)
        for _ in range(position):
            if len(calls) >= limit:
                moment = max(moment, calls[-limit] + SPAN)
            calls.append(moment)
        return moment

    def _tidy(self, now: float) -> None:
        """Forget what no longer counts, and what a clock that was set back left ahead."""
        self.calls = [call for call in self.calls if now - SPAN < call <= now + TOLERANCE]
        self.queue = [place for place in self.queue if place.wakes + GRACE >= now]
        for place in self.queue:
            place.wakes = min(place.wakes, now + LONGEST_NAP)
        if self.blocked_until > now + constants.LONGEST_RETRY_AFTER + TOLERANCE:
            self.blocked_until = 0.0
        self.narrowed_at = min(self.narrowed_at, now)
        if (now - self.narrowed_at) // RECOVERY >= RECOVERED:
            self.narrowed_to = None


def parse(value: Mapping[str, Any]) -> Window:
    """Read a window.

    Raises:
        KeyError, TypeError, ValueError: It is not one.
    """
    narrowed_to = value["narrowed_to"]
    return Window(
        calls=sorted(float(call) for call in value["calls"]),
        queue=[Turn(str(ticket), float(wakes)) for ticket, wakes in value["queue"]],
        blocked_until=float(value["blocked_until"]),
        narrowed_to=None if narrowed_to is None else max(1, int(narrowed_to)),
        narrowed_at=float(value["narrowed_at"]),
    )


def minutes_at_pace(calls: int, most: int) -> float:
    """Return the minutes from the first to the last of so many calls to one endpoint."""
    return (max(calls, 1) - 1) // most * SPAN / 60 if most else 0.0
