"""A fleet as a real process: Ctrl-C, the table on a terminal, pacing between processes."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import pty
import re
import signal
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from openai_ekm.cli.fleet_progress import FleetProgress
from openai_ekm.errors import NotReachable
from openai_ekm.fleet.run import Outcome
from openai_ekm.openai_api import pacing, rate_limit
from openai_ekm.openai_api.pacing import FileBook, WindowPacer
from openai_ekm.openai_api.rate_limit import Window
from tests.doubles.fleet_world import entries
from tests.doubles.slow_openai import SlowOpenAI, command, fleet_file, slow_openai

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openai_ekm.openai_api.pacing import Windows

URL = "https://api.openai.com/v1"
T = TypeVar("T")


@pytest.fixture
def slow() -> Iterator[SlowOpenAI]:
    """A server of its own."""
    with slow_openai() as server:
        yield server


def test_ctrl_c_lets_what_is_sent_be_answered_and_leaves_the_rest(
    slow: SlowOpenAI, tmp_path: Path
) -> None:
    """Guards against: Ctrl-C leaves creates whose answers nobody reads, or goes on for an hour."""
    fleet_file(tmp_path, 6)
    told = tmp_path / "stderr"
    with told.open("wb") as stderr:
        process = command(slow, tmp_path, stdout=subprocess.PIPE, stderr=stderr)
    assert slow.begun.wait(240)
    process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + 240
    while "Stopping" not in told.read_text("utf-8"):  # it has heard the signal
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)  # creates are sent, and not answered
    slow.let(10)
    out, _ = process.communicate(timeout=240)
    err = told.read_text("utf-8")
    assert process.returncode == 130, err
    assert "Traceback" not in err
    made = len(slow.openai.keys)
    assert 1 <= made <= 2
    assert re.match(rf"{made} registered, 0 failed, {6 - made} not begun", out), out
    # No record is left in doubt, no lock is held: the rest is done without a second look.
    process = command(slow, tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert len(slow.openai.keys) == 6
    assert out.startswith("6 registered, 0 failed, 0 not begun")


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_leaves_at_once_and_the_next_run_finds_what_was_made(
    slow: SlowOpenAI, tmp_path: Path, first: signal.Signals
) -> None:
    """Guards against: a run that only SIGKILL ends, or a create that is sent twice."""
    fleet_file(tmp_path, 3)
    process = command(slow, tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert slow.begun.wait(240)
    process.send_signal(first)
    assert process.stderr is not None
    for line in process.stderr:  # the first one is told, and heard
        if line.startswith("Stopping"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    slow.finish()
    env = {"EKM_LIST_LAG_SECONDS": "0"}
    process = command(slow, tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert out.startswith("3 registered, 0 failed, 0 not begun")
    assert len(slow.openai.keys) == 3


@pytest.mark.parametrize("made", range(4))
def test_killed_fleet_is_finished_by_the_next_run(
    slow: SlowOpenAI, tmp_path: Path, made: int
) -> None:
    """Guards against: a run after a crash that registers again, or leaves entries out."""
    fleet_file(tmp_path, 4)
    slow.let(made)
    process = command(slow, tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    slow.wait_for(lambda: len(slow.openai.keys) >= made)
    assert slow.begun.wait(240)
    process.kill()
    process.wait(240)
    slow.finish()
    env = {"EKM_LIST_LAG_SECONDS": "0"}
    process = command(slow, tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert out.startswith("4 registered, 0 failed, 0 not begun")
    assert sorted(key["name"] for key in slow.openai.keys.values()) == [
        f"key-{number}" for number in range(4)
    ]


@pytest.mark.parametrize("no_color", ["", "1"])
def test_the_table_is_drawn_on_a_terminal_and_taken_away(
    slow: SlowOpenAI, tmp_path: Path, no_color: str
) -> None:
    """Guards against: a screen full of copies of the table, or of nothing at all."""
    fleet_file(tmp_path, 3)
    master, terminal = pty.openpty()
    slow.let(10)
    process = command(
        slow,
        tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        env={"NO_COLOR": no_color} if no_color else {},
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(240) == 0
    text = shown.decode()
    assert len(re.findall(r"\[\d/3\] key-\d: created extkey_\d", text)) == 3
    drawn, erased = text.count("running\r\n"), len(re.findall(r"\x1b\[\d+A\x1b\[J", text))
    assert drawn == erased > 0
    assert "\x1b[3" not in text  # no colours: nothing failed


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_the_board_names_what_runs_and_what_failed() -> None:
    """Guards against: a failure scrolls away with the table, or lines are drawn without an end."""
    moment = 0.0

    def clock() -> float:
        return moment

    fleet = entries(3)
    for stream in (Terminal(), io.StringIO()):
        board = FleetProgress(3, stream=stream, clock=clock)
        board.started(fleet[0])
        board.started(fleet[1])
        moment += 61.0
        board.said(fleet[0], "Waiting 30 s: at most 7 calls a minute.")
        failure = NotReachable("wait_deadline", "It took too long.", remedy="Check.")
        board.ended(Outcome(fleet[1], failure=failure))
        board.close()
        text = stream.getvalue()
        assert "key-0" in text
        assert "Waiting 30 s" in text
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)  # a terminal shows the id in colour
        assert "[1/3] key-1: error[wait_deadline]: It took too long. Check." in plain
        assert ("\x1b[" in text) is stream.isatty()
        assert not text.endswith("running\n") or not stream.isatty()


@pytest.mark.parametrize(("columns", "rows"), [(40, 6), (10, 3), (1, 1)])
def test_the_table_fits_a_small_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int, rows: int
) -> None:
    """Guards against: lines that wrap or scroll out, and are never taken away."""
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((columns, rows)))
    moment = 0.0
    stream = Terminal()
    board = FleetProgress(9, stream=stream, clock=lambda: moment)
    for entry in entries(9):
        board.started(entry)
        moment += 1.0
        board.said(entry, "Waiting 30 s: at most 7 calls a minute to that endpoint.")
    drawn = stream.getvalue().rpartition("\x1b[J")[2].splitlines()
    assert 1 <= len(drawn) < max(rows, 2)
    assert all(len(line) < max(columns, 1) for line in drawn)
    board.close()
    assert stream.getvalue().endswith(f"\x1b[{len(drawn)}A\x1b[J")


class ToldBook(FileBook):
    """The file that all processes share; tells, still under its lock, of every call counted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(URL, folder / "state")
        self._log = folder / "log"

    def change(self, change: Callable[[Windows], T]) -> T:
        """Apply a change; log who called, who waited before, and which calls still counted."""

        def told(windows: Windows) -> T:
            mine = windows.get("POST /k", Window())
            calls, queue = list(mine.calls), [place.ticket for place in mine.queue]
            result = change(windows)
            mine = windows["POST /k"]
            counted = [call for call in mine.calls if call in calls]
            if len(mine.calls) > len(counted):
                left = {place.ticket for place in mine.queue}
                ahead = [ticket for ticket in queue if ticket in left]
                served = next((n for n, ticket in enumerate(queue) if ticket not in left), None)
                line = {
                    "who": os.getpid(),
                    "at": mine.calls[-1],
                    "ahead": len(ahead) if served is None else served,
                    "counted": len(counted),
                }
                with self._log.open("a") as log:
                    log.write(json.dumps(line) + "\n")
            return result

        return super().change(told)


def call_in_turn(folder: Path, go: Any) -> None:
    """A process that makes calls one after the other, in short windows."""
    rate_limit.SPAN = 1.5  # type: ignore[misc]
    pacing._LOCK_TIMEOUT = 240.0  # one of them may be stopped while it has the lock
    pacer = WindowPacer(3, URL, book=ToldBook(folder))
    go.wait()
    for _ in range(4):
        pacer.wait("POST /k")


def test_processes_share_the_pace_and_keep_the_calls_of_those_who_wait(tmp_path: Path) -> None:
    """Guards against: processes that are too fast together, or take another one's turn."""
    context = multiprocessing.get_context("spawn")
    go = context.Barrier(3)
    running = [
        context.Process(target=call_in_turn, args=(tmp_path, go), daemon=True) for _ in range(3)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join(300)
    assert [process.exitcode for process in running] == [0, 0, 0]
    told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert sorted(Counter(call["who"] for call in told).values()) == [4, 4, 4]
    # In the order of the lock, which no machine's load can turn round.
    for call in told:
        assert call["counted"] + call["ahead"] < 3, call
    moments = [call["at"] for call in told]
    assert all(later - first >= 1.5 for first, later in zip(moments, moments[3:], strict=False))
