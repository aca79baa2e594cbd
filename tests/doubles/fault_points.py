"""The points of a run at which something can go wrong, and how a run ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from tests.doubles.faults_stage import Stage


class Killed(BaseException):
    """The process is gone: nothing that it would do from here on happens."""


@dataclass(frozen=True)
class Wire:
    """An answer on the wire; one that is cut breaks off in the middle of its body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False


@dataclass
class Point:
    """A moment of a run at which something can go wrong.

    Args:
        stage: Where it happens.
        run: The process.
        kind: `http`, `ssm` or `file`.
        label: What is asked.
        commit: Carries it out, and returns its outcome.
        request: The HTTP request, else None.
    """

    stage: Stage
    run: Run
    kind: str
    label: str
    commit: Callable[[], Any]
    request: requests.PreparedRequest | None = None


Mishap = Any  # a callable that takes a Point and returns what `commit` would


@dataclass
class Run:
    """One process: its points in order, and the mishaps that are due at some of them."""

    stage: Stage
    mishaps: Mapping[int, Mishap] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    dead: bool = False

    def at(
        self,
        kind: str,
        label: str,
        commit: Callable[[], Any],
        request: requests.PreparedRequest | None = None,
    ) -> Any:
        """Pass a point."""
        if self.dead:
            raise Killed
        mishap = self.mishaps.get(len(self.labels))
        self.labels.append(f"{kind} {label}")
        if mishap is None:
            return commit()
        return mishap(Point(self.stage, self, kind, label, commit, request))

    def die(self) -> Killed:
        """End the process."""
        self.dead = True
        return Killed()


@dataclass(frozen=True)
class Outcome:
    """How a process ended: its exit code and error id, `killed` for one that was."""

    code: int | str
    id: str = ""
    message: str = ""
    remedy: str | None = None
    result: Any = None

    def __str__(self) -> str:
        return f"{self.code} {self.id}".strip()
