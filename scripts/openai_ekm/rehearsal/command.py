"""Run a command to its end, with everything it says kept, and never leave it behind."""

from __future__ import annotations

import os
import subprocess  # nosec B404 # each call says below why it is safe
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openai_ekm.rehearsal.process import keep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["INTERRUPT_SECONDS", "Run", "run_command"]

INTERRUPT_SECONDS = 15.0  # Terraform ends its running operations within seconds when interrupted


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
