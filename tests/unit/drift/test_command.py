"""What `ekm drift` and `ekm drift accept` say of a file, and of a state, that they cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

WHO = ("--reason", "OPS-17", "--by", "jane", "--expires", "2027-01-31")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run `ekm drift`, which ends with exit code 2; return what it says."""
    with pytest.raises(SystemExit) as ended:
        main(["drift", *words])
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (2, "")
    return shown.err


def test_a_state_that_is_no_json_is_told_with_its_own_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a remedy that names terraform output, of which nothing was read."""
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\necho no state\n")
    program.chmod(0o755)
    monkeypatch.setenv("EKM_TERRAFORM", str(program))
    said = refused(capsys, "--from-terraform", str(tmp_path))
    assert "error[state_unreadable]" in said
    assert "terraform show -json" in said
    assert "terraform output" not in said


def test_a_file_that_is_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a file of any length that is decoded, and a message that blames its form."""
    monkeypatch.setattr("openai_ekm.json_reader.LARGEST", 10)
    file = tmp_path / "long.json"
    file.write_text("{" + " " * 10 + "}")
    said = refused(capsys, "--from-terraform", "-", "--baseline", str(file))
    assert "error[drift_baseline_malformed]" in said
    assert "is longer than 10 bytes" in said
    new = tmp_path / "new.json"
    said = refused(capsys, "accept", str(file), "--all", *WHO, "--baseline", str(new))
    assert "error[drift_report_malformed]" in said
    assert "is longer than 10 bytes" in said
    assert not new.exists()
