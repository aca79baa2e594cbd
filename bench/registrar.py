"""Calls of a registration against the minimum, and overshoot after IAM settled, on a virtual clock.

    python bench/registrar.py

Real are registrar, client, pacer and the emulator's application; time passes only when somebody
waits, so the figures are the same on every machine. No figure fails the run: the tests judge.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.doubles.faults_stage import Stage  # noqa: E402 - see above
from tests.faults.settling import Settled, settled  # noqa: E402 - once it can be found

from openai_ekm.registration.iam_wait import FLOOR  # noqa: E402 - see above

if TYPE_CHECKING:
    from collections.abc import Callable

SETTLES = range(121)  # seconds


@dataclass(frozen=True)
class Calls:
    """One story, and the fewest calls with which it can be told.

    Attributes:
        story: In words.
        least: Calls, by reason.
        run: Tells it; returns the stage after it.
    """

    story: str
    least: dict[str, int]
    run: Callable[[Stage], object]


def _without_record(stage: Stage) -> None:
    stage.lose_record()
    stage.register(projects=("prod", "test", "dev"))


STORIES = (
    Calls(
        "fresh, one project",
        {"list": 1, "create": 1, "validate": 1, "project": 1},
        lambda stage: stage.register(),
    ),
    Calls("the same again", {"get": 1, "validate": 1}, lambda stage: stage.register()),
    Calls(
        "two projects more",
        {"get": 1, "validate": 1, "projects": 2},
        lambda stage: stage.register(projects=("prod", "test", "dev")),
    ),
    Calls(
        "record lost: adopt registration and projects",
        {"list": 1, "validate": 1, "list projects": 1},
        _without_record,
    ),
    Calls(
        "retire with three projects",
        {"get": 1, "archive": 3, "get again": 1, "delete": 1},
        lambda stage: stage.retire(),
    ),
)


def calls() -> list[str]:
    """Tell each story on one organization, one after the other."""
    rows = [f"{'calls to OpenAI':46} {'made':>5} {'least':>6} {'ratio':>6}"]
    stage = Stage()
    for story in STORIES:
        before = len(stage.emulator.requests)
        story.run(stage)
        made, least = len(stage.emulator.requests) - before, sum(story.least.values())
        rows.append(f"{story.story:46} {made:5} {least:6} {made / least:6.2f}")
    stage.close()
    return rows


def overshoot(calls_per_minute: int) -> list[str]:
    """Register with IAM that settles after 0 to 120 seconds, in steps of one."""
    found: list[Settled] = [settled(seconds, calls_per_minute) for seconds in SETTLES]
    pace = f"{calls_per_minute} calls a minute" if calls_per_minute else "unpaced"
    rows = []
    for low, high in ((0, 4), (5, 61), (62, 120)):
        some = [one for one in found if low <= one.settles <= high]
        late = [one.seen - one.settles for one in some]
        shares = [(one.seen - one.settles) / max(one.settles, FLOOR) for one in some]
        rows.append(
            f"{pace:18} {f'{low} to {high} s':>12} {max(late):7.1f} s"
            f" {statistics.mean(late):6.1f} s"
            f" {max(shares):7.1%} {statistics.mean(shares):7.1%} {max(o.creates for o in some):6}"
            f" {max(o.held for o in some):6.1f} s"
        )
    return rows


def main() -> int:
    """Print both tables."""
    print("\n".join(calls()))
    print()
    print(
        f"{'IAM settles after':31} {'late, most':>9} {'mean':>8} {'share':>7} {'mean':>7}"
        f" {'tries':>6} {'held up':>8}"
    )
    for calls_per_minute in (7, 10, 0):
        print("\n".join(overshoot(calls_per_minute)))
    print(
        f"Share: of the time that IAM took, or of {FLOOR:.0f} s where it took less. Held up: by "
        "the pacing.\nLeast worst share under 7 calls in 62 s: 59.7 % in the first window, 10.4 % "
        "in the second (docs/decisions/0007)."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
