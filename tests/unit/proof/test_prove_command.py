"""`ekm prove`: exit codes, the JSON, the SARIF, and bad input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import ekm, run
from tests.support.proof_sample import DELEGATE_ALL, document, snapshot

if TYPE_CHECKING:
    from pathlib import Path

MEMBERS = {"answer", "holds", "claims", "reported", "assumed", "unseen"}


def _written(folder: Path, found: Any) -> str:
    file = folder / "snapshot.json"
    file.write_text(json.dumps(found), encoding="utf-8")
    return str(file)


def test_a_proof_that_holds_exits_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline stops at a policy that is as it should be, or cannot read the answer."""
    assert run(ekm, "ekm", ["prove", _written(tmp_path, snapshot()), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == MEMBERS
    assert found["holds"] is True
    assert [each["id"] for each in found["claims"]] == list("abcdef")
    assert all(each["classes"] > 0 for each in found["claims"])


def test_a_claim_that_fails_exits_with_1_and_shows_the_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline lets a policy through that gives the key away, or nobody learns how."""
    weak = snapshot()
    weak["keys"][0]["policy"] = document(DELEGATE_ALL)
    sarif = tmp_path / "ekm.sarif"
    file = _written(tmp_path, weak)
    assert run(ekm, "ekm", ["prove", file, "--sarif", str(sarif)]) == 1
    out = capsys.readouterr().out
    assert "(c) FAILS" in out
    assert "by: Allow in keys[0].policy statement 0 (DelegateToAccount)" in out
    (log,) = json.loads(sarif.read_text(encoding="utf-8"))["runs"]
    (result,) = log["results"]
    assert result["ruleId"] == "EKM003/least-privilege/key"
    assert log["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    (place,) = result["locations"]
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "keys[0].policy.Statement[0]"
    assert (
        place["physicalLocation"]["artifactLocation"]["uri"]
        == (tmp_path / "snapshot.json").as_uri()
    )


def test_a_claim_that_nothing_seen_decides_exits_with_8(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key policy that nobody read passes a gate as proven, or blocks it as a policy at fault."""
    blind = snapshot()
    del blind["keys"][0]["policy"]
    file = _written(tmp_path, blind)
    assert run(ekm, "ekm", ["prove", file, "--json"]) == 8
    found = json.loads(capsys.readouterr().out)
    assert (found["answer"], found["holds"]) == ("undecided", None)
    (claim,) = [each for each in found["claims"] if each["id"] == "c"]
    assert (claim["answer"], claim["holds"]) == ("undecided", None)
    assert [each["path"] for each in claim["undecided_by"]] == ["keys[0].policy"]
    blind["role"]["trust_policy"] = document()
    assert run(ekm, "ekm", ["prove", _written(tmp_path, blind)]) == 1
    out = capsys.readouterr().out
    assert "(c) UNDECIDED" in out
    assert "(d) UNDECIDED" in out or "(d) FAILS" in out


@pytest.mark.parametrize(
    ("content", "id"),
    [
        (b"{", "snapshot_malformed"),
        (b"\xff", "snapshot_malformed"),
        (b"[]", "snapshot_malformed"),
        (b"[" * 200_000, "snapshot_malformed"),
        (b'{"schema": "other/9"}', "snapshot_schema"),
    ],
)
def test_bad_input_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, id: str
) -> None:
    """A broken file is a traceback, or a proof that holds."""
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    assert run(ekm, "ekm", ["prove", str(file)]) == 2
    assert f"error[{id}]" in capsys.readouterr().err


def test_a_byte_order_mark_is_no_part_of_a_snapshot(tmp_path: Path) -> None:
    """What a Windows shell redirected into a file is refused here and taken by `ekm diagnose`."""
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps(snapshot()), encoding="utf-8-sig")
    assert run(ekm, "ekm", ["prove", str(file)]) == 0


def test_documents_larger_than_any_of_aws_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten thousand statements keep a pipeline busy for an hour."""
    huge = snapshot()
    policy = huge["keys"][0]["policy"]
    policy["Statement"] = policy["Statement"] * 10_000
    assert run(ekm, "ekm", ["prove", _written(tmp_path, huge)]) == 2
    assert "error[document_too_large]" in capsys.readouterr().err


def test_files_that_cannot_be_read_or_written_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong path is a defect of ours."""
    assert run(ekm, "ekm", ["prove", str(tmp_path / "none.json")]) == 2
    assert "error[snapshot_unreadable]" in capsys.readouterr().err
    file = _written(tmp_path, snapshot())
    assert run(ekm, "ekm", ["prove", file, "--sarif", str(tmp_path / "no" / "x.sarif")]) == 2
    assert "error[sarif_not_written]" in capsys.readouterr().err
