"""`ekm version`: where each fact comes from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from openai_ekm._version import __version__
from openai_ekm.cli.main import ekm, run

if TYPE_CHECKING:
    from pathlib import Path


def test_without_terraform_the_rest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: no version at all where one program is missing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("EKM_TERRAFORM", raising=False)
    assert run(ekm, "ekm", ["version", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["package"] == __version__
    assert (facts["terraform"], facts["module"]) == (None, None)
    assert run(ekm, "ekm", ["version"]) == 0
    assert "terraform  not found" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "shown"),
    [
        (["help"], 0, "Usage: ekm [OPTIONS]"),
        (["help", "register"], 0, "Usage: ekm register"),
        (["help", "drill", "revoke"], 0, "Usage: ekm drill revoke"),
        (["help", "environment"], 0, "EKM_RECORD  (ssm:NAME or file:PATH)"),
        (["help", "enviroment"], 2, "Did you mean 'environment'?"),
        (["help", "drill", "revok"], 2, "Did you mean 'revoke'?"),
        (["help", "status", "x"], 2, "There is no help about 'x'."),
    ],
)
def test_help_about_a_topic(
    words: list[str], code: int, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: `ekm help` that knows less than `--help`."""
    assert run(ekm, "ekm", words) == code
    out, err = capsys.readouterr()
    assert shown in out + err
