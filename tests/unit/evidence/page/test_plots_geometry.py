"""Numbers of the plots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_ekm.evidence.page import plots


@given(st.integers(min_value=0, max_value=10**12))
def test_an_axis_holds_its_largest_value_with_few_lines(most: int) -> None:
    """Guards against: a column above its plot, or an axis with a hundred lines."""
    top = plots.nice_top(most)
    lines = plots.ticks(top)
    assert most <= top <= max(2 * most, 1)
    assert lines[0] == 0
    assert lines[-1] == top
    assert 2 <= len(lines) <= 6


@pytest.mark.parametrize(
    ("most", "lines"),
    [(0, (0, 1)), (3, (0, 1, 2, 3)), (7, (0, 2, 4, 6, 8)), (99, (0, 20, 40, 60, 80, 100)),
     (1234, (0, 500, 1000, 1500))],
)  # fmt: skip
def test_an_axis_has_numbers_that_one_reads_well(most: int, lines: tuple[int, ...]) -> None:
    """Guards against: lines at 33 and 66."""
    assert plots.ticks(plots.nice_top(most)) == lines


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-0.0001, "0"), (1 / 3, "0.333"), (100.0, "100"), (2.5, "2.5"), (1e-9, "0")],
)
def test_a_coordinate_is_short(value: float, text: str) -> None:
    """Guards against: digits that differ between machines."""
    assert plots.number(value) == text


def test_a_share_of_nothing_is_nothing() -> None:
    """Guards against: a division by zero in a trail without a call."""
    assert plots.share(0, 0) == 0
    assert plots.share(1, 4, 80) == 20
