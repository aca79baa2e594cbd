"""The report of the demo: steps with their times, facts, checks, and a summary."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from openai_ekm.errors import CheckFailed, EkmError

WIDTH = 100  # of prose; tables and ARNs are as wide as they are

__all__ = ["Report", "Step"]

Say = Callable[[str], None]


@dataclass
class Step:
    """One step of the story.

    Attributes:
        number: From 1.
        title: What it does.
        facts: What was made or found, by name.
        checks: What was checked and holds.
        seconds: How long it took.
    """

    number: int
    title: str
    facts: dict[str, str] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    seconds: float = 0


class Report:
    """Tells the story line by line, and remembers it.

    Args:
        say: Takes each line.
        clock: Seconds, going up.
    """

    def __init__(self, say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self.steps: list[Step] = []
        self._say = say
        self._clock = clock
        self._began = clock()

    @property
    def seconds(self) -> float:
        """Return the seconds since the beginning."""
        return self._clock() - self._began

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Tell a step; an error in it says which step it was.

        Args:
            title: What it does.
        """
        step = Step(len(self.steps) + 1, title)
        self.steps.append(step)
        self._say("")
        self._say(f"{step.number}. {title}")
        began = self._clock()
        try:
            yield step
        except EkmError as error:
            error.message = f"Step {step.number} ({title}): {error.message}"
            error.args = (error.message,)
            raise
        step.seconds = self._clock() - began
        self._say(f"   … {step.seconds:.1f} s")

    def text(self, *lines: str) -> None:
        """Tell paragraphs of the current step, wrapped."""
        for line in lines:
            for part in textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False):
                self._say(f"   {part}")

    def lines(self, *lines: str) -> None:
        """Tell lines as they are."""
        for line in lines:
            self._say(f"   {line}")

    def command(self, *words: str) -> None:
        """Tell the command that a person would type here."""
        self._say(f"   $ {' '.join(words)}")

    def fact(self, name: str, value: str) -> None:
        """Tell and remember something that was made or found."""
        self.steps[-1].facts[name] = value
        self._say(f"   {name:<17} {value}")

    def check(self, claim: str, *, holds: bool, found: str = "") -> None:
        """Tell a check; one that does not hold ends the story.

        Args:
            claim: What is to hold, as a sentence.
            holds: Whether it does.
            found: What was found instead.

        Raises:
            CheckFailed: It does not hold.
        """
        if not holds:
            self._say(f"   ✗ {claim}")
            raise CheckFailed(
                "demo_check_failed",
                f"this does not hold: {claim}{f' Found: {found}' if found else ''}",
                remedy="Read what the step printed before it.",
            )
        self.steps[-1].checks.append(claim)
        self._say(f"   ✓ {claim}")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Tell a table with columns as wide as they need to be."""
        widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
        for row in (head, ["─" * width for width in widths], *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self._say("   " + "  ".join(cells).rstrip())

    def summary(self) -> None:
        """Tell what was found and every check, once more and in one place."""
        self._say("")
        self._say(f"Summary: {self.total_checks} checks hold, {self.seconds:.0f} s.")
        for name in ("external key id", "project id", "role", "key", "evidence"):
            for step in self.steps:
                if name in step.facts:
                    self._say(f"   {name:<17} {step.facts[name]}")
                    break
        for step in self.steps:
            for claim in step.checks:
                self._say(f"   ✓ {step.number}. {claim}")

    @property
    def total_checks(self) -> int:
        """Return how many checks hold."""
        return sum(len(step.checks) for step in self.steps)

    def as_json(self) -> dict[str, object]:
        """Return the story as `--json` prints it."""
        return {
            "holds": True,
            "seconds": round(self.seconds, 1),
            "steps": [
                {
                    "number": step.number,
                    "title": step.title,
                    "seconds": round(step.seconds, 1),
                    "facts": step.facts,
                    "checks": step.checks,
                }
                for step in self.steps
            ],
        }
