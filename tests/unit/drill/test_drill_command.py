"""`ekm drill` from words to exit code, before it calls anybody."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.main import load_verb, run

if TYPE_CHECKING:
    from pathlib import Path

PROBE = """
import sys
from openai_ekm.cli.main import main
try:
    main({words})
except SystemExit as ended:
    assert ended.code == 0, ended.code
print(sorted({{"boto3", "botocore", "requests", "openai_ekm.drill.runner"}} & set(sys.modules)))
"""


@pytest.mark.parametrize("words", [["revoke"], ["restore"], []])
def test_help_has_examples_and_imports_no_client(words: list[str]) -> None:
    """Somebody in a hurry to give access back reads options, and waits for imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(words=["drill", *words, "--help"])],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Examples:" in done.stdout
    assert " ".join(["ekm drill", *words]) in done.stdout.split("Examples:")[1]
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "id"),
    [
        (
            ["revoke", "--record", "file:r.json", "--report", "no/such/drill"],
            "report_place_unusable",
        ),
        (["revoke", "--record", "file:r.json", "--confirm", "a b"], "id_malformed"),
        (["restore"], "option_missing"),
        (["restore", "--record", "file:no/such/r.json"], "record_place_unusable"),
        (["revoke", "--record", "file:r.json", "--by", "unplug"], "usage"),
    ],
)
def test_bad_input_is_told_before_anything(
    words: list[str],
    id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A drill finds out that its report cannot be written once access was cut."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EKM_RECORD", raising=False)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-x")
    assert run(load_verb("drill"), "ekm drill", [*words, "--json"]) == 2
    assert f'"id": "{id}"' in capsys.readouterr().out
