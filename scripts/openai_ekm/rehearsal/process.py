"""Processes that never outlive their starter: a command that ends, a server that is waited for."""

from __future__ import annotations

import os
import signal
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from openai_ekm.errors import BadInput, NotReachable
from openai_ekm.files import create_private_file
from openai_ekm.rehearsal.process_guard import STAY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import ExitStack
    from types import TracebackType
    from typing import Self

__all__ = ["INTERRUPT_SECONDS", "GuardedProcess", "Run", "Server", "keep", "run_command"]

INTERRUPT_SECONDS = 60.0  # Terraform ends within seconds when interrupted, a busy machine later


@dataclass(frozen=True, slots=True)
class Run:
    """One finished command of Terraform.

    Attributes:
        words: The command, without the program's path.
        exit_code: Terraform's own.
        stdout: Standard output.
        stderr: Standard error.
        seconds: How long it took.
    """

    words: tuple[str, ...]
    exit_code: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)
    seconds: float

    @property
    def ok(self) -> bool:
        """Return whether it ended with exit code 0."""
        return self.exit_code == 0

    @property
    def output(self) -> str:
        """Return both streams."""
        return self.stdout + self.stderr

    @property
    def said(self) -> str:
        """Return both streams without Terraform's frames and line breaks, to look for sentences."""
        return " ".join(self.output.replace("│", " ").replace("╷", " ").replace("╵", " ").split())

    def errors(self, lines: int = 60) -> str:
        """Return what Terraform printed from its first error on, or the last lines of all.

        Args:
            lines: How many at most.
        """
        place = self.stderr.find("Error:")
        if place < 0:
            return "\n".join(self.output.strip().splitlines()[-lines:])
        return "\n".join(self.stderr[place:].strip().splitlines()[:lines])


def run_command(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Run:
    """Run a command to its end; when this process is interrupted, so is the command.

    Args:
        command: The words, the program's path first.
        folder: Where it runs.
        environment: Its whole environment; this process's when absent.
    """
    started = time.monotonic()
    # The guard ends the command when the write end closes, whatever becomes of this process.
    ours, held = os.pipe()
    try:
        with subprocess.Popen(  # nosec B603 # starting Terraform is its job, without a shell
            keep(command, INTERRUPT_SECONDS),
            cwd=folder,
            env=None if environment is None else dict(environment),
            stdin=ours,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # so that only we decide what an interruption does to it
        ) as process:
            try:
                stdout, stderr = process.communicate()
            except BaseException:
                process.terminate()
                process.communicate()
                raise
    finally:
        os.close(ours)
        os.close(held)
    seconds = time.monotonic() - started
    return Run(tuple(command[1:]), process.returncode, stdout, stderr, seconds)


GRACE_SECONDS = 3.0  # between SIGTERM and SIGKILL; LocalStack sometimes never ends by itself
GUARD = Path(__file__).with_name("process_guard.py")
POLL_SECONDS = 0.02  # how often a condition is looked at


def keep(command: Sequence[str], grace: float) -> list[str]:
    """Return the words that run a command and end it when standard input closes, or on SIGTERM.

    Args:
        command: The words to run.
        grace: Seconds between SIGTERM and SIGKILL.
    """
    return [sys.executable, "-I", str(GUARD), str(grace), *command]


class GuardedProcess:
    """A command in a process group of its own, ended together with this process.

    Args:
        command: The words to run.
        environment: The whole environment of the command.
        folder: Where its standard output (`out`) and error (`log`) are kept.
        grace: Seconds between SIGTERM and SIGKILL when it is stopped.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self.command = tuple(command)
        self.grace = grace
        folder.mkdir(parents=True, exist_ok=True)
        self._out = folder / "out"
        self._log = folder / "log"
        with create_private_file(self._out) as out, create_private_file(self._log) as log:
            self._guard = subprocess.Popen(  # nosec B603 # starting LocalStack is its job, without a shell
                keep(command, grace),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=log,
                env=dict(environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the process group, and the pid of the process that keeps the command."""
        return self._guard.pid

    @property
    def running(self) -> bool:
        """Return whether the command still runs."""
        return self._guard.poll() is None

    @property
    def output(self) -> str:
        """Return what it has written to standard output so far."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def log(self) -> str:
        """Return what it has written to standard error so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, condition: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Wait until a condition holds.

        Args:
            condition: Looked at every few milliseconds.
            what: What is waited for, for the message.
            seconds: The deadline.

        Raises:
            NotReachable: The process ended first, or the deadline passed.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.running:
                code = self.stop()
                raise NotReachable(
                    "server_ended",
                    f"{what} ended while it was starting (exit code {code}).",
                    at_fault=self._last_words(),
                    remedy="Read its output above; run again when the cause is gone.",
                )
            if time.monotonic() > deadline:
                self.stop()
                raise NotReachable(
                    "server_not_ready",
                    f"{what} was not ready after {seconds:.0f} s.",
                    at_fault=self._last_words(),
                    remedy="Read its output above; a busy machine may need a longer deadline.",
                )
            time.sleep(POLL_SECONDS)

    def wait(self, seconds: float) -> int | None:
        """Wait until it has ended by itself.

        Args:
            seconds: The deadline.

        Returns:
            Its exit code; None when the deadline passed.
        """
        try:
            return self._guard.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> int:
        """End it: SIGTERM, then SIGKILL after the grace. Harmless when it has ended.

        Returns:
            Its exit code.
        """
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        if self.running:
            self._guard.terminate()
        try:
            return self._guard.wait(self.grace + 2)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            return self._guard.wait()

    def leave_running(self) -> None:
        """Let it outlive this process; whoever wants it gone ends `pid`, with SIGTERM."""
        if self._guard.stdin is not None:
            self._guard.stdin.write(STAY)
            self._guard.stdin.close()

    def _last_words(self) -> str:
        return "\n".join((self.output + self.log).strip().splitlines()[-15:]) or "(no output)"


class Server:
    """A server and what goes with it; use it as a context manager, or call `stop`.

    Args:
        process: The process, or None for a LocalStack that somebody else started.
        resources: What ends with it.
    """

    def __init__(self, process: GuardedProcess | None, resources: ExitStack) -> None:
        self._process = process
        self._resources = resources

    @property
    def pid(self) -> int:
        """Return the process group to look at, for sockets and memory."""
        if self._process is None:
            raise BadInput(
                "localstack_not_ours", "This LocalStack was not started by the rehearsal."
            )
        return self._process.pid

    @property
    def log(self) -> str:
        """Return what it has printed so far."""
        return "" if self._process is None else self._process.output + self._process.log

    def leave_running(self) -> None:
        """Let it outlive this process; it was started with a `folder` of its own."""
        if self._process is not None:
            self._process.leave_running()
        self._resources.pop_all()

    def stop(self) -> None:
        """Stop it, when the rehearsal started it; harmless when called twice."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
