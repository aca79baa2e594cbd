"""Longer stories than pairs, by chance: runs that meet anything, and people who meddle.

`EKM_FAULTS_EXAMPLES` says how many stories (`make faults` tries more of them).
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from openai_ekm.registration.record import State
from tests.doubles.faults_stage import Stage
from tests.faults.mishaps import FILE, HTTP, PROCESS, SSM, Mishap

if TYPE_CHECKING:
    from tests.doubles.fault_points import Point

EXAMPLES = int(os.environ.get("EKM_FAULTS_EXAMPLES", "40"))
STEPS = 8
ANYWHERE = tuple(PROCESS.values())
CLOCK = (PROCESS["clock_forward"], PROCESS["clock_back"])
BY_KIND = {
    "http": (*HTTP.values(), *ANYWHERE),
    "ssm": (*SSM.values(), *ANYWHERE),
    "file": (*FILE.values(), *ANYWHERE),
}
# Points of a run -> which of the mishaps that fit there.
CHANCES = st.dictionaries(st.integers(0, 30), st.integers(0, 999), max_size=4)


def drawn(number: int, *, clock: bool) -> Mishap:
    """A mishap that is chosen once it is known at what point it happens.

    Args:
        number: Chooses among those that fit the point.
        clock: Whether the clock may jump.
    """

    def happens(point: Point) -> object:
        fitting = [m for m in BY_KIND[point.kind] if clock or m not in CLOCK]
        return fitting[number % len(fitting)](point)

    return Mishap("by chance", happens)


class Stories(RuleBasedStateMachine):
    """One intent in the hands of processes that fail, and of people."""

    def __init__(self) -> None:
        super().__init__()
        self.folder: tempfile.TemporaryDirectory[str] | None = None
        self.projects: tuple[str, ...] = ("prod",)
        self.retired = False
        self.lag = 0.0

    @initialize(
        record=st.sampled_from(["ssm", "file"]),
        lag=st.sampled_from([0, 0, 20, 60]),
        short=st.booleans(),
    )
    def begin(self, record: str, lag: float, short: bool) -> None:
        """An organization whose lists may lag and leave the external id out; a kind of record."""
        self.lag = lag
        self.folder = tempfile.TemporaryDirectory() if record == "file" else None
        self.stage = Stage(Path(self.folder.name) if self.folder else None)
        self.stage.set(
            list_delay_seconds=lag, read_delay_seconds=lag, external_id_in_lists=not short
        )

    @rule(chances=CHANCES)
    def register(self, chances: dict[int, int]) -> None:
        """A run that meets mishaps."""
        self.stage.register(self.mishaps(chances), self.projects)
        self.check()

    @rule(chances=CHANCES)
    def retire(self, chances: dict[int, int]) -> None:
        """A retire that meets mishaps."""
        self.stage.retire(self.mishaps(chances))
        self.check()

    def mishaps(self, chances: dict[int, int]) -> dict[int, Mishap]:
        """What the run meets. The clock jumps only where lists do not lag: see `jump`."""
        return {at: drawn(number, clock=not self.lag) for at, number in chances.items()}

    @rule(seconds=st.sampled_from([1, 30, 100, 4000]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.stage.now += seconds

    # Both at once is where certainty ends (docs/reliability.md); test_lag.py has what is left then.
    @precondition(lambda self: not self.lag)
    @rule(seconds=st.sampled_from([-90000, -300, 300, 90000]))
    def jump(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.stage.skew += seconds

    @rule(projects=st.sampled_from([("prod",), ("prod", "test"), ("test",)]))
    def want(self, projects: tuple[str, ...]) -> None:
        """The configuration is changed."""
        self.projects = projects

    @rule()
    def lose_record(self) -> None:
        """Somebody cleans up; lists have caught up by then."""
        if self.stage.record() is not None:
            self.stage.now += 200
            self.stage.lose_record()

    @precondition(lambda self: self.stage.projects())
    @rule()
    def archive_by_hand(self) -> None:
        """Somebody archives a project in OpenAI's settings, some time after it was made."""
        self.stage.now += 200
        self.stage.store.save_project(replace(self.stage.projects()[0], archived_at=self.stage.now))
        self.stage.now += 200

    def check(self) -> None:
        """Never two, not even for a moment: the lag is within the bound."""
        assert len(self.stage.registrations()) <= 1
        names = [project.name for project in self.stage.projects()]
        assert len(names) == len(set(names))

    def teardown(self) -> None:
        """A clean run ends every story well."""
        if not hasattr(self, "stage"):
            return
        try:
            self.end()
        finally:
            self.stage.close()
            if self.folder:
                self.folder.cleanup()

    def end(self) -> None:
        """Run without mishaps, at once and when lists have caught up, and look."""
        outcome = self.stage.register(projects=self.projects)
        # A list that lagged behind a delete showed one that is gone.
        assert outcome.code == 0 or str(outcome) == "4 openai_gone", outcome
        self.check()
        self.stage.now += 60  # until then a project whose archiving was cut short seems active
        outcome = self.stage.register(projects=self.projects)
        assert outcome.code == 0, outcome
        record = self.stage.record()
        assert record is not None
        assert record.state is State.REGISTERED
        assert not record.in_doubt
        assert record.creating is None
        assert [row.id for row in self.stage.registrations()] == [record.external_key_id]
        for name in self.projects:
            active = [project.id for project in self.stage.projects() if project.name == name]
            assert active == [record.projects[name]]


Stories.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


TestStories = Stories.TestCase
