"""`ekm usage --lookup` as a person runs it; the answers are made by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from openai_ekm.cli.main import load_verb, run
from openai_ekm.usage.lookup import IAM_REGION
from tests.support.cloudtrail_events import KEY_ARN, REGION, ROLE_ARN
from tests.support.trail_logs import GOLDEN
from tests.unit.usage.test_lookup import events

NAMED = ("--lookup", "--kms-arn", KEY_ARN, "--role-arn", ROLE_ARN)
Verb = Callable[..., tuple[int, dict[str, Any], str]]


class History:
    """CloudTrail's history, a page of OpenAI's three first events for each lookup."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.regions: list[str] = []
        self.told_before = ""

    def lookup_events(self, **_: Any) -> dict[str, Any]:
        """Return the next page; keep what was said before the first one."""
        self.told_before = self.told_before or self.capsys.readouterr().err
        return {"Events": events(list(GOLDEN[:3])), "NextToken": "more"}


@pytest.fixture
def history(capsys: pytest.CaptureFixture[str]) -> History:
    """A history that does not end."""
    return History(capsys)


@pytest.fixture
def usage(
    history: History, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Verb:
    """Runs the verb with `--json`; return the exit code, the document, and what it said."""
    for name in [each for each in os.environ if each.startswith(("AWS_", "EKM_"))]:
        monkeypatch.delenv(name)

    def client(_session: object, service: str, region: str) -> History:
        assert service == "cloudtrail"
        history.regions.append(region)
        return history

    made = SimpleNamespace(new_session=object, client=client)
    monkeypatch.setattr("openai_ekm.cli.usage.aws_session", made)
    no_wait = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: None)
    monkeypatch.setattr("openai_ekm.cli.usage.time", no_wait)

    def run_verb(*words: str) -> tuple[int, dict[str, Any], str]:
        code = run(load_verb("usage"), "usage", [*NAMED, *words, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return run_verb


def test_the_estimate_is_printed_before_the_first_call(usage: Verb, history: History) -> None:
    """Guards against: hours of calls that nobody was told of."""
    usage("--max-events", "3")
    assert "Looking up 5 attributes: at most 3 events" in history.told_before
    assert "--max-events sets the most" in history.told_before


def test_a_search_that_max_events_ended_is_undecided(usage: Verb, history: History) -> None:
    """Guards against: a search that ended early, and an exit code that says nobody else is there.

    The document names what was not looked up.
    """
    code, found, _ = usage("--max-events", "6")
    assert code == 8
    assert {each["state"] for each in found["unread"]["files"]} == {"stopped"}
    assert [each["kind"] for each in found["sources"]] == ["lookup"]
    assert (found["sources"][0]["aws_calls"], found["sources"][0]["records"]) == (2, 6)
    assert found["openai"]["state"] == "using"
    assert history.regions == [REGION]


def test_lookups_are_made_where_the_events_are(
    usage: Verb, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: IAM's events, and those of STS's global endpoint, looked for elsewhere."""
    monkeypatch.setattr(
        history, "lookup_events", lambda **_: {"Events": events(list(GOLDEN[:3]))}, raising=True
    )
    code, found, _ = usage()
    assert (code, found["unread"]["files"]) == (0, [])
    assert history.regions == [REGION, REGION, REGION, IAM_REGION, IAM_REGION]
