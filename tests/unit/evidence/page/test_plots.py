"""Plots of counts: every call is drawn, once, inside the plot."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm.evidence.page import plots
from openai_ekm.evidence.page.usage import SERIES

ROWS = st.dictionaries(
    st.dates(min_value=date(2024, 1, 1), max_value=date(2028, 12, 31)),
    st.fixed_dictionaries({name: st.integers(0, 10**7) for name in SERIES}),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40)
@given(ROWS)
def test_columns_lie_inside_their_plot_and_add_up(days: dict[date, dict[str, int]]) -> None:
    """Guards against: a day that is drawn twice, outside, or not at all."""
    rows: list[dict[str, object]] = [
        {"day": when.isoformat(), **counts} for when, counts in sorted(days.items())
    ]
    found = plots.columns(rows, tuple(SERIES))
    assert found is not None
    assert sum(each.total for each in found.columns) == sum(
        sum(each.values()) for each in days.values()
    )
    assert len(found.columns) <= 124
    right = 0.0
    for column in found.columns:
        for rect in column.rects:
            assert float(rect.x) >= right - 0.002
            assert -6 <= float(rect.y) <= plots.HEIGHT
            assert float(rect.height) > 0
        if column.rects:
            right = float(column.rects[0].x) + float(column.rects[0].width)
    assert right <= 100.002


@pytest.mark.parametrize(
    ("days", "unit", "columns"),
    [(1, "day", 1), (93, "day", 93), (94, "week", 14), (840, "week", 121), (841, "month", 28)],
)
def test_a_long_time_is_added_up(days: int, unit: str, columns: int) -> None:
    """Guards against: a thousand columns thinner than a line."""
    first = date(2026, 1, 1)
    rows: list[dict[str, object]] = [
        {"day": (first + timedelta(days=each)).isoformat(), "openai": 1} for each in (0, days - 1)
    ]
    found = plots.columns(rows, ("openai",))
    assert found is not None
    assert (found.unit, len(found.columns)) == (unit, columns)
    assert sum(each.total for each in found.columns) == 2


def test_a_single_call_among_thousands_shows() -> None:
    """Guards against: the one stranger whose bar is thinner than a pixel."""
    rows: list[dict[str, object]] = [{"day": "2026-11-29", "openai": 10**6, "others": 1}]
    found = plots.columns(rows, tuple(SERIES))
    assert found is not None
    assert float(found.columns[0].rects[-1].height) >= 3
    bar = plots.bars([("x", {"openai": 10**6, "others": 1})], tuple(SERIES)).bars[0]
    assert float(bar.rects[-1].width) >= 1


def test_a_day_that_is_none_is_left_to_the_table() -> None:
    """Guards against: a hostile day that ends the run."""
    assert plots.columns([{"day": "<svg>", "openai": 1}], ("openai",)) is None
    assert plots.columns([], ("openai",)) is None


def test_bars_have_the_largest_first_and_leave_room_for_the_number() -> None:
    """Guards against: a number that runs out of the page."""
    rows = [(f"p{each}", {"openai": each}) for each in range(1, 16)]
    found = plots.bars(rows, ("openai",))
    assert [each.label for each in found.bars][:2] == ["p15", "p14"]
    assert (len(found.bars), found.more) == (12, 3)
    assert all(float(each.end) <= 76 for each in found.bars)
    assert found.height >= float(found.bars[-1].number_y)


def test_bars_without_a_call_are_empty() -> None:
    """Guards against: a division by zero."""
    nothing: list[tuple[str, dict[str, Any]]] = [("x", {"openai": 0})]
    assert plots.bars(nothing, ("openai",)).bars[0].rects == ()
    assert plots.bars([], ("openai",)).height == 0
