"""What a rehearsal starts ends with it, whatever ends the rehearsal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from openai_ekm.errors import NotReachable
from openai_ekm.rehearsal.process import GuardedProcess

if TYPE_CHECKING:
    from pathlib import Path

# Prints its pid, then ignores SIGTERM when told to, and lives until it is killed.
SERVER = """
import os, signal, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(600)
"""
STARTER = f"""
import sys, time
from pathlib import Path
from openai_ekm.rehearsal.process import GuardedProcess
command = [sys.executable, "-c", {SERVER!r}]
process = GuardedProcess(command, environment={{}}, folder=Path(sys.argv[1]))
process.wait_until(lambda: "\\n" in process.output, what="it", seconds=120)
print(process.output, end="", flush=True)
time.sleep(600)
"""


def start(folder: Path, *words: str, grace: float = 3.0) -> tuple[GuardedProcess, int]:
    """Start the server above and return it with the server's own pid."""
    process = GuardedProcess(
        [sys.executable, "-c", SERVER, *words],
        environment=os.environ,
        folder=folder,
        grace=grace,
    )
    process.wait_until(lambda: "\n" in process.output, what="the server", seconds=120)
    return process, int(process.output)


def gone(pid: int, seconds: float = 120) -> bool:
    """Wait until a process is no more."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def test_stop_ends_it_at_once(tmp_path: Path) -> None:
    """Every test run would leave its servers behind, or wait out the grace for each."""
    process, pid = start(tmp_path, grace=300)
    started = time.monotonic()
    assert process.stop() == 128 + signal.SIGTERM
    assert time.monotonic() - started < 200
    assert gone(pid)
    assert not process.running


def test_stop_kills_what_ignores_sigterm(tmp_path: Path) -> None:
    """A server that hangs in its shutdown, as LocalStack's sometimes does, would stay for ever."""
    process, pid = start(tmp_path, "stubborn", grace=0.2)
    # The guard kills it; where the guard itself does not get to it in time, both are killed.
    assert process.stop() in {128 + signal.SIGKILL, -signal.SIGKILL}
    assert gone(pid)


def test_stop_twice_is_harmless(tmp_path: Path) -> None:
    """A context manager left after an explicit stop would raise."""
    process, _ = start(tmp_path)
    assert process.stop() == process.stop()


def test_it_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    """A killed test run, which can clean nothing up, would leave LocalStack running."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.kill()
    starter.communicate()
    assert gone(pid)


def test_ctrl_c_is_the_starters_to_handle(tmp_path: Path) -> None:
    """Ctrl-C in a terminal would end the servers before the demo has destroyed what it made."""
    process, pid = start(tmp_path)
    assert os.getpgid(pid) != os.getpgid(0)
    os.kill(process.pid, signal.SIGINT)
    with pytest.raises(psutil.TimeoutExpired):
        psutil.Process(process.pid).wait(0.5)
    process.stop()


def test_an_early_end_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """A server that cannot start would be waited for until the deadline, and say nothing."""
    process = GuardedProcess(
        [sys.executable, "-c", "import sys; sys.exit('no such port')"],
        environment=os.environ,
        folder=tmp_path,
    )
    with pytest.raises(NotReachable, match="ended while it was starting") as caught:
        process.wait_until(lambda: False, what="It", seconds=120)
    assert caught.value.id == "server_ended"
    assert "no such port" in str(caught.value.at_fault)


def test_a_deadline_ends_the_wait_and_the_process(tmp_path: Path) -> None:
    """A server that never gets ready would hang the run."""
    process, pid = start(tmp_path)
    with pytest.raises(NotReachable, match="not ready after 0 s") as caught:
        process.wait_until(lambda: False, what="It", seconds=0.1)
    assert caught.value.id == "server_not_ready"
    assert gone(pid)
