"""Nobody reads what is printed, or it cannot be shown: what is done is done, and told rightly."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.doubles.registration_world import INTENT
from tests.doubles.slow_openai import SlowOpenAI, command, fleet_file, slow_openai

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "tea 🍵"
ONE = [
    *("--role-arn", INTENT.role_arn, "--kms-arn", INTENT.kms_arn),
    *("--external-id", INTENT.external_id, "--name", INTENT.name),
    *("--project", NAME, "--record", "file:one.json"),
]


@pytest.fixture
def openai() -> Iterator[SlowOpenAI]:
    """A server that answers at once."""
    with slow_openai() as server:
        server.let(20)
        yield server


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code and what was printed."""
    out, err = process.communicate(timeout=240)
    return process.returncode, out or "", err or ""


def gone() -> int:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("words", [[], ONE], ids=["fleet", "one"])
@pytest.mark.parametrize("closed", [False, True], ids=["unread", "closed"])
def test_progress_that_nobody_reads_ends_no_run(
    openai: SlowOpenAI, tmp_path: Path, words: list[str], closed: bool
) -> None:
    """Guards against: a terminal that is gone leaves half a fleet, or another exit code."""
    fleet_file(tmp_path, 6)
    settings: dict[str, Any] = {"words": words} if words else {}
    if closed:
        settings["preexec_fn"] = lambda: os.close(2)
    writer = gone()
    process = command(openai, tmp_path, stdout=subprocess.PIPE, stderr=writer, **settings)
    os.close(writer)
    code, out, _ = ended(process)
    assert code == 0, out
    assert len(openai.openai.keys) == (1 if words else 6)


@pytest.mark.parametrize("words", [[], ONE], ids=["fleet", "one"])
def test_result_on_a_full_disk_is_told_as_that(
    openai: SlowOpenAI, tmp_path: Path, words: list[str]
) -> None:
    """Guards against: a result that was lost passes for delivered, or for a defect of ours."""
    fleet_file(tmp_path, 2)
    settings: dict[str, Any] = {"words": words} if words else {}
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        code, _, err = ended(
            command(openai, tmp_path, stdout=full, stderr=subprocess.PIPE, **settings)
        )
    assert code == 2, err
    assert "error[output_not_written]" in err
    assert len(openai.openai.keys) == (1 if words else 2)


def test_result_that_nobody_reads_is_no_success(openai: SlowOpenAI, tmp_path: Path) -> None:
    """Guards against: what reads the result is gone, and the exit code says that all is well."""
    writer = gone()
    process = command(openai, tmp_path, stdout=writer, stderr=subprocess.PIPE, words=ONE)
    os.close(writer)
    code, _, err = ended(process)
    assert code == 1
    assert "Traceback" not in err
    assert len(openai.openai.keys) == 1


@pytest.mark.parametrize("as_json", [False, True])
def test_name_that_this_locale_cannot_show_is_written_otherwise(
    openai: SlowOpenAI, tmp_path: Path, as_json: bool
) -> None:
    """Guards against: a registration that ends in an error of its printing, or in no JSON."""
    code, out, err = ended(
        command(
            openai,
            tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            words=[*ONE, *(["--json"] if as_json else [])],
            env={"PYTHONIOENCODING": "latin-1"},
        )
    )
    assert code == 0, err
    if as_json:
        assert json.loads(out)["projects"][0]["name"] == NAME
    else:
        assert "tea \\U0001f375" in out


def test_a_dumb_terminal_gets_plain_lines(openai: SlowOpenAI, tmp_path: Path) -> None:
    """Guards against: a terminal that cannot take lines away shows the codes for it instead."""
    fleet_file(tmp_path, 3)
    master, terminal = pty.openpty()
    process = command(
        openai, tmp_path, stdout=subprocess.DEVNULL, stderr=terminal, env={"TERM": "dumb"}
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        shown += piece
    os.close(master)
    assert process.wait(240) == 0
    assert shown.count(b"created extkey_") == 3
    assert b"\x1b[1A" not in shown
    assert b"\x1b[J" not in shown
