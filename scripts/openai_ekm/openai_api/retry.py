"""When a call is made again, and after how long; which headers of an answer say so.

Only what is known to have done nothing, or does nothing when repeated, is repeated. A create
whose answer was lost is never sent again from here: the registrar lists and adopts.

Source: docs/reference/openai-api.md#retries
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from openai_ekm.openai_api import constants
from openai_ekm.openai_api.refusals import Kind, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ONCE", "SAFE", "delay", "retry_after", "should_retry"]

# Kinds of refusals after which a call that changes something is repeated: it never began.
ONCE: Final = frozenset({Kind.RATE_LIMITED, Kind.UNREACHABLE})
# The same for calls that change nothing.
SAFE: Final = ONCE | {Kind.AMBIGUOUS}


def delay(repeats: frozenset[Kind], refusal: Refusal, attempt: int, chance: float) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up.

    Args:
        repeats: Kinds after which this call is repeated, ONCE or SAFE.
        refusal: What attempt number `attempt` met.
        attempt: 1 for the first.
        chance: Between 0 and 1: how much of the jitter to add.
    """
    if attempt >= constants.MOST_ATTEMPTS or refusal.should_retry is False:
        return None
    if refusal.kind not in repeats:
        return None
    if refusal.retry_after is not None:
        longest = constants.LONGEST_RETRY_AFTER
        return refusal.retry_after if refusal.retry_after <= longest else None
    if refusal.kind is Kind.RATE_LIMITED:
        first, longest = constants.FIRST_RATE_DELAY, constants.LONGEST_RATE_DELAY
    else:
        first, longest = constants.FIRST_DELAY, constants.LONGEST_DELAY
    doubled: float = first * 2 ** (attempt - 1)
    return min(longest, doubled) * (1 + constants.JITTER * chance)


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
