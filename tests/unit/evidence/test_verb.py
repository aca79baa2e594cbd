"""`ekm evidence` as a person runs it: what it takes the time from, and what it says to do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Self

import pytest

from openai_ekm.cli.main import load_verb, run
from openai_ekm.evidence.container import zip_of
from openai_ekm.evidence.signature import PublicKey
from tests.support.evidence_pack import ec_key, public, signed_files
from tests.support.healthy import KEY_USE, ROOT, TRUST, healthy, put

if TYPE_CHECKING:
    from pathlib import Path

Verb = Callable[..., tuple[int, dict[str, Any]]]
STRANGER = "arn:aws:iam::444455556666:role/stranger"
# What judges a pack; nothing else of the package is asked for a time here.
JUDGES = ("evaluation", "openai_calls", "proof", "diagnosis", "evidence")


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verb:
    """Runs the verb with `--json`, and returns the exit code and the document."""
    for name in [each for each in os.environ if each.startswith(("AWS_", "EKM_", "OPENAI_"))]:
        monkeypatch.delenv(name)

    def run_verb(*words: str) -> tuple[int, dict[str, Any]]:
        code = run(load_verb("evidence"), "evidence", [*words, "--json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return code, found

    return run_verb


def until(limit: str) -> dict[str, Any]:
    """A snapshot whose role OpenAI may assume before a moment."""
    condition = {
        "StringEquals": {"sts:ExternalId": ["org-abc"]},
        "DateLessThan": {"aws:CurrentTime": limit},
    }
    return {"schema": "ekm-snapshot/1", **put(healthy(), f"{TRUST}/Condition", condition)}


def shared_until(limit: str) -> dict[str, Any]:
    """A snapshot whose key a stranger may administer, too, and nobody after a moment."""
    administer = f"{KEY_USE.rpartition('/')[0]}/0"
    shared = put(until(limit), f"{administer}/Principal", {"AWS": [ROOT, STRANGER]})
    return put(shared, f"{administer}/Condition", {"DateLessThan": {"aws:CurrentTime": limit}})


def written(evidence: Verb, folder: Path, name: str, at: str) -> dict[str, Any]:
    """A pack of the snapshot in a folder, as its JSON by file."""
    source = ("--snapshot", str(folder / "snapshot.json"))
    code, said = evidence("write", str(folder / name), *source, "--at", at)
    assert code == 0, said
    return {each.stem: json.loads(each.read_text()) for each in (folder / name).glob("*.json")}


class Clock(datetime):
    """The time by a clock that stands."""

    year_of_clock = 2000

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the time at which the clock stands."""
        return cls(cls.year_of_clock, 1, 1, tzinfo=tz)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    """The clock of everything that judges a pack."""
    load_verb("evidence")
    asked = 0
    for name, module in list(sys.modules.items()):
        if name.startswith(tuple(f"openai_ekm.{each}." for each in JUDGES)):
            for member in [key for key, value in vars(module).items() if value is datetime]:
                monkeypatch.setattr(module, member, Clock)
                asked += 1
    assert asked
    return Clock


@pytest.mark.parametrize("calls", [{}, {"time": "2031-01-01T00:00:00Z"}], ids=["", "a time"])
@pytest.mark.parametrize("year", [2016, 2046])
def test_a_pack_is_judged_at_its_own_time(
    year: int, calls: dict[str, str], evidence: Verb, tmp_path: Path
) -> None:
    """Guards against: answers of today in a pack of another day, before today and after it.

    The time that a snapshot's calls have gives way: the pack says another one.
    """
    given = {**until(f"{year}-06-01T00:00:00Z"), "calls": calls}
    (tmp_path / "snapshot.json").write_text(json.dumps(given))
    before = written(evidence, tmp_path, "before", f"{year}-05-01T00:00:00Z")
    after = written(evidence, tmp_path, "after", f"{year}-07-01T00:00:00Z")
    assert before["diagnosis"]["outcome"] == "ok"
    assert after["diagnosis"]["outcome"] == "assume_role_denied"
    claims = [
        {each["id"]: each["counterexample"] for each in pack["proof"]["claims"]}
        for pack in (before, after)
    ]
    assert claims[0] != claims[1]
    assert before["decisions"] != after["decisions"]


def test_the_same_time_gives_the_same_bytes_whatever_the_clock_says(
    evidence: Verb, clock: type[Clock], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Guards against: a pack of a policy with a time that nobody can make again."""
    (tmp_path / "snapshot.json").write_text(json.dumps(shared_until("2046-06-01T00:00:00Z")))
    named = ("--snapshot", str(tmp_path / "snapshot.json"), "--at", "2046-05-01T00:00:00Z")
    packs = []
    for year in (2016, 2066):
        monkeypatch.setattr(clock, "year_of_clock", year)
        assert evidence("write", str(tmp_path / f"{year}.zip"), *named)[0] == 0
        packs.append((tmp_path / f"{year}.zip").read_bytes())
    assert packs[0] == packs[1]
    assert b"key_policy_changeable" in packs[0]


def test_a_zip_of_another_layout_is_to_be_extracted(evidence: Verb, tmp_path: Path) -> None:
    """Guards against: a remedy for a changed file where all files are as they were written."""
    file = tmp_path / "pack.zip"
    file.write_bytes(b"#!/bin/sh\n" + zip_of(signed_files()))
    code, found = evidence("verify", str(file))
    assert code == 1
    assert [each["kind"] for each in found["differences"]] == ["layout"]
    assert found["error"]["remedy"] == "Extract the zip, and verify the folder."
    assert found["error"]["at_fault"] == str(file)


def test_a_changed_file_is_not_to_be_relied_on(evidence: Verb, tmp_path: Path) -> None:
    """Guards against: the remedy of a zip's layout for a file that was changed."""
    file = tmp_path / "pack.zip"
    file.write_bytes(zip_of({**signed_files(), "proof.json": b"{}"}))
    code, found = evidence("verify", str(file))
    assert code == 1
    assert found["error"]["at_fault"] == "proof.json"
    assert found["error"]["remedy"].startswith("Rely on nothing in it.")


@pytest.mark.parametrize("time", [None, "2016-01-01T00:00:00Z"])
def test_an_auditor_gets_the_proof_of_a_pack_again(
    time: str | None, evidence: Verb, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Guards against: a page that says how to decide again, and another answer by the clock."""
    at = "2046-05-01T00:00:00Z"
    given = shared_until("2046-06-01T00:00:00Z")
    (tmp_path / "snapshot.json").write_text(
        json.dumps(given if time is None else {**given, "calls": {"time": time}})
    )
    pack = written(evidence, tmp_path, "pack", at)
    again = [str(tmp_path / "pack" / "snapshot.json"), "--at", at, "--json"]
    run(load_verb("prove"), "prove", again)
    found = json.loads(capsys.readouterr().out)
    assert {name: found[name] for name in pack["proof"]} == pack["proof"]
    assert set(found) - set(pack["proof"]) == {"at", "notes"}
    run(load_verb("diagnose"), "diagnose", again)
    assert json.loads(capsys.readouterr().out)["outcome"] == pack["diagnosis"]["outcome"] == "ok"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and text of the verb, in one line."""
    code = run(load_verb("evidence"), "evidence", list(words))
    return code, " ".join(capsys.readouterr().out.split())


def test_the_check_says_to_a_person_what_it_cannot_prove(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Guards against: a check that passes, and a reader who takes its times for proven."""
    key = ec_key()
    given = ("--fingerprint", PublicKey(public(key)).fingerprint)
    packs = {"unsigned": signed_files(), "signed": signed_files(key)}
    packs["changed"] = {**packs["signed"], "proof.json": b"{}"}
    for name, files in packs.items():
        (tmp_path / f"{name}.zip").write_bytes(zip_of(files))
    for name, more, code, words in (
        ("unsigned", (), 8, "The pack is not signed. Anybody could have written it."),
        ("signed", (), 8, "the signature proves nothing about who signed"),
        ("signed", given, 0, f"The manifest is signed by {given[1]}"),
        ("changed", given, 1, "size proof.json has 2 bytes"),
    ):
        found = said(capsys, "verify", str(tmp_path / f"{name}.zip"), *more)
        assert found[0] == code, (name, found)
        assert words in found[1]
        assert "No check can prove:" in found[1]
        assert "by the clock of who wrote it" in found[1]


def test_what_was_written_says_to_a_person_what_is_missing(
    evidence: Verb, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Guards against: a pack that is handed over, and gaps that nobody read of."""
    (tmp_path / "s.json").write_text(json.dumps({"schema": "ekm-snapshot/1", **healthy()}))
    code, text = said(
        capsys, "write", str(tmp_path / "pack"), "--snapshot", str(tmp_path / "s.json")
    )
    assert code == 0
    assert "Claims: holds. Not seen: - " in text
    for gap in ("usage.json (No file was given: --usage FILE.)", "OpenAI (There is no admin key.)"):
        assert gap in text
    assert "Not signed: --sign kms:ARN signs the manifest." in text
