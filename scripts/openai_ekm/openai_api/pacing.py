"""No more calls a minute than OpenAI has been seen to allow, over all processes of a user.

OpenAI's Admin API has been seen to allow 7 to 10 calls a minute and endpoint, without rate
headers. A window over the calls made (rather than a bucket that refills, which lets up to
burst plus rate pass in a minute) never passes more than the limit in any 60 seconds, and
lets a whole fresh registration through at once. A 429 that one process meets narrows the
window for all, which then recovers; those who wait are served in the order in which they came.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from filelock import FileLock, Timeout

from openai_ekm.files import make_private_folder, write_atomically
from openai_ekm.json_reader import read_json
from openai_ekm.openai_api import constants, rate_limit
from openai_ekm.openai_api.rate_limit import Window

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Book", "MemoryBook", "Pacer", "Unpaced", "WindowPacer", "state_folder"]

_LOCK_TIMEOUT = 10.0  # seconds; the lock is held for one small read and write

T = TypeVar("T")
Windows = dict[str, Window]


class Pacer(Protocol):
    """Waits before a call; `waited` is the sum, which no deadline is to be charged with."""

    waited: float

    def wait(self, endpoint: str) -> None:
        """Return when a call to the endpoint may be made, counting it."""
        ...

    def back_off(self, endpoint: str, seconds: float) -> None:
        """Let nobody call the endpoint for so many seconds: it answered 429."""
        ...


class Unpaced:
    """`EKM_CALLS_PER_MINUTE=0`."""

    waited = 0.0

    def wait(self, endpoint: str) -> None:
        """Return at once."""

    def back_off(self, endpoint: str, seconds: float) -> None:
        """Remember nothing."""


class Book(Protocol):
    """Keeps the windows of all endpoints; one change at a time."""

    def change(self, change: Callable[[Windows], T]) -> T:
        """Apply a change to the windows, and keep them as it left them."""
        ...


class MemoryBook:
    """For one process alone: where no file can be written, and in simulations."""

    def __init__(self) -> None:
        self._windows: Windows = {}
        self._lock = threading.Lock()

    def change(self, change: Callable[[Windows], T]) -> T:
        """Apply a change."""
        with self._lock:
            return change(self._windows)


class FileBook:
    """A file under a lock, for all processes of a user.

    Args:
        base_url: Calls to different hosts are counted apart.
        folder: Where the file is. When it cannot be written, or another user could change what is
            in it, this process alone counts.
    """

    def __init__(self, base_url: str, folder: Path) -> None:
        self._folder = folder
        self._name = f"calls-{hashlib.sha256(base_url.encode()).hexdigest()[:16]}.json"
        self._alone = MemoryBook()

    def change(self, change: Callable[[Windows], T]) -> T:
        """Apply a change to what the file has."""
        with contextlib.ExitStack() as stack:
            try:
                file = make_private_folder(self._folder) / self._name
                stack.enter_context(FileLock(f"{file}.lock", timeout=_LOCK_TIMEOUT, mode=0o600))
                windows = _read(file)
            except (OSError, Timeout):
                return self._alone.change(change)
            result = change(windows)
            try:
                _write(file, windows)
            except OSError:
                return self._alone.change(change)
            return result


class WindowPacer:
    """At most so many calls to an endpoint in any window, shared by all who keep the same book.

    Args:
        calls_per_minute: To each endpoint; positive.
        base_url: Calls to different hosts are counted apart.
        folder: Where the counts are kept, for all processes of the user.
        book: Where they are kept instead.
        clock: Seconds since the epoch: processes have no other clock in common.
        sleep: Takes seconds.
        progress: Takes a line for stderr, for a wait of more than two seconds.
    """

    def __init__(
        self,
        calls_per_minute: int,
        base_url: str,
        *,
        folder: Path | None = None,
        book: Book | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.waited = 0.0
        self._limit = calls_per_minute
        self._clock = clock
        self._sleep = sleep
        self._progress = progress
        self._book = book or FileBook(base_url, folder or state_folder())

    def wait(self, endpoint: str) -> None:
        """Return when a call to the endpoint may be made, counting it.

        A caller that is interrupted while it waits leaves the queue.
        """
        ticket = secrets.token_hex(8)
        told = False
        while True:
            left, nap = self._change(
                endpoint, lambda mine, now: mine.turn(ticket, self._limit, now)
            )
            if left <= 0:
                return
            if left > constants.TELL_AFTER and not told:
                told = True
                self._progress(
                    f"Waiting {left:.0f} s: at most {self._limit} calls a minute to {endpoint} "
                    "(EKM_CALLS_PER_MINUTE)."
                )
            try:
                self._sleep(nap)
            except BaseException:
                self._change(endpoint, lambda mine, _now: mine.leave(ticket))
                raise
            self.waited += nap

    def back_off(self, endpoint: str, seconds: float) -> None:
        """Let nobody call for so long, and let fewer calls through for some time after that."""
        self._change(endpoint, lambda mine, now: mine.refused(seconds, self._limit, now))

    def _change(self, endpoint: str, change: Callable[[Window, float], T]) -> T:
        def changed(windows: Windows) -> T:
            now = self._clock()
            for name in [name for name, other in windows.items() if other.empty(now)]:
                del windows[name]
            return change(windows.setdefault(endpoint, Window()), now)

        return self._book.change(changed)


def state_folder() -> Path:
    """Return where this user keeps state: `XDG_STATE_HOME`, or `~/.local/state`."""
    home = os.environ.get("XDG_STATE_HOME") or ""
    try:
        base = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:  # no home directory: the pacer then counts alone
        base = Path("/nonexistent")
    return base / "openai-ekm"


def _read(file: Path) -> Windows:
    try:
        value = read_json(file.read_text(encoding="utf-8"))
        return {str(name): rate_limit.parse(found) for name, found in value.items()}
    except (FileNotFoundError, ValueError, AttributeError, TypeError, KeyError):
        return {}


def _write(file: Path, windows: Windows) -> None:
    write_atomically(file, json.dumps({name: found.as_json() for name, found in windows.items()}))
