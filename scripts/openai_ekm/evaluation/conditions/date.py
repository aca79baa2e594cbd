"""Date operators: W3C's ISO 8601 forms, or seconds since 1970, compared as instants.

A day, month or year without a time is its first instant in UTC. Four digits alone could be a
year or seconds since 1970: AWS does not say which, so they are not read.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
https://www.w3.org/TR/NOTE-datetime
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from openai_ekm.policy.text_cache import cached_by_text

__all__ = ["DAY", "YEAR_DIGITS", "instant", "is_before"]

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()
YEAR_DIGITS = 4
WHOLE_DAY = len("YYYY-MM-DD")
MINUTES, SECONDS = len(("hh", "mm")), len(("hh", "mm", "ss"))
LAST_HOUR, LAST_MINUTE, LAST_SECOND = 23, 59, 59
LONGEST = 64


@cached_by_text(maxsize=1024)
def instant(text: str) -> Fraction | None:
    """Read a date as seconds since 1970; None when the text is none, or could be two."""
    if len(text) > LONGEST or not text.isascii():
        return None
    digits = text.removeprefix("-")
    if digits.isdigit():
        ambiguous = len(text) == YEAR_DIGITS
        return None if ambiguous else Fraction(int(text))
    whole, point, fraction = digits.partition(".")
    if point and whole.isdigit() and fraction.isdigit():
        return Fraction(text)
    day_text, separator, time_text = text.partition("T")
    day = _day(day_text)
    if day is None:
        return None
    if not separator:
        return Fraction(day)
    clock = _time(time_text)
    return None if clock is None or len(day_text) != WHOLE_DAY else day + clock


def _day(text: str) -> int | None:
    parts = text.split("-")
    lengths = [len(part) for part in parts]
    if lengths not in ([4, 2], [4, 2, 2]) or not all(part.isdigit() for part in parts):
        return None
    numbers = [int(part) for part in parts] + [1]
    try:
        return (date(numbers[0], numbers[1], numbers[2]).toordinal() - EPOCH) * DAY
    except ValueError:
        return None


def _time(text: str) -> Fraction | None:
    if text.endswith("Z"):
        clock, offset = text[:-1], 0
    else:
        clock, shift = text[:-6], text[-6:]
        sign = {"+": 1, "-": -1}.get(shift[:1])
        minutes = _clock(shift[1:].split(":"), MINUTES)
        if sign is None or minutes is None:
            return None
        offset = sign * minutes
    seconds, point, fraction = clock.partition(".")
    parts = seconds.split(":")
    if point and (len(parts) != SECONDS or not fraction.isdigit()):
        return None
    total = _clock(parts, len(parts))
    if total is None:
        return None
    part = Fraction(int(fraction), 10 ** len(fraction)) if point else Fraction(0)
    return total - offset + part


def _clock(parts: list[str], policy_value: int) -> int | None:
    """Return the seconds of `hh:mm` or `hh:mm:ss`."""
    if len(parts) != policy_value or policy_value not in (MINUTES, SECONDS):
        return None
    if not all(len(part) == len("hh") and part.isdigit() for part in parts):
        return None
    hours, minutes, seconds = [*map(int, parts), 0][:3]
    if hours > LAST_HOUR or minutes > LAST_MINUTE or seconds > LAST_SECOND:
        return None
    return hours * 3600 + minutes * 60 + seconds


def is_before(text: str, moment: str) -> bool:
    """Return whether both texts are dates, and the first is the earlier one."""
    one, other = instant(text), instant(moment)
    return one is not None and other is not None and one < other
