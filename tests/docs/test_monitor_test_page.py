"""docs/operate/monitor-test.md and docs/permissions.md say what `ekm monitor test` does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from openai_ekm.cli.main import load_verb
from openai_ekm.monitoring.carry_out import QUEUE_PREFIX
from openai_ekm.monitoring.message import TAG, WATCHES
from tests.docs.test_doctor_page import policy
from tests.support.watches import WATCHES as TABLE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operate" / "monitor-test.md").read_text(encoding="utf-8")
STORY = ROOT / "tests" / "golden" / "expected" / "testing_the_monitoring.json"
# What every snapshot tries to read, and this test does not need; and what needs no permission.
NOT_NEEDED = {"kms:ListAliases", "kms:ListGrants", "kms:ListResourceTags", "sts:GetCallerIdentity"}
# After an answer that was lost; and of managed policies, of which the story's role has none.
ELSEWHERE = {
    *("sqs:GetQueueUrl", "sns:ListSubscriptionsByTopic"),
    *("iam:GetPolicy", "iam:GetPolicyVersion"),
}


def calls() -> set[str]:
    """The actions of AWS that a whole test calls, as the golden story has them."""
    run = json.loads(STORY.read_text(encoding="utf-8"))[1]
    assert run["json"]["result"] == "not_seen"
    named = (call.split() for call in run["aws"])
    return {f"{service.lower()}:{action}" for service, action in named}


def test_the_page_has_every_permission_and_no_other() -> None:
    """Guards against: a policy of the page with which the test is refused, or that gives more."""
    granted = {action for each in policy("Who tests the monitoring") for action in each["Action"]}
    assert granted - ELSEWHERE == calls() - NOT_NEEDED
    assert granted >= ELSEWHERE


@pytest.mark.parametrize("source", ["kms", "sns"])
def test_the_page_has_each_message_that_the_test_sends(source: str) -> None:
    """Guards against: a message on somebody's pager that the page does not announce."""
    made = {action.partition(":")[2] for action in calls() if action.startswith(f"{source}:")}
    sent = {
        row.id
        for row in TABLE
        if row.pattern is not None
        and row.pattern.get("source") == [f"aws.{source}"]
        and row.pattern.get("detail", {}).get("errorCode") == [{"exists": False}]
        and any(name in row.pattern["detail"].get("eventName", ()) for name in made)
    }
    assert sent == ({"topics-changed"} if source == "sns" else set(WATCHES))
    assert all(f"(runbook.md#{each})" in PAGE for each in sent)


def test_the_page_names_what_the_code_does() -> None:
    """Guards against: names on the page that a release has changed."""
    for name in (f"`{TAG} = <id>`", f"`{QUEUE_PREFIX}`", *(f"`{each}`" for each in WATCHES)):
        assert name in PAGE
    command = load_verb("monitor").commands["test"]  # type: ignore[attr-defined]
    (wait,) = [each for each in command.params if each.name == "wait"]
    minutes = re.search(r"The default wait is (\d+) minutes", PAGE)
    assert minutes is not None
    assert wait.default == 60 * int(minutes[1])


def test_the_module_writes_the_members_that_are_read() -> None:
    """Guards against: a message of the module that the test no longer knows as its own."""
    rules = (ROOT / "modules" / "monitoring" / "watches" / "rules.tf").read_text(encoding="utf-8")
    written = dict(re.findall(r"^    (\w+) += (.+)$", rules, re.MULTILINE))
    assert written["watch"] == "id"
    assert written["severity"] == "watch.severity"
    assert written["event"] == '"@aws.events.event.json@"'
