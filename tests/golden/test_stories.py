"""The contract of the command line: `--json`, exit codes, calls, and what is changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from tests.constants import ACCOUNT
from tests.golden.stories import STORIES
from tests.golden.world import Golden

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPECTED = Path(__file__).parent / "expected"
REWRITE = "WRITE_GOLDEN"


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Golden]:
    """AWS and OpenAI in memory, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    with mock_aws():
        golden = Golden(capsys, monkeypatch)
        yield golden
        golden.close()


@pytest.mark.parametrize("name", STORIES)
def test_story_ends_as_it_did(name: str, world: Golden) -> None:
    """Guards against: a changed exit code, JSON member, error id, call, record or report.

    An intended change is written with `WRITE_GOLDEN=1 pytest tests/golden` and reviewed as a
    change of the contract.
    """
    rewrite = os.environ.get(REWRITE)
    STORIES[name](world)
    text = json.dumps(world.transcript, indent=1, ensure_ascii=False) + "\n"
    path = EXPECTED / f"{name}.json"
    if rewrite:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    expected = json.loads(path.read_text())
    assert len(world.transcript) == len(expected)
    for step, (found, wanted) in enumerate(zip(world.transcript, expected, strict=True)):
        assert found == wanted, f"{name}, step {step}: {found['command']}"


def test_every_exit_code_is_met() -> None:
    """Guards against: a family of errors that no story reaches."""
    met = {
        step["exit"]
        for name in STORIES
        for step in json.loads((EXPECTED / f"{name}.json").read_text())
    }
    assert met >= {0, 1, 2, 3, 4, 5, 6, 7, 70, 130}
