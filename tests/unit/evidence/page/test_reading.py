"""Members that somebody gave as files: whatever is in them, the page is written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm.evidence.page import write_page
from openai_ekm.evidence.page.reading import readable
from tests.support.evidence_page_packs import bad_day, empty, good_day

MEMBERS = ("validation", "usage", "drift", "rotation", "audit_events")
# Names that the page reads, so that values of another type stand where it reads them.
NAMES = st.sampled_from(
    [
        *("openai", "by_day", "day", "calls", "failed", "others", "events", "covered", "sentence"),
        *("failures", "code", "unread", "count", "checks", "differences", "requests", "request"),
        *("context", "accepted", "answer", "keys", "rotations", "at", "seconds", "type", "status"),
        *("effective_at", "statements", "statement", "title", "state", "principal", "notes"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=8),
    max_leaves=25,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=10)


@settings(max_examples=25)
@given(st.fixed_dictionaries({name: st.none() | OBJECTS for name in MEMBERS}), st.lists(OBJECTS))
def test_whatever_was_given_the_page_is_written(
    members: dict[str, Any], drills: list[dict[str, Any]]
) -> None:
    """Guards against: a file from outside whose shape ends the run."""
    page = write_page(replace(empty(), **members, drills=tuple(drills)))
    assert page.endswith("</html>\n")


@pytest.mark.parametrize("pack", [good_day, bad_day, empty])
def test_what_is_well_formed_is_read_as_it_is(pack: Any) -> None:
    """Guards against: a number or a name of a sound report that the page does not show."""
    whole, read = pack(), readable(pack())
    for name in (*MEMBERS, "drills"):
        assert within(getattr(read, name), getattr(whole, name)), name


def within(part: Any, whole: Any) -> bool:
    """Whether a value is part of another: no member of it differs, and no row is missing."""
    if isinstance(part, dict):
        return all(within(value, whole.get(name)) for name, value in part.items())
    if isinstance(part, list | tuple):
        return len(part) == len(whole) and all(map(within, part, whole))
    return bool(part == whole)


@pytest.mark.parametrize(
    ("given_value", "read"),
    [(3, 3), (-3, 0), (True, 0), ("3", 0), (None, 0), (2.5, 0), (10**400, 10**15)],
)
def test_a_count_is_a_count(given_value: object, read: int) -> None:
    """Guards against: a number that no plot can draw."""
    usage = {"openai": {}, "others": {}, "by_day": [{"day": "2026-11-29", "calls": given_value}]}
    found = readable(replace(empty(), usage=usage)).usage
    assert found is not None
    assert found["by_day"][0]["calls"] == read


def test_a_drill_without_its_times_says_so() -> None:
    """Guards against: `0 s`, where nobody measured."""
    page = write_page(replace(empty(), drills=({"seconds": {"interrupted": float("nan")}},)))
    assert page.count("<dd>not seen</dd>") == 3
