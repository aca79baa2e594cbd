"""No more calls a minute than OpenAI has been seen to allow, over all processes of a user.

OpenAI's Admin API has been seen to allow 7 to 10 calls a minute and endpoint, without rate
headers. A window over the calls made (rather than a bucket that refills, which lets up to
burst plus rate pass in a minute) never passes more than the limit in any 60 seconds, and
lets a whole fresh registration through at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from filelock import FileLock, Timeout

from ekm.admin_api import constants

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pacer", "Unpaced", "WindowPacer", "state_folder"]

_LOCK_TIMEOUT = 10.0  # seconds; the lock is held for one small read and write

Calls = dict[str, list[float]]


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


class WindowPacer:
    """At most so many calls to an endpoint in any 60 seconds, counted in a file under a lock.

    Args:
        calls_per_minute: To each endpoint; positive.
        base_url: Calls to different hosts are counted apart.
        folder: Where the counts are kept; when it cannot be written, this process alone counts.
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
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.waited = 0.0
        self._limit = calls_per_minute
        self._clock = clock
        self._sleep = sleep
        self._progress = progress
        name = hashlib.sha256(base_url.encode()).hexdigest()[:16]
        self._file = (folder or state_folder()) / f"calls-{name}.json"
        self._own: Calls = {}

    def wait(self, endpoint: str) -> None:
        """Return when a call to the endpoint may be made, counting it."""
        told = False
        while (seconds := self._take(endpoint)) > 0:
            if seconds > constants.TELL_AFTER and not told:
                told = True
                self._progress(
                    f"Waiting {seconds:.0f} s: at most {self._limit} calls a minute to {endpoint} "
                    "(EKM_CALLS_PER_MINUTE)."
                )
            self._sleep(seconds)
            self.waited += seconds

    def back_off(self, endpoint: str, seconds: float) -> None:
        """Fill the window so that the next call is `seconds` away."""
        moment = self._clock() + min(seconds, constants.LONGEST_RETRY_AFTER) - constants.WINDOW

        def fill(calls: Calls) -> float:
            calls[endpoint] = [max(moment, 0.0)] * self._limit
            return 0.0

        self._update(fill)

    def _take(self, endpoint: str) -> float:
        """Count a call and return 0, or return the seconds until one may be made."""

        def take(calls: Calls) -> float:
            now = self._clock()
            for name, moments in list(calls.items()):
                calls[name] = [moment for moment in moments if counts(moment, now)][-self._limit :]
                if not calls[name]:
                    del calls[name]
            mine = calls.setdefault(endpoint, [])
            if len(mine) < self._limit:
                mine.append(now)
                return 0.0
            return max(mine[0] + constants.WINDOW - now, 0.01)

        return self._update(take)

    def _update(self, change: Callable[[Calls], float]) -> float:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(f"{self._file}.lock", timeout=_LOCK_TIMEOUT):
                calls = _read(self._file)
                result = change(calls)
                temporary = self._file.with_suffix(f".{os.getpid()}")
                temporary.write_text(json.dumps(calls), encoding="utf-8")
                temporary.replace(self._file)
                return result
        except (OSError, Timeout):
            return change(self._own)


def counts(moment: float, now: float) -> bool:
    """Whether a call still counts: in the window, or ahead by a back-off of up to 120 s.

    A moment further ahead means that the clock was set back: it is forgotten, so that nobody
    waits for it.
    """
    ahead = constants.LONGEST_RETRY_AFTER - constants.WINDOW
    return now - constants.WINDOW < moment <= now + ahead


def state_folder() -> Path:
    """Where this user keeps state: `XDG_STATE_HOME`, or `~/.local/state`."""
    home = os.environ.get("XDG_STATE_HOME") or ""
    try:
        base = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:  # no home directory: the pacer then counts alone
        base = Path("/nonexistent")
    return base / "openai-ekm"


def _read(file: Path) -> Calls:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        return {
            str(name): sorted(float(moment) for moment in moments)
            for name, moments in value.items()
        }
    except (FileNotFoundError, ValueError, AttributeError, TypeError):
        return {}
