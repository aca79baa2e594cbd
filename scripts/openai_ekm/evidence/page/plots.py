"""Plots of counts: columns over days, bars by name. Widths are shares, so text never shrinks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Bar",
    "Bars",
    "Column",
    "Columns",
    "Grid",
    "Rect",
    "bars",
    "columns",
    "nice_top",
    "number",
    "share",
    "ticks",
]

_STEPS: Final = (1, 2, 5, 10)


def nice_top(most: int) -> int:
    """Return the end of an axis that holds a value: at least it, and a number that one reads well.

    Args:
        most: The largest value, not negative.
    """
    if most <= 4:  # noqa: PLR2004 - four steps of one
        return max(most, 1)
    step = _step(most)
    return math.ceil(most / step) * step


def ticks(top: int) -> tuple[int, ...]:
    """Return the values at which an axis has a line, from 0 to its end.

    Args:
        top: What `nice_top` returned.
    """
    step = 1 if top <= 4 else _step(top)  # noqa: PLR2004 - four steps of one
    return tuple(range(0, top + 1, step))


def _step(most: int) -> int:
    """Return the step of 1, 2 or 5 times a power of ten that cuts an axis into 2 to 5 parts."""
    power: int = 10 ** max(len(str(most)) - 2, 0)
    return next(
        each * power * scale
        for scale in (1, 10, 100)
        for each in _STEPS
        if most <= 5 * each * power * scale
    )


def share(part: float, whole: float, most: float = 100.0) -> float:
    """Return a part as a share of a whole, on a scale that ends at `most`; 0 of an empty whole."""
    return 0.0 if whole <= 0 else most * part / whole


def number(value: float) -> str:
    """Return a coordinate as the page writes it: no more digits than eyes see."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


HEIGHT: Final = 160  # of the columns' area
_MOST_COLUMNS: Final = 93  # days; more are added up to weeks, then to months
_WEEKS: Final = 7 * 120
_BAR_PITCH: Final = 46
_MOST_BARS: Final = 12  # names that are drawn
_BAR_SHARE: Final = 74.0  # of the width; the rest is for the number


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle: x and width as shares of the plot's width, y and height in pixels."""

    x: str
    y: str
    width: str
    height: str
    series: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A line of the axis with its number."""

    y: str
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column, and the calls that it adds up."""

    label: str
    total: int
    rects: tuple[Rect, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """A plot over time.

    Args:
        unit: `day`, `week` or `month`.
        columns: In order; those without a call too.
        grid: Lines of the axis.
        labels: Share of the width, anchor and text of each label below.
        height: Of the whole, labels included.
    """

    unit: str
    columns: tuple[Column, ...]
    grid: tuple[Grid, ...]
    labels: tuple[tuple[str, str, str], ...]
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its name above it and its number behind it."""

    label: str
    total: str
    text_y: str
    end: str
    number_y: str
    rects: tuple[Rect, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars by name; `more` names were left out, and are in the table."""

    bars: tuple[Bar, ...]
    height: int
    more: int


def columns(rows: Sequence[Mapping[str, object]], series: Sequence[str]) -> Columns | None:
    """Return counts by day as columns; None where no row has a day.

    Args:
        rows: Each with `day` (`2026-11-29`) and a count for each series.
        series: Names of the counts, from the ground up.
    """
    by_day: dict[date, list[int]] = {}
    for row in rows:
        try:
            when = date.fromisoformat(str(row.get("day"))[:10])
        except ValueError:
            continue
        counts = by_day.setdefault(when, [0] * len(series))
        for index, name in enumerate(series):
            counts[index] += _count(row.get(name))
    if not by_day:
        return None
    unit, slots = _slots(min(by_day), max(by_day))
    summed = {slot: [0] * len(series) for slot in slots}
    for when, counts in by_day.items():
        held = summed[_slot(when, unit)]
        for index, each in enumerate(counts):
            held[index] += each
    top = nice_top(max(sum(each) for each in summed.values()))
    pitch = 100 / len(slots)
    return Columns(
        unit=unit,
        columns=tuple(
            _column(slot, summed[slot], series, place=(index * pitch, pitch), top=top)
            for index, slot in enumerate(slots)
        ),
        grid=tuple(
            Grid(number(HEIGHT - share(each, top, HEIGHT)), f"{each:,}") for each in ticks(top)
        ),
        labels=_time_labels(slots),
        height=HEIGHT + 24,
    )


def _column(
    slot: date,
    counts: Sequence[int],
    series: Sequence[str],
    *,
    place: tuple[float, float],
    top: int,
) -> Column:
    left, pitch = place
    rects, ground = [], float(HEIGHT)
    gap = pitch * (0.12 if pitch > 1 else 0)
    width = min(pitch - 2 * gap, 9.0)
    left += (pitch - width) / 2
    for name, count in zip(series, counts, strict=True):
        if count:
            # A single call among thousands still shows.
            height = max(share(count, top, HEIGHT), 3)
            ground -= height
            rects.append(Rect(number(left), number(ground), number(width), number(height), name))
    return Column(slot.isoformat(), sum(counts), tuple(rects))


def _slots(first: date, last: date) -> tuple[str, list[date]]:
    """Return the unit of a plot from one day to another, and the start of each of its columns."""
    days = (last - first).days + 1
    unit = "day" if days <= _MOST_COLUMNS else "week" if days <= _WEEKS else "month"
    found, at = [], _slot(first, unit)
    while at <= last:
        found.append(at)
        at = _slot(at + timedelta(days={"day": 1, "week": 7, "month": 32}[unit]), unit)
    return unit, found


def _slot(when: date, unit: str) -> date:
    if unit == "day":
        return when
    return when - timedelta(days=when.weekday()) if unit == "week" else when.replace(day=1)


_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def _time_labels(slots: Sequence[date]) -> tuple[tuple[str, str, str], ...]:
    def name(slot: date) -> str:
        return f"{slot.day} {_MONTHS[slot.month - 1]} {slot.year}"

    if len(slots) == 1:
        return (("50", "middle", name(slots[0])),)
    return ("0", "start", name(slots[0])), ("100", "end", name(slots[-1]))


def bars(rows: Sequence[tuple[str, Mapping[str, int]]], series: Sequence[str]) -> Bars:
    """Return counts by name as bars, the largest first.

    Args:
        rows: Name as it is shown, and a count for each series.
        series: Names of the counts, from the left.
    """
    ordered = sorted(rows, key=lambda row: (-sum(row[1].get(each, 0) for each in series), row[0]))
    longest = max((sum(row[1].get(each, 0) for each in series) for row in ordered), default=0)
    drawn = []
    for index, (label, counts) in enumerate(ordered[:_MOST_BARS]):
        y, left, rects = index * _BAR_PITCH, 0.0, []
        for name in series:
            if count := counts.get(name, 0):
                width = max(share(count, longest, _BAR_SHARE), 1)
                rects.append(Rect(number(left), number(y + 22), number(width), "14", name))
                left += width
        total = sum(counts.get(each, 0) for each in series)
        drawn.append(
            Bar(label, f"{total:,}", number(y + 14), number(left), number(y + 33.5), tuple(rects))
        )
    return Bars(tuple(drawn), max(len(drawn) * _BAR_PITCH - 4, 0), max(len(rows) - _MOST_BARS, 0))


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
