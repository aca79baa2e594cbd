"""What a run of the registrar opens, starts and connects to: the admin key goes to OpenAI alone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.doubles.openai_server import SECRET, OpenAI
from tests.support.openai_answers import KMS_ARN, ROLE_ARN

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "modules" / "registration" / "launcher" / "ekm-register"
# Python itself tells of each file, process and connection, wherever it runs; none is missed.
AUDITED = """
import os, sys
log = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
told = {"open", "subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn", "os.system",
        "os.spawn", "pty.spawn", "socket.connect", "socket.sendto", "os.rename"}
def hook(event, words):
    if event in told:
        os.write(log, (repr((event, *map(str, words))) + "\\n").encode())
sys.addaudithook(hook)
from openai_ekm.cli.main import main
main()
"""


@dataclass(frozen=True)
class Event:
    """Something that Python told of."""

    name: str
    words: tuple[str, ...]


@pytest.fixture
def openai() -> Iterator[OpenAI]:
    """An organization of its own."""
    made = OpenAI()
    yield made
    made.stop()


@pytest.fixture
def environment(openai: OpenAI, tmp_path: Path) -> dict[str, str]:
    """What the registrar finds."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "EKM_ROLE_ARN": ROLE_ARN,
        "EKM_KMS_ARN": KMS_ARN,
        "EKM_EXTERNAL_ID": "org-abc",
        "EKM_NAME": "prod",
        "EKM_RECORD": "file:record.json",
        "OPENAI_ADMIN_KEY": SECRET,
        "OPENAI_BASE_URL": openai.url,
    }


def audited(folder: Path, environment: dict[str, str], *words: str) -> list[Event]:
    """Run a verb to its end; return what it did."""
    log = folder / "audit"
    log.unlink(missing_ok=True)
    run = subprocess.run(
        [sys.executable, "-I", "-B", "-c", AUDITED, str(log), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert SECRET not in run.stdout + run.stderr
    lines: list[Any] = [eval(line) for line in log.read_text().splitlines()]
    assert SECRET not in log.read_text(), "in the name of a file, an argument or an environment"
    return [Event(line[0], line[1:]) for line in lines]


def test_the_admin_key_leaves_the_process_for_openai_alone(
    openai: OpenAI, environment: dict[str, str], tmp_path: Path
) -> None:
    """Guards against: an admin key that reaches a child, a file or another host."""
    port = openai.url.split(":")[2].split("/")[0]
    for verb in (["register"], ["register"], ["validate"], ["status"], ["retire"]):
        events = audited(tmp_path, environment, *verb)
        started = [e for e in events if e.name.startswith(("subprocess", "os.exec", "os.posix"))]
        assert started == [], "the registrar starts no programs"
        assert not any(e.name in {"os.fork", "os.system", "os.spawn"} for e in events)
        reached = {e.words[1] for e in events if e.name == "socket.connect"}
        assert reached == {f"('127.0.0.1', {port})"}
        opened = {
            Path(e.words[0])
            for e in events
            if e.name == "open" and int(e.words[2]) & (os.O_WRONLY | os.O_RDWR)
        }
        outside = [file for file in opened if file.is_absolute() and tmp_path not in file.parents]
        assert [file for file in outside if file != Path(os.devnull)] == []
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {file.name for file in files} >= {"record.json"}
    assert any((tmp_path / "state") in file.parents for file in files)
    assert [file for file in files if SECRET.encode() in file.read_bytes()] == []
    assert openai.seen
    for headers, path, sent in openai.seen:
        assert SECRET not in path
        assert SECRET.encode() not in sent
        assert [name for name, value in headers.items() if SECRET in value] == ["Authorization"]


def test_what_the_launcher_runs_to_prepare_itself_gets_no_admin_key(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Guards against: an admin key that uv, or a package without a checked hash, can read."""
    programs, seen = tmp_path / "bin", tmp_path / "seen"
    programs.mkdir()
    for name in ("env", "readlink", "sh", "cat"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    record = f'#!/bin/sh\n{{ echo "@ $0 $*"; env; }} >> "{seen}"\n'
    recorder = f"{record}exit 1\n"
    interpreter = Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info[:2])
    python = f'{record}exec "{interpreter}" "$@"\n'
    for name, text in (("uv", recorder), ("python3", python), ("ekm-register", recorder)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    run = subprocess.run(
        [STUB],
        cwd=tmp_path,
        env=environment | {"PATH": str(programs), "EKM_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in {2, 5}, run.stderr
    assert SECRET not in run.stdout + run.stderr
    text = "\n" + seen.read_text()
    # The launcher itself, which becomes the registrar, is the one program that has it.
    holders = [
        block.splitlines()[0]
        for block in text.split("\n@ ")
        if f"OPENAI_ADMIN_KEY={SECRET}" in block
    ]
    assert [holder for holder in holders if "launcher.py" not in holder] == []
    assert len(holders) == 1
    assert f"{programs}/ekm-register --version" in text
    assert f"{programs}/uv venv" in text
