"""The use of the key as the page shows it: what to say first, and a plot for each count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evidence.page import plots
from openai_ekm.evidence.page.text import count, name_of, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SERIES", "Breakdown", "Failures", "Usage", "usage"]

SERIES: Final = {"openai": "OpenAI", "others": "Somebody else", "undecided": "Not decided"}
_MOST_ROWS: Final = 500  # rows of one table; the file has all
_LABEL_CELLS: Final = 34  # what fits above a bar on the narrowest page


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Calls by one property: a plot and its table.

    Args:
        id: Of the figure.
        heading: By what.
        column: Heading of the first column.
        rows: Name and the row of the usage report.
        more: How many rows the table leaves out.
        bars: The plot; None where columns stand for it.
        columns: The plot over time; None where bars stand for it.
        words: The plot in a sentence.
        over_time: Whether the rows are days, which have no first and last call.
    """

    id: str
    heading: str
    column: str
    rows: tuple[tuple[str, Mapping[str, Any]], ...]
    more: int
    bars: plots.Bars | None
    columns: plots.Columns | None
    words: str
    over_time: bool


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed calls: over time, by AWS's code, and a row for each kind."""

    rows: tuple[Mapping[str, Any], ...]
    more: int
    by_day: plots.Columns | None
    by_code: plots.Bars
    day_words: str
    code_words: str


@dataclass(frozen=True, slots=True)
class Usage:
    """All of the section.

    Args:
        source: The JSON of the usage report.
        calls: Of the key, all.
        breakdowns: By day, operation, principal, session and Region.
        failures: The failed ones.
        series: Those that have a call, for the legend.
    """

    source: Mapping[str, Any]
    calls: int
    breakdowns: tuple[Breakdown, ...]
    failures: Failures
    series: tuple[str, ...]


_BREAKDOWNS: Final = (
    ("by_day", "day", "Calls by day", "Day (UTC)"),
    ("by_operation", "operation", "Calls by operation", "Operation"),
    ("by_principal", "principal", "Calls by principal", "Principal"),
    ("by_session", "session", "Calls by session", "Session"),
    ("by_region", "region", "Calls by Region", "Region"),
)


def usage(source: Mapping[str, Any] | None) -> Usage | None:
    """Return the section about use; None where the pack has none.

    Args:
        source: The JSON of the usage report.
    """
    if source is None:
        return None
    days = source["by_day"]
    return Usage(
        source=source,
        calls=sum(each["calls"] for each in days),
        breakdowns=tuple(
            _breakdown(source[member], name, heading, column)
            for member, name, heading, column in _BREAKDOWNS
        ),
        failures=_failures(source["failures"], days),
        series=tuple(each for each in SERIES if any(row[each] for row in days)),
    )


def _breakdown(
    rows: Sequence[Mapping[str, Any]], name: str, heading: str, column: str
) -> Breakdown:
    named = tuple((str(each[name]), each) for each in rows[:_MOST_ROWS])
    over_time = name == "day"
    drawn = [
        (shorten(name_of(str(each[name])), _LABEL_CELLS), {key: each[key] for key in SERIES})
        for each in rows
    ]
    return Breakdown(
        id=f"calls-{name}",
        heading=heading,
        column=column,
        rows=named,
        more=max(len(rows) - _MOST_ROWS, 0),
        bars=None if over_time else plots.bars(drawn, tuple(SERIES)),
        columns=plots.columns(rows, tuple(SERIES)) if over_time else None,
        words=_day_words(rows, "calls", "call") if over_time else _words(drawn),
        over_time=over_time,
    )


def _failures(rows: Sequence[Mapping[str, Any]], days: Sequence[Mapping[str, Any]]) -> Failures:
    by_code: dict[str, int] = {}
    for each in rows:
        code = str(each.get("code"))
        by_code[code] = by_code.get(code, 0) + each["calls"]
    drawn = [
        (shorten(code, _LABEL_CELLS), {"failed": calls}) for code, calls in sorted(by_code.items())
    ]
    failed = any(each["failed"] for each in days)
    return Failures(
        rows=tuple(rows[:_MOST_ROWS]),
        more=max(len(rows) - _MOST_ROWS, 0),
        by_day=plots.columns(days, ("failed",)) if failed else None,
        by_code=plots.bars(drawn, ("failed",)),
        day_words=_day_words(days, "failed", "failed call"),
        code_words=_words(drawn),
    )


def _words(rows: Sequence[tuple[str, Mapping[str, int]]]) -> str:
    """Return bars in words: the first few."""
    ordered = sorted(rows, key=lambda row: (-sum(row[1].values()), row[0]))
    said = [f"{label}: {count(sum(counts.values()), 'call')}" for label, counts in ordered[:5]]
    more = len(ordered) - len(said)
    return "; ".join(said) + (f"; and {more:,} more in the table." if more > 0 else ".")


def _day_words(rows: Sequence[Mapping[str, Any]], member: str, noun: str) -> str:
    """Return columns in words: how many days, and the most on one of them."""
    held = [(each[member], str(each.get("day"))) for each in rows]
    held = [each for each in held if each[0]]
    if not held:
        return f"No {noun}."
    most, when = max(held, key=lambda each: (each[0], each[1]))
    return (
        f"{count(sum(each for each, _ in held), noun)} on {count(len(held), 'day')}, "
        f"from {held[0][1]} to {held[-1][1]}; the most, {most:,}, on {when}."
    )
