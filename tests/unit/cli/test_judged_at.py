"""`--at` of prove and diagnose: the same answer on every day, and nobody takes it for today's."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import load_verb, run
from tests.support.healthy import TRUST, healthy, put

if TYPE_CHECKING:
    from pathlib import Path

Verb = Callable[..., tuple[int, dict[str, Any]]]
BEFORE, BEGIN, AFTER = (f"2046-0{month}-01T00:00:00Z" for month in (5, 6, 7))


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verb:
    """Runs a verb with `--json`, and returns the exit code and the document."""
    for name in [each for each in os.environ if each.startswith(("AWS_", "EKM_", "OPENAI_"))]:
        monkeypatch.delenv(name)

    def run_verb(name: str, *words: str) -> tuple[int, dict[str, Any]]:
        code = run(load_verb(name), name, [*words, "--json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return code, found

    return run_verb


def opened_later(calls_time: str | None = None) -> dict[str, Any]:
    """A snapshot whose role OpenAI may assume from a moment on."""
    condition = {
        "StringEquals": {"sts:ExternalId": ["org-abc"]},
        "DateGreaterThanEquals": {"aws:CurrentTime": BEGIN},
    }
    later = {"schema": "ekm-snapshot/1", **put(healthy(), f"{TRUST}/Condition", condition)}
    return later if calls_time is None else {**later, "calls": {"time": calls_time}}


@pytest.fixture(params=[None, BEFORE, AFTER], ids=["no time", "a time before", "a time after"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file of the snapshot; `--at` stands above the time that its calls have."""
    path = tmp_path / "s.json"
    path.write_text(json.dumps(opened_later(request.param)))
    return str(path)


def test_diagnose_judges_at_the_time_that_is_given(file: str, verb: Verb) -> None:
    """Guards against: an answer about dates that is another one tomorrow."""
    assert verb("diagnose", file, "--at", BEFORE)[1]["outcome"] == "assume_role_denied"
    assert verb("diagnose", file, "--at", AFTER)[1]["outcome"] == "ok"


def test_a_fault_speaks_of_the_time_that_is_given(file: str, verb: Verb) -> None:
    """Guards against: "from now on" about a day that is long past, or years away."""
    (fault,) = verb("diagnose", file, "--at", BEFORE)[1]["faults"]
    assert fault["id"] == "condition_date"
    assert f"is {BEFORE} (it does not allow all the time from then on)" in fault["message"]


def test_prove_judges_from_the_time_that_is_given(file: str, verb: Verb) -> None:
    """Guards against: a proof about dates that is another one tomorrow."""
    for at, holds in ((BEFORE, False), (AFTER, True)):
        claims = {
            each["id"]: each["holds"] for each in verb("prove", file, "--at", at)[1]["claims"]
        }
        assert claims["d"] is holds, at


@pytest.mark.parametrize("name", ["diagnose", "prove"])
@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "markdown", "github"])
def test_every_format_says_that_a_time_was_given(
    name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a verdict of another day that a reviewer takes for today's."""
    (tmp_path / "s.json").write_text(json.dumps(healthy()))
    words = [str(tmp_path / "s.json"), "--format", form]
    run(load_verb(name), name, words)
    assert AFTER not in capsys.readouterr().out
    run(load_verb(name), name, [*words, "--at", AFTER])
    printed = capsys.readouterr().out
    assert AFTER in printed.replace("%3A", ":")
    assert "as --at says" in printed.replace("`", "")


def test_a_note_of_the_time_stands_once_beside_others(file: str, verb: Verb) -> None:
    """Guards against: a note that drives out another one."""
    found = verb("prove", file, "--at", AFTER, "--accept-undecided", "a=because")[1]
    assert found["at"] == AFTER
    assert len(found["notes"]) == 2


@pytest.mark.parametrize("name", ["diagnose", "prove"])
@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-11-29", "2026-11-29T10:00:00", "2026-13-29T10:00:00Z"),
        *("2026-11-29T10:00:00+01:00", "2026-11-29T10:00:00Z\n", "0999-11-29T10:00:00Z"),
    ],
)
def test_what_is_no_time_is_refused(name: str, text: str, file: str, verb: Verb) -> None:
    """Guards against: a day whose hour nobody said, and a time in the zone of the machine."""
    code, found = verb(name, file, "--at", text)
    assert (code, found["error"]["id"], found["error"]["at_fault"]) == (2, "at_malformed", "--at")


def test_a_time_without_a_snapshot_means_nothing(verb: Verb) -> None:
    """Guards against: an option that is taken and does nothing."""
    code, found = verb("diagnose", "--error", "AccessDenied", "--at", AFTER)
    assert (code, found["error"]["id"], found["error"]["at_fault"]) == (2, "option_useless", "--at")
