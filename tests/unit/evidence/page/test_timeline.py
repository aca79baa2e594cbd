"""The timeline: one order for everything that has a time."""

from __future__ import annotations

from dataclasses import replace

from openai_ekm.evidence.page.timeline import timeline
from tests.support.evidence_page_packs import bad_day, empty, good_day


def test_everything_with_a_time_is_there_in_order() -> None:
    """Guards against: a drill, a rotation or an event of OpenAI that the timeline leaves out."""
    found = [each for day in timeline(good_day()).days for each in day.entries]
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert [(each.source, each.title) for each in found] == [
        ("Trail", "First call of OpenAI that was seen"),
        ("AWS", "The key was rotated (automatic)"),
        ("OpenAI", "External key registered"),
        ("OpenAI", "Project created"),
        ("Drill", "The key policy denies the role."),
        ("Drill", "OpenAI's validation was refused."),
        ("Drill", "The key policy is as before."),
        ("Drill", "OpenAI's validation succeeded."),
        ("Trail", "Last call of OpenAI that was seen"),
        ("ekm", "No drift was found"),
        ("OpenAI", "OpenAI used the key in a validation"),
    ]


def test_what_a_reviewer_should_look_at_is_marked() -> None:
    """Guards against: a stranger's call among a hundred usual ones."""
    days = timeline(bad_day()).days
    serious = [each.title for day in days for each in day.entries if each.serious]
    assert serious == [
        "The key policy was changed: others may use the key now, or OpenAI may not.",
        "Somebody else called kms:Decrypt",
        "Drift was found",
        "OpenAI refused the key",
    ]


def test_days_are_named_once() -> None:
    """Guards against: a heading for each entry."""
    names = [day.name for day in timeline(good_day()).days]
    assert names == sorted(set(names), key=names.index)
    assert names[0] == "21 October 2026"


def test_a_long_timeline_says_what_it_leaves_out() -> None:
    """Guards against: ten thousand entries, or a cut that nobody is told of."""
    events = [
        {"id": f"e{each}", "type": "project.updated", "effective_at": 1_700_000_000 + each}
        for each in range(1000)
    ]
    pack = replace(empty(), audit_events={"asked_at": None, "resource_ids": [], "events": events})
    found = timeline(pack)
    assert sum(len(day.entries) for day in found.days) == 300
    assert found.earlier == 700


def test_a_time_that_is_none_is_left_out() -> None:
    """Guards against: an event from outside that ends the run."""
    times: tuple[object, ...] = (None, "soon", 10**50, [], True)
    events = [{"type": "x", "effective_at": at} for at in times]
    pack = replace(empty(), audit_events={"asked_at": None, "resource_ids": [], "events": events})
    assert timeline(pack).days == ()
