"""Every schedule holds, and docs/reliability.md says exactly what the run gives.

`make faults` tries every pair of mishaps; without it (`EKM_FAULTS=all` unset) every single one
and a fixed choice of the pairs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.faults.reliability import (
    columns,
    headings,
    pair_row,
    record_mishaps,
    record_row,
    single_row,
    singles,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
EVERYTHING = os.environ.get("EKM_FAULTS") == "all"
CHOSEN = 1 if EVERYTHING else 108  # one pair in so many is tried
REWRITE = "make faults-table writes the tables anew"


def table(number: int) -> list[str]:
    """The rows of a table of the document, by its number from 0."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.findall(r"<!-- table \d -->\n(.*?)\n<!-- /table \d -->", text, re.DOTALL)
    return str(found[number]).splitlines()


@pytest.mark.parametrize("name", singles())
def test_one_mishap_at_each_exchange_holds(name: str) -> None:
    """Guards against: a second key or project, or another error, after one fault anywhere."""
    row = single_row(name)
    assert not row.broken, "\n".join(row.broken)
    assert row.line in table(0), REWRITE


@pytest.mark.parametrize("name", record_mishaps())
def test_one_mishap_at_each_call_to_the_record_holds(name: str) -> None:
    """Guards against: a registration lost because the record fails at some moment."""
    row = record_row(name)
    assert not row.broken, "\n".join(row.broken)
    assert row.line in table(1), REWRITE


@pytest.mark.parametrize("name", singles())
def test_two_mishaps_hold(name: str) -> None:
    """Guards against: a second key or project after two faults, in one process or in two."""
    row = pair_row(name, every=CHOSEN)
    assert not row.broken, "\n".join(row.broken)
    assert row.total, "no pair was tried"
    if EVERYTHING:
        assert row.line in table(2), REWRITE


def test_tables_have_no_row_that_is_not_run() -> None:
    """Guards against: a row of a fault that is not tried any more stays in the document."""
    rows = (len(singles()), len(record_mishaps()), len(singles()))
    for number, (count, heading) in enumerate(zip(rows, headings(), strict=True)):
        lines = table(number)
        assert "\n".join(lines[:2]) == heading
        assert len(lines) == count + 2
        for line in lines[2:]:
            cells = re.findall(r"(\d+)/(\d+)", line)
            assert cells
            assert all(held == total for held, total in cells), line
    assert len(table(0)[0].split("|")) == len(columns()) + 4


def test_sums_in_the_text_are_those_of_the_tables() -> None:
    """Guards against: the prose promises more schedules than there are."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for number in range(3):
        cells = re.findall(r"(\d+)/(\d+)", "\n".join(table(number)[2:]))
        total = sum(int(total) for _, total in cells)
        assert f"{total:,} schedules" in text.split(f"<!-- table {number} -->")[0].splitlines()[-2]
