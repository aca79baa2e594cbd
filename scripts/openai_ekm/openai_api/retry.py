"""When a call is made again: stop, wait and retry-if as values, and the two policies in use.

Only what is known to have done nothing, or does nothing when repeated, is repeated. A create
whose answer was lost is never sent again from here: the registrar lists and adopts.

Source: docs/reference/openai-api.md#retries
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from openai_ekm.openai_api import constants
from openai_ekm.openai_api.refusals import Kind, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ONCE", "SAFE", "RetryPolicy", "retry_after", "should_retry"]


def _exponential(first: float, longest: float) -> Callable[[int], float]:
    """Return the seconds before repeat n (1, 2, ...): `first`, doubling up to `longest`."""
    return lambda repeat: float(min(longest, first * 2 ** (repeat - 1)))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Stop, wait and retry-if of one sort of call.

    Args:
        name: Shown in the progress line.
        attempts: Stop after so many, the first included.
        wait: Seconds before repeat n.
        wait_limited: The same after a 429 that names no time.
        repeats: Kinds that may be repeated.
    """

    name: str
    attempts: int
    wait: Callable[[int], float]
    wait_limited: Callable[[int], float]
    repeats: frozenset[Kind]

    def delay(self, refusal: Refusal, attempt: int, chance: float) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up.

        Args:
            refusal: What attempt number `attempt` met.
            attempt: 1 for the first.
            chance: Between 0 and 1: how much of the jitter to add.
        """
        if attempt >= self.attempts or refusal.should_retry is False:
            return None
        if refusal.kind not in self.repeats:
            return None
        if refusal.retry_after is not None:
            longest = constants.LONGEST_RETRY_AFTER
            return refusal.retry_after if refusal.retry_after <= longest else None
        wait = self.wait_limited if refusal.kind is Kind.RATE_LIMITED else self.wait
        return wait(attempt) * (1 + constants.JITTER * chance)


_WAIT: Final = _exponential(constants.FIRST_DELAY, constants.LONGEST_DELAY)
_WAIT_LIMITED: Final = _exponential(constants.FIRST_RATE_DELAY, constants.LONGEST_RATE_DELAY)

SAFE: Final = RetryPolicy(
    name="safe",
    attempts=constants.SAFE_ATTEMPTS,
    wait=_WAIT,
    wait_limited=_WAIT_LIMITED,
    repeats=frozenset({Kind.RATE_LIMITED, Kind.UNREACHABLE, Kind.AMBIGUOUS}),
)
# For calls that change something: only what the server never began is repeated.
ONCE: Final = RetryPolicy(
    name="once",
    attempts=constants.SAFE_ATTEMPTS,
    wait=_WAIT,
    wait_limited=_WAIT_LIMITED,
    repeats=frozenset({Kind.RATE_LIMITED, Kind.UNREACHABLE}),
)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that the server asks to wait, or None.

    Args:
        headers: Names in lower case.
        now: Current time, for the HTTP date form.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """Return the value of `x-should-retry`."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").lower())


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < float("inf") else None
