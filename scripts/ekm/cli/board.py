"""How a fleet's run looks: a table that redraws itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

from ekm.cli import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekm.registrar.fleet.manifest import Entry
    from ekm.registrar.fleet.run import Outcome

__all__ = ["Board"]

REDRAW: float = 0.5  # seconds between two drawings of the table
TELL_EVERY: float = 60.0  # seconds between two plain lines about those who wait
SHOWN = 16  # entries in the table


class Board:
    """Told by several threads; a line for each entry that ended, and what the others wait for.

    Args:
        total: Entries in all.
        stream: Where to draw; stderr.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        total: int,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, str] = {}
        self._done = 0
        self._failed = 0
        self._drawn = 0
        self._last = clock()

    def started(self, entry: Entry) -> None:
        """Show it as running."""
        with self._lock:
            self._running[entry.name] = "begun"
            self._refresh()

    def said(self, entry: Entry, line: str) -> None:
        """Show the line beside the entry."""
        with self._lock:
            self._running[entry.name] = line
            self._refresh()

    def ended(self, outcome: Outcome) -> None:
        """Print the entry's line for good."""
        with self._lock:
            self._running.pop(outcome.entry.name, None)
            self._done += 1
            self._failed += outcome.failure is not None
            self._erase()
            self._print(f"[{self._done}/{self._total}] {_ending(outcome)}")
            self._refresh(now=True)

    def close(self) -> None:
        """Leave the last lines as they are."""
        with self._lock:
            self._erase()
            self._stream.flush()

    def _refresh(self, *, now: bool = False) -> None:
        every = REDRAW if self._live else TELL_EVERY
        if not (now and self._live) and self._clock() - self._last < every:
            return
        self._last = self._clock()
        if self._live:
            self._erase()
            for line in self._table():
                self._print(line)
                self._drawn += 1
        elif self._running:
            name, line = next(iter(self._running.items()))
            self._print(f"{self._summary()}; {name}: {line}")

    def _table(self) -> list[str]:
        width = shutil.get_terminal_size().columns
        names = list(self._running)[:SHOWN]
        column = max((len(name) for name in names), default=0)
        lines = [f"  {name.ljust(column)}  {self._running[name]}" for name in names]
        return [line[: width - 1] for line in (*lines, self._summary())]

    def _summary(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{self._done} of {self._total} done{failed}, {len(self._running)} running"

    def _print(self, line: str) -> None:
        self._stream.write(line + "\n")

    def _erase(self) -> None:
        """Take the table away again."""
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0


def _ending(outcome: Outcome) -> str:
    name = outcome.entry.name
    failure = outcome.failure
    if failure is None:
        assert outcome.registered is not None
        made = outcome.registered
        return f"{name}: {made.how} {made.external_key_id}"
    head = render.styled(f"error[{failure.id}]", stream_is_stdout=False, fg="red", bold=True)
    remedy = f" {failure.remedy}" if failure.remedy else ""
    return f"{name}: {head}: {failure.message}{remedy}"
