"""What the page says first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openai_ekm.evidence.page.summary import lead, tiles
from tests.support.evidence_page_packs import bad_day, empty, good_day


def test_a_good_day_in_short() -> None:
    """Guards against: a good answer that reads like a warning."""
    pack = good_day()
    assert lead(pack).startswith("All 6 claims")
    assert [(each.word, each.state) for each in tiles(pack)] == [
        ("6 of 6 hold", "good"),
        ("4 of 4 as expected", "good"),
        ("It works", "good"),
        ("OpenAI alone", "good"),
        ("As it was meant", "good"),
        ("No gap", "good"),
    ]


def test_a_bad_day_in_short() -> None:
    """Guards against: a failing claim, a stranger or a gap that the first screen hides."""
    pack = bad_day()
    assert (
        lead(pack) == "Of 6 claims about who can use the key, 2 hold, 1 fails and 3 are undecided."
    )
    found = tiles(pack)
    assert [(each.word, each.state) for each in found] == [
        ("2 of 6 hold", "bad"),
        ("4 of 4 as expected", "good"),
        ("Refused", "bad"),
        ("3 calls by others", "bad"),
        ("1 difference", "bad"),
        ("3 gaps", "open"),
    ]
    assert found[0].note == "(c) fails. (b), (d) and (e) are undecided."


def test_nothing_seen_is_no_good_answer() -> None:
    """Guards against: a green tile about what nobody looked at."""
    assert {each.state for each in tiles(empty())} == {"open", "plain"}
    assert {each.state for each in tiles(replace(empty(), not_seen=()))} == {"open", "plain"}


@pytest.mark.parametrize(
    ("changed", "state"),
    [({"complete": False}, "open"), ({"undecided": {"calls": 2}}, "open"), ({}, "good")],
)
def test_a_trail_with_a_gap_does_not_say_alone(changed: dict[str, object], state: str) -> None:
    """Guards against: `OpenAI alone`, from a trail that was not read whole."""
    pack = good_day()
    assert pack.usage is not None
    assert tiles(replace(pack, usage={**pack.usage, **changed}))[3].state == state
