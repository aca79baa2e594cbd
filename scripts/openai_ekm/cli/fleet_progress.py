"""How a fleet's run looks: a table that redraws itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

from openai_ekm.cli import render
from openai_ekm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.fleet.manifest import Entry
    from openai_ekm.fleet.run import Outcome

__all__ = ["FleetProgress"]

REDRAW: float = 0.5  # seconds between two drawings of the table
TELL_EVERY: float = 60.0  # seconds between two plain lines about those who wait
SHOWN = 16  # entries in the table


class FleetProgress:
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
        # None when stderr is closed, and with -q
        self._stream: TextIO | None = stream or (None if render.is_quiet() else sys.stderr)
        self._live = _can_redraw(self._stream)
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
            self._print((f"[{self._done}/{self._total}] ", *_ending(outcome)))
            self._refresh(now=True)

    def stopping(self) -> None:
        """Say that a person asked for the end."""
        with self._lock:
            self._erase()
            self._print("Stopping: what is sent is waited for. Ctrl-C again leaves at once.")
            self._refresh(now=True)

    def close(self) -> None:
        """Leave the last lines as they are."""
        with self._lock:
            self._erase()

    def _refresh(self, *, now: bool = False) -> None:
        every = REDRAW if self._live else TELL_EVERY
        if not (now and self._live) and self._clock() - self._last < every:
            return
        self._last = self._clock()
        if self._live:
            self._erase()
            table = self._table()
            for line in table:
                self._print(line)
            self._drawn = len(table)
        elif self._running:
            name, line = next(iter(self._running.items()))
            self._print(f"{self._summary()}; {name}: {line}")

    def _table(self) -> list[str]:
        width, height = shutil.get_terminal_size()
        # What has scrolled out at the top cannot be taken away again.
        names = list(self._running)[: max(0, min(SHOWN, height - 2))]
        column = max((len(name) for name in names), default=0)
        lines = [f"  {name.ljust(column)}  {self._running[name]}" for name in names]
        # Escaped before it is cut: a line that wraps would not be taken away whole.
        return [printable(line)[: width - 1] for line in (*lines, self._summary())]

    def _summary(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{self._done} of {self._total} done{failed}, {len(self._running)} running"

    def _print(self, line: render.Line) -> None:
        self._write(render.rendered(line, self._stream) + "\n")

    def _erase(self) -> None:
        """Take the table away again."""
        if self._drawn:
            self._write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _write(self, text: str) -> None:
        """Write; a terminal that is gone must not end what the entries do."""
        try:
            if self._stream is not None:
                self._stream.write(text)
                self._stream.flush()
        except OSError:
            self._stream, self._live = None, False


def _can_redraw(stream: TextIO | None) -> bool:
    """Return whether lines can be taken away again: on a terminal that is not a dumb one."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def _ending(outcome: Outcome) -> tuple[str | render.Styled, ...]:
    name = outcome.entry.name
    failure = outcome.failure
    if failure is None:
        assert outcome.registered is not None  # nosec B101 # narrows the type
        made = outcome.registered
        return (f"{name}: {made.how} {made.external_key_id}",)
    remedy = f" {failure.remedy}" if failure.remedy else ""
    head = render.Styled(f"error[{failure.id}]", "red")
    return (f"{name}: ", head, f": {failure.message}{remedy}")
