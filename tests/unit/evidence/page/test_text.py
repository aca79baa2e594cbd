"""Text from outside on the page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from openai_ekm.evidence.page import text
from openai_ekm.printable import printable


@given(st.text())
def test_what_is_shown_acts_and_hides_nowhere(value: str) -> None:
    """Guards against: a bidi control, a newline or a zero width character on the page."""
    shown = text.shown(value)
    assert printable(shown) == shown
    assert len(shown) <= text.LONGEST + 40


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("role/openai", "role/openai"),
        ("a\nb", "a\\nb"),
        ("x\u202ey", "x\\u202ey"),
        (None, "not known"),
        (True, "yes"),
        (1234567, "1,234,567"),
        ({"a": ["é"]}, '{"a": ["é"]}'),
        ("e\u0301", "e\u0301"),
    ],
)
def test_a_value_is_shown(value: object, shown: str) -> None:
    """Guards against: Python's own words on a page for people."""
    assert text.shown(value) == shown


def test_markup_of_the_template_stays() -> None:
    """Guards against: a macro whose tags are shown as text."""
    assert text.shown(Markup("<b>x</b>")) == "<b>x</b>"


def test_a_long_value_is_cut_and_says_so() -> None:
    """Guards against: 64 KB in a cell of a table."""
    shown = text.shown("W" * 65_536)
    assert shown.startswith("W" * text.LONGEST + "…")
    assert shown.endswith("(65,536 characters)")
    assert len(text.shown("\u202e" * text.LONGEST)) < text.LONGEST + 40


def test_a_tower_of_marks_is_flat() -> None:
    """Guards against: marks stacked on one letter that cover the lines above."""
    assert text.shown("a" + "\u0301" * 50).count("\u0301") == 3


@given(st.text(max_size=200), st.integers(min_value=3, max_value=60))
def test_a_shortened_name_fits(value: str, most: int) -> None:
    """Guards against: a name that runs out of its box."""
    assert text.cells(text.shorten(value, most)) <= most


def test_a_shortened_name_keeps_both_ends() -> None:
    """Guards against: two names that look the same because they begin the same."""
    assert text.shorten("assumed-role/openai-ekm/OpenAI-EKM-Service", 20) == "assumed-r…KM-Service"
    assert text.shorten("漢" * 30, 9) == "漢漢…漢漢"
    assert text.shorten("a" * 10_000 + "z", 5) == "aa…az"


@given(st.text(max_size=100))
def test_a_name_that_breaks_is_the_same_name(value: str) -> None:
    """Guards against: a place to break inside an entity, which would show another name."""
    shown = text.breakable(value)
    assert shown.replace("<wbr>", "") == escape(text.shown(value))


def test_a_block_is_escaped_and_bounded() -> None:
    """Guards against: a policy whose Sid ends the script, or that is a megabyte long."""
    assert "<" not in text.block({"Sid": "</pre><script>"})
    assert len(text.block(["x" * 100_000])) < 41_000
    assert text.block({"a": 1}) == escape('{\n  "a": 1\n}')


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-11-29T10:00:00Z", datetime(2026, 11, 29, 10, tzinfo=UTC)),
        ("2026-11-29T10:00:00.123+01:00", datetime(2026, 11, 29, 9, 0, 0, 123000, UTC)),
        (1764410000, datetime(2025, 11, 29, 9, 53, 20, tzinfo=UTC)),
        ("yesterday", None),
        ("2026-99-99T00:00:00Z", None),
        (10**40, None),
        (float("nan"), None),
        (True, None),
        (None, None),
    ],
)
def test_a_time_is_read(value: object, found: datetime | None) -> None:
    """Guards against: a time from outside that ends the run."""
    assert text.instant(value) == found


def test_a_time_reads_well() -> None:
    """Guards against: times that only machines like."""
    assert text.moment("2026-11-29T10:00:00Z") == "29 November 2026, 10:00 UTC"
    assert text.day("2026-11-29") == "29 November 2026"
    assert text.stamp("2026-11-29T10:00:59Z") == "2026-11-29 10:00"
    assert text.moment("<b>") == "<b>"
    assert text.moment(None) == text.day(None) == "not known"


def test_a_noun_fits_its_number() -> None:
    """Guards against: `1 calls`."""
    assert [text.count(each, "call") for each in (0, 1, 2000)] == [
        "0 calls",
        "1 call",
        "2,000 calls",
    ]
    assert text.count(2, "class", "classes") == "2 classes"
    assert text.join_words(["a", "b", "c"]) == "a, b and c"
    assert text.join_words([]) == ""


@pytest.mark.parametrize(
    ("value", "begun"),
    [
        ("no statement allows it", "No statement allows it."),
        ("kms:PutKeyPolicy: anybody", "kms:PutKeyPolicy: anybody."),
        ("Done!", "Done!"),
        ("", ""),
    ],
)
def test_a_sentence_begins_and_ends_as_one(value: str, begun: str) -> None:
    """Guards against: an action or an ARN in other letters than AWS has."""
    assert text.sentence(value) == begun


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::111122223333:role/team/x", "role/team/x"),
        ("arn:aws:iam::111122223333:root", "account 111122223333"),
        ("kms.amazonaws.com", "kms.amazonaws.com"),
        ("a:b:c:d:e:f", "a:b:c:d:e:f"),
    ],
)
def test_the_part_of_an_arn_that_tells(arn: str, name: str) -> None:
    """Guards against: a label that shows `arn:aws:iam` and nothing else."""
    assert text.name_of(arn) == name
