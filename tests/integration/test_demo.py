"""`ekm demo` tells the whole story, and leaves nothing running however it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import psutil
import pytest

from openai_ekm.evidence.container import open_pack
from openai_ekm.evidence.verify import verify
from openai_ekm.rehearsal.sockets import ended, family
from tests.doubles.recording_proxy import recording_proxy
from tests.support.evidence_pack import write
from tests.support.schemas import faults_of
from tests.support.tamperings import tamperings
from tests.support.wheel import build_wheel, install_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EKM = str(Path(sys.executable).with_name("ekm"))
# `ekm demo --keep` without what lies between the start and the end.
KEPT = """
from openai_ekm.rehearsal.demo import Report, steps
for name in ("_apply", "_validate", "_decide", "await_monitoring", "revoke_and_restore",
             "let_stranger_in", "find_stranger", "Person"):
    setattr(steps, name, lambda *_: None)
steps.rehearse(Report(print), keep=True)
"""


class Running:
    """A demo that runs, and the lines that it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def read_until(self, pattern: str) -> None:
        """Read its output up to a line that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if re.search(pattern, line):
                return
        raise AssertionError(f"{pattern!r} was never printed:\n{''.join(self.lines)}")

    def finish(self) -> str:
        """Read the rest, and wait for its end."""
        assert self.process.stdout is not None
        self.lines += self.process.stdout.readlines()
        self.process.wait(240)
        return "".join(self.lines)


@contextmanager
def demo(folder: Path, *words: str, path: str | None = None) -> Iterator[Running]:
    """Start a demo whose temporary files go to a folder of their own."""
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(folder)}
    if path:
        environment.pop("EKM_TERRAFORM", None)  # it wins over PATH
        environment["PATH"] = path
    with subprocess.Popen(
        [EKM, "demo", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        guard = threading.Timer(600, process.kill)
        guard.start()
        try:
            yield Running(process)
        finally:
            guard.cancel()
            process.kill()


def test_the_whole_story(repository: Path, tmp_path: Path) -> None:
    """Guards against: a demo that does not show what the module promises, or needs a checkout.

    It runs from the wheel, as a new user's does, on a machine that has a proxy and no NO_PROXY, as
    many have in a company: loopback must not go there. With `--json` the text goes to standard
    error, and both must tell the same.
    """
    wheel = build_wheel(repository, tmp_path / "wheel")
    programs = install_beside(wheel, tmp_path / "env")
    elsewhere, temporary = tmp_path / "elsewhere", tmp_path / "tmp"
    elsewhere.mkdir()
    temporary.mkdir()
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    with recording_proxy() as (variables, asked):
        run = subprocess.run(
            [programs / "ekm", "demo", "--json"],
            cwd=elsewhere,
            env={**os.environ, "TMPDIR": str(temporary), "PATH": path, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    page = run.stderr
    assert run.returncode == 0, page
    assert [line for line in asked if "127.0.0.1" in line or "localhost" in line] == []
    document = json.loads(run.stdout)
    assert not faults_of("demo", document)
    assert document["holds"] is True
    assert all(row["holds"] for row in document["decisions"])
    summary = page.partition("\nSummary: ")[2]
    assert re.search(r"external key id +extkey_[0-9a-f]{28}", summary)
    assert re.search(r"project id +proj_\w+ \(ekm-first\)", summary)
    assert re.search(r"evidence +file:///\S+/index\.html\n", summary)
    for step in document["steps"]:
        assert f"\n{step['number']}. {step['title']}\n" in page
        for check in step["checks"]:
            assert f"   ✓ {check}" in page
            assert f"   ✓ {step['number']}. {check}" in summary
    for claim in (
        "Both listen on loopback only",
        "Nothing that the doctor sees stands in the way",
        "with 4 calls",
        "A second plan is empty",
        "OpenAI can use the key.",
        "decisions are as they must be",
        "and 2 of one stranger: arn:aws:iam::111122223333:role/analyst",
        "Drift finds the statement that was added by hand, and nothing else",
        "The evidence of it is written",
        "watch the key, the role and themselves",
        "The alarm key-disabled came after",
        "Validation fails, in AWS's own words",
        "OpenAI can use the key again",
        "Refused, because deletion protection is on",
        "Still refused: the project is active",
        "The registration at OpenAI is gone",
        "waits for its deletion",
        "their processes are gone",
    ):
        assert claim in summary
    assert len(re.findall(r"… \d+\.\d s", page)) == len(document["steps"]) == 13
    assert "✗" not in page
    assert "sk-admin-" not in page + run.stdout
    assert list(temporary.iterdir()) == []
    address = re.search(r"file://(\S+)/index\.html", summary)
    assert address is not None
    check_the_pack(Path(unquote(address[1])), programs / "ekm", tmp_path / "auditor")


def check_the_pack(written: Path, ekm: Path, elsewhere: Path) -> None:
    """Verify the pack in a folder of its own, and refuse it after each of 20 tamperings.

    The demo signs nothing: the check says that nothing differs, and that nobody vouches for it.
    """
    pack = elsewhere / "pack"
    shutil.copytree(written, pack)
    run = subprocess.run(
        [ekm, "evidence", "verify", pack, "--json"],
        cwd=elsewhere,
        env={"HOME": str(elsewhere), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 8, run.stderr
    assert json.loads(run.stdout)["differences"] == []
    files = {str(each.relative_to(pack)): each.read_bytes() for each in pack.rglob("*.*")}
    for number, tampering in enumerate(tamperings(files, 20, seed=13)):
        found = verify(open_pack(str(write(elsewhere / str(number), tampering.files))))
        assert found.holds is False, tampering.kind
        assert {each.path for each in found.differences} & tampering.named, tampering.kind


def test_a_kept_demo_outlives_its_program_and_stops_as_it_says(tmp_path: Path) -> None:
    """Guards against: a kept demo that is gone when the prompt is back, or cannot be ended.

    What lies between is the whole story's; tests/integration/test_examples.py looks around.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", KEPT],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    [stop] = [line for line in lines if line.startswith("kill ")]
    processes = family(*map(int, re.findall(r"\d+", stop.partition(";")[0])))
    assert len(processes) >= 4
    try:
        [source] = [line for line in lines if line.startswith("source ")]
        [asked] = [line for line in lines if line.endswith("/requests")]
        answer = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{source}\n{asked}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert '"requests"' in answer.stdout, answer.stderr
    finally:
        subprocess.run(["bash", "-c", stop], check=False, timeout=240)
    assert ended(processes)
    assert not Path(stop.rpartition(" ")[2]).exists()


def _interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)


def _terminate(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("send", [_interrupt, _terminate])
def test_an_interrupted_demo_leaves_nothing(
    tmp_path: Path, send: Callable[[subprocess.Popen[str]], None]
) -> None:
    """Ctrl-C, or a CI job that is cancelled, would leave servers, Terraform and files behind."""
    with demo(tmp_path / "t") as running:
        running.read_until("terraform apply")
        processes = _with_terraform(running.process.pid)
        send(running.process)
        page = running.finish()
    assert running.process.returncode == 130
    assert "Interrupted." in page
    assert "Traceback" not in page
    assert ended([each for each in processes if each.pid != running.process.pid])
    assert list((tmp_path / "t").iterdir()) == []


def _with_terraform(pid: int) -> list[psutil.Process]:
    """Wait until Terraform runs below a process; return everything below it."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        processes = family(pid)
        names = set()
        for process in processes:
            try:
                names.add(process.name())
            except psutil.NoSuchProcess:
                continue
        if any(name.startswith("terraform-provider") for name in names):
            return processes
        time.sleep(0.01)
    raise AssertionError("Terraform was never started.")


def test_a_failing_step_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    """A demo that fails would end in a traceback, and with servers running."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "terraform").write_text(
        "#!/bin/sh\n[ \"$1\" = init ] || { echo 'Error: the disk is full' >&2; exit 1; }\n"
    )
    (tools / "terraform").chmod(0o755)
    with demo(tmp_path / "t", path=f"{tools}{os.pathsep}{os.environ['PATH']}") as running:
        running.read_until("OpenAI")
        processes = family(running.process.pid)
        page = running.finish()
    assert running.process.returncode == 1
    assert "Step 2 (Create key, policy and role" in page
    assert "the disk is full" in page
    assert "Traceback" not in page
    assert ended([each for each in processes if each.pid != running.process.pid])
    assert list((tmp_path / "t").iterdir()) == []


def test_without_terraform_one_line_says_what_to_do(tmp_path: Path) -> None:
    """A user without Terraform would wait for servers to start before hearing of it."""
    with demo(tmp_path / "t", path=str(tmp_path)) as running:
        page = running.finish()
    assert running.process.returncode == 2
    assert "error[terraform_missing]: Terraform was not found on PATH." in page
    assert "1. Start" not in page
