"""The table of watches: each row is one that EventBridge takes, and that the runbook explains."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.watched.variants import CASES
from tests.support.watches import (
    ALL_MANAGEMENT_EVENTS,
    FORWARDS,
    NAMES,
    OPERATORS,
    WATCHES,
    Watch,
    operators,
)

# Calls that CloudTrail records as read-only.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
READ_ONLY = ("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "AssumeRole")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "operate" / "runbook.md"
MONITORING = PAGE.with_name("monitoring.md").read_text(encoding="utf-8")
RUNBOOK = PAGE.read_text(encoding="utf-8")
RULES = [
    *((watch.id, watch.state, watch.pattern) for watch in WATCHES if watch.pattern),
    *((each["id"], each["state"], each["pattern"]) for each in FORWARDS),
]


def sees_reading(pattern: dict[str, Any]) -> bool:
    """Whether a pattern can match a call that CloudTrail records as read-only."""
    if pattern["detail-type"] != ["AWS API Call via CloudTrail"]:
        return False
    detail = pattern["detail"]
    if "source" in pattern and pattern["source"] == ["aws.iam"]:
        return False
    names = detail.get("eventName")
    if names is None:
        return True
    texts = [each if isinstance(each, str) else each.get("prefix", "") for each in names]
    return any(text.startswith(READ_ONLY) for text in texts)


def test_each_watch_has_an_id_of_its_own() -> None:
    """Guards against: two rules of one name, one of which Terraform would not make."""
    ids = [watch.id for watch in WATCHES]
    assert sorted(ids) == sorted(set(ids))
    assert len(ids) > 40


def test_each_id_fits_into_the_name_of_a_rule() -> None:
    """A rule's name has 64 characters: 32 for `name`, one dot, the rest for the id."""
    assert [each for each, _, _ in RULES if len(each) > 64 - 32 - 1] == []


@pytest.mark.parametrize(("name", "state", "pattern"), RULES, ids=[each for each, _, _ in RULES])
def test_the_state_of_a_rule_is_that_of_its_events(
    name: str, state: str, pattern: dict[str, Any]
) -> None:
    """Guards against: a watch on read-only events whose rule EventBridge hands none of them."""
    expected = ALL_MANAGEMENT_EVENTS if sees_reading(pattern) else "ENABLED"
    assert state == expected, name


def test_rules_on_read_only_events_are_found() -> None:
    """Guards against: a check of states that finds no read-only event."""
    found = {name for name, _, pattern in RULES if sees_reading(pattern)}
    assert {"key-used-by-other", "role-assumed-by-other", "role-used-otherwise"} <= found
    assert {"silence", "errors-denied", "forward-assume", "forward-session"} <= found
    assert "key-disabled" not in found


@pytest.mark.parametrize(
    "pattern", [each for _, _, each in RULES], ids=[each for each, _, _ in RULES]
)
def test_each_operator_is_one_of_eventbridge(pattern: dict[str, Any]) -> None:
    """LocalStack lets some operators pass that EventBridge does not have."""
    assert operators(pattern) <= OPERATORS


def test_operators_are_found_at_every_depth() -> None:
    """Guards against: a search for operators that finds none."""
    pattern = {
        "a": {"$or": [{"b": [{"one": 1}]}, {"c": {"d": [{"two": 2}, "x"]}}]},
        "e": [{"three": 3}],
    }
    assert operators(pattern) == {"one", "two", "three"}


@pytest.mark.parametrize("watch", WATCHES, ids=[watch.id for watch in WATCHES])
def test_each_row_is_complete(watch: Watch) -> None:
    """Guards against: a severity without a topic, or a summary that is no sentence."""
    assert watch.severity in {"critical", "warning", "info"}
    assert watch.summary.endswith(".")
    assert len(watch.summary) <= 200
    assert watch.notified_by in {"event", "errors", "silence", "failed_invocations", "queue"}
    assert (watch.pattern is None) == (watch.state is None)
    assert watch.maker in {"caller", "aws"}
    if watch.maintenance:
        assert watch.pattern
        assert "userIdentity" not in watch.pattern["detail"]


def test_nothing_but_names_is_put_into_the_table() -> None:
    """Guards against: a place in the table that the reader of this table does not see."""
    assert len(NAMES) > 15


def test_the_runbook_has_a_section_for_each_watch() -> None:
    """Guards against: an address that leads nowhere, and a section of a watch that is gone."""
    sections = re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE)
    assert sorted(sections) == sorted(watch.id for watch in WATCHES)


@pytest.mark.parametrize("watch", WATCHES, ids=[watch.id for watch in WATCHES])
def test_a_section_says_what_to_do(watch: Watch) -> None:
    """How you notice, what is at stake, the steps, and how you know that it is over."""
    section = RUNBOOK.split(f"\n### {watch.id}\n", 1)[1].split("\n##", 1)[0]
    assert section.strip().startswith(watch.summary)
    parts = re.findall(r"^\*\*(.+?):\*\*", section, re.MULTILINE)
    assert parts == ["You notice", "At stake", "Steps", "Over when"]
    assert re.search(r"^1\. \S", section, re.MULTILINE)
    notice = section.split("**You notice:**", 1)[1].split("\n", 1)[0]
    assert f"`{watch.severity}`" in notice


def test_the_cost_is_counted_from_the_table() -> None:
    """Guards against: a price of alarms that a new watch has changed."""
    kinds = Counter(watch.notified_by for watch in WATCHES)
    errors, events, there = kinds["errors"], kinds["event"], len(FORWARDS) + 1  # and the queue
    alarms = -(-events // 10)  # of ten metrics at most
    assert f"{errors} on errors, 1 on the queue, up to {events} metrics of rules" in MONITORING
    cost = (errors + 1 + events) / 10
    assert f"in {alarms} alarms, 0.10 for each metric | about {cost:.2f} |" in MONITORING
    assert f"{there} metrics of 2 alarms" in MONITORING


# Nothing is at stake; a time after which it is too late; or by when to act.
BY_WHEN = re.compile(
    r"^Nothing|^Nobody got in|nothing is urgent|\bat once\b|\buntil\b|\bhours?\b|\bdays?\b"
    r"|Act now\.|working day\."
)


@pytest.mark.parametrize("watch", WATCHES, ids=[watch.id for watch in WATCHES])
def test_a_section_says_by_when(watch: Watch) -> None:
    """Guards against: somebody who is told at night, and cannot tell whether it waits."""
    section = RUNBOOK.split(f"\n### {watch.id}\n", 1)[1]
    stake = section.split("**At stake:** ", 1)[1].split("\n", 1)[0]
    assert BY_WHEN.search(stake), stake
    if watch.severity == "critical":
        assert "working day" not in stake


def test_each_case_of_an_event_has_a_name_of_its_own() -> None:
    """Guards against: a case that hides another one of the same name."""
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(set(names))
    assert len(names) > 250
