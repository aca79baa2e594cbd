"""Text from outside as the page shows it: nothing acts, nothing hides, nothing breaks the layout.

The template passes every value that it prints through `shown`, so that no section can forget it;
Jinja escapes the result.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup, escape

from openai_ekm.printable import json_text, printable

__all__ = [
    "LONGEST",
    "block",
    "breakable",
    "capital",
    "cells",
    "count",
    "day",
    "instant",
    "join_words",
    "listed",
    "moment",
    "name_of",
    "object_of",
    "plural",
    "sentence",
    "shorten",
    "shown",
    "stamp",
]

LONGEST: Final = 400  # characters of one value; the pack's files have the whole
_LONGEST_BLOCK: Final = 40_000  # characters of one document
_MOST_MARKS: Final = 3  # combining marks on one letter
_NOT_KNOWN: Final = "not known"


def shown(value: Any, limit: int = LONGEST) -> Any:
    """Return a value as it is printed: each character that acts or hides as an escape, bounded.

    Args:
        value: A value of the pack; markup of the template itself stays as it is.
        limit: Characters that are shown at most, the note on the rest apart.
    """
    if isinstance(value, Markup):
        return value
    if value is None:
        return _NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"[:limit]
    if isinstance(value, str):
        return _bounded(value, limit)
    return _bounded(json_text(value), limit)


def _bounded(text: str, limit: int) -> str:
    visible = _flat(printable(text[: limit + 1]))
    if len(text) <= limit and len(visible) <= limit:
        return visible
    return f"{visible[:limit]}… ({len(text):,} characters)"


def _flat(text: str) -> str:
    """Return text with further marks on one letter as escapes: a tower covers other lines."""
    if text.isascii():
        return text
    found, run = [], 0
    for character in text:
        run = run + 1 if unicodedata.category(character).startswith("M") else 0
        found.append(character if run <= _MOST_MARKS else f"\\u{ord(character):04x}")
    return "".join(found)


_BREAKS: Final = re.compile(r"(?<=[:/,=])(?=[^:/,=\s])|(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=_)(?=[a-z])")
_SHORT: Final = 12  # characters that stay on one line


def breakable(value: Any) -> Markup:
    """Return a name with the places at which a line may break: after a colon or a slash, at words.

    Args:
        value: As for `shown`.
    """
    text = str(shown(value))
    return escape(text) if len(text) <= _SHORT else Markup("<wbr>").join(_BREAKS.split(text))


def block(value: Any) -> Markup:
    """Return a JSON document as lines, escaped for a `pre`; a long one is cut, and says so.

    Args:
        value: What JSON can hold; the text of a malformed document is shown as a string.
    """
    text = json_text(value, indent=2)
    lines = [_flat(line) for line in text[:_LONGEST_BLOCK].split("\n")]
    more = len(text) - _LONGEST_BLOCK
    if more > 0:
        lines.append(f"… ({more:,} further characters are in the file)")
    return escape("\n".join(lines))


def cells(text: str) -> int:
    """Return how many cells of a fixed-width font a text takes: a wide character takes two."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(each).startswith("M")
        else 2
        if unicodedata.east_asian_width(each) in "WF"
        else 1
        for each in text
    )


def shorten(text: str, most: int) -> str:
    """Return a name in at most so many cells: its middle is left out, since both ends tell.

    Args:
        text: A name, as from outside.
        most: Cells of a fixed-width font, at least 3.
    """
    visible = _flat(printable(text[: 4 * LONGEST]))
    if cells(visible) <= most and len(text) <= 4 * LONGEST:
        return visible
    head = _within(visible, (most - 1) // 2)
    tail = _within(_flat(printable(text[-most:]))[::-1], most - 1 - cells(head))[::-1]
    return f"{head}…{tail}"


def _within(text: str, most: int) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += cells(character)
        if taken > most:
            return text[:index]
    return text


def name_of(arn: str) -> str:
    """Return the part of an ARN that tells whom it names; other text as it is."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":  # noqa: PLR2004 - parts of an ARN
        return arn
    return f"account {parts[4]}" if parts[5] == "root" else parts[5]


def object_of(value: Any) -> Mapping[str, Any]:
    """Return a JSON object; an empty one for what is none."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> str:
    """Return the value or the values of a condition key as one text."""
    values = value if isinstance(value, list | tuple) else [value]
    return ", ".join(str(each) for each in values)


def capital(text: str) -> str:
    """Return a text with a capital at its start; an ARN or a name with signs stays."""
    first = text.split(" ", 1)[0]
    return text if not first.isalpha() else f"{text[:1].upper()}{text[1:]}"


def sentence(text: str) -> str:
    """Return a text with a capital at its start and an end."""
    begun = capital(text)
    return begun if begun.endswith((".", "!", "?")) or not begun else f"{begun}."


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 call`, `2,000 calls`."""
    return f"{number:,} {plural(number, one, many)}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return the noun that fits a number."""
    return one if number == 1 else many or f"{one}s"


def join_words(words: tuple[str, ...] | list[str]) -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"
)


def instant(value: Any) -> datetime | None:
    """Return a time of the pack; None for what is none.

    Args:
        value: Text in ISO 8601, or seconds since 1970.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, tz=UTC)
        if isinstance(value, str) and _ISO.fullmatch(value):
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def day(value: Any) -> str:
    """Return the day of a time as people write it: `29 November 2026`."""
    found = instant(f"{value}T00:00:00Z") if isinstance(value, str) and len(value) == 10 else None  # noqa: PLR2004
    found = found or instant(value)
    if found is None:
        return _bounded(str(value), 40) if value is not None else _NOT_KNOWN
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def moment(value: Any) -> str:
    """Return a time as people write it, in UTC: `29 November 2026, 10:00 UTC`."""
    found = instant(value)
    if found is None:
        return _bounded(str(value), 40) if value is not None else _NOT_KNOWN
    return f"{day(value)}, {found:%H:%M} UTC"


def stamp(value: Any) -> str:
    """Return a time as a table holds it, in UTC: `2026-11-29 10:00`."""
    found = instant(value)
    return moment(value) if found is None else f"{found:%Y-%m-%d %H:%M}"
