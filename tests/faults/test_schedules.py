"""Two registrars of one intent, in every order of their steps, with crashes and lost answers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.registration.protocol import (
    Age,
    ArchiveProject,
    CreateKey,
    CreateProject,
    DeleteKey,
    Elapsed,
    ProtocolDriver,
    Step,
    Wait,
)
from openai_ekm.registration.record import State
from openai_ekm.registration.register import register
from openai_ekm.registration.retire import RetireRequest, retire
from tests.doubles.openai import lost_after_commit, lost_before_commit
from tests.doubles.registration_world import BASE_URL, INTENT, PLACE, MemoryStore, World
from tests.doubles.registration_world import WANTED as PATIENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai_ekm.registration.runner import Runner

WANTED = replace(PATIENT, list_lag=5.0)  # two looks at a list: more say nothing new here
FAULTY = (CreateKey, CreateProject, DeleteKey, ArchiveProject)
STEP, LOST_BEFORE, LOST_AFTER, CRASH = "step", "lost_before", "lost_after", "crash"
Action = tuple[int, str]


class Actor:
    """One run, advanced a step at a time; after a crash it starts anew."""

    def __init__(self, world: World, make: Any) -> None:
        self._world = world
        self._make = make
        self.result: Any = None
        self.failure: Exception | None = None
        self.start()

    def start(self) -> None:
        """Begin a run."""
        self._runner: Runner
        self._store: MemoryStore
        self._runner, self._store = self._world.runner()
        self._protocol = self._make()
        self._walk: ProtocolDriver[Step, Any] = ProtocolDriver(self._protocol)
        self.pending: Step | None = next(self._walk)

    def act(self, action: str) -> None:
        """Carry the pending step out, in one of the ways it can go."""
        if action == CRASH:
            self._world.shelf.dead.add(self._store.token)
            self._walk.close()
            self.start()
            return
        assert self.pending is not None
        wire: Any = self._runner._api._transport
        wire.calls = 0
        fault = {LOST_BEFORE: lost_before_commit, LOST_AFTER: lost_after_commit}.get(action)
        wire.faults = {0: fault} if fault else {}
        self._walk.outcome = 0.0  # of Elapsed and Wait: time stands still, so that states repeat
        if isinstance(self.pending, Age):
            self._walk.outcome = 3600.0
        elif not isinstance(self.pending, Elapsed | Wait):
            try:
                self._walk.outcome = self._runner.carry_out(self.pending)
            except Exception as raised:  # noqa: BLE001 - the protocol decides what it means
                self._walk.failure = raised
        try:
            self.pending = next(self._walk)
        except StopIteration:
            self.pending, self.result = None, self._walk.result
            self._store.release()
        except Exception as raised:  # noqa: BLE001 - a test looks at it
            self.pending, self.failure = None, raised
            self._store.release()

    def fingerprint(self) -> str:
        """Where the run is, with everything that its next steps depend on."""
        frames = []
        generator = self._protocol
        while generator is not None and generator.gi_frame is not None:
            frame = generator.gi_frame
            local = {k: v for k, v in frame.f_locals.items() if k not in {"failure", "iam_wait"}}
            shown = re.sub(r" at 0x[0-9a-f]+", "", repr(local))  # functions: what they close
            frames.append((frame.f_code.co_name, frame.f_lasti, shown))  # over is shown beside
            generator = generator.gi_yieldfrom
        return repr((frames, self.pending, self._store.number, self.result, self.failure))


@dataclass(frozen=True)
class Bounds:
    """How much may go wrong in one schedule."""

    crashes: int
    lost: int


def replay(
    schedule: tuple[Action, ...], makes: list[Any], begin: Callable[[], World]
) -> tuple[World, list[Actor]]:
    """The world after a schedule."""
    world = begin()
    actors = [Actor(world, make) for make in makes]
    for index, action in schedule:
        actors[index].act(action)
    return world, actors


def actions(schedule: tuple[Action, ...], actors: list[Actor], bounds: Bounds) -> Iterator[Action]:
    """What can happen next."""
    crashed = sum(action == CRASH for _, action in schedule)
    lost = sum(action in {LOST_BEFORE, LOST_AFTER} for _, action in schedule)
    for index, actor in enumerate(actors):
        if actor.pending is None:
            continue
        yield index, STEP
        if lost < bounds.lost and isinstance(actor.pending, FAULTY):
            yield index, LOST_BEFORE
            yield index, LOST_AFTER
        if crashed < bounds.crashes:
            yield index, CRASH


def ends(
    makes: list[Any], bounds: Bounds, begin: Callable[[], World] = World
) -> list[tuple[World, list[Actor]]]:
    """Every world in which a schedule ends; a state that was seen is not gone on from."""
    found: list[tuple[World, list[Actor]]] = []
    seen: set[str] = set()
    waiting: list[tuple[Action, ...]] = [()]
    while waiting:
        schedule = waiting.pop()
        world, actors = replay(schedule, makes, begin)
        spent = (
            sum(action == CRASH for _, action in schedule),
            sum(action in {LOST_BEFORE, LOST_AFTER} for _, action in schedule),
        )
        shelf = world.shelf
        state = repr(
            (
                spent,
                [actor.fingerprint() for actor in actors],
                shelf.record,
                sorted(n for n, token in shelf.claims.items() if token not in shelf.dead),
                json.dumps([world.openai.keys, world.openai.projects]),
            )
        )
        if state in seen:
            continue
        seen.add(state)
        possible = list(actions(schedule, actors, bounds))
        if not possible:
            found.append((world, actors))
        waiting += [(*schedule, action) for action in possible]
    assert found, "no schedule ended"
    return found


@pytest.mark.parametrize(
    "bounds", [Bounds(0, 0), Bounds(1, 0), Bounds(0, 1), Bounds(1, 1)], ids=str
)
def test_two_registrars_end_as_one_registration_in_every_order(bounds: Bounds) -> None:
    """Guards against: two keys or projects of two runs, one killed or one answer lost."""
    makes = [lambda: register(WANTED), lambda: register(WANTED)]
    for world, actors in ends(makes, bounds):
        assert [actor.failure for actor in actors] == [None, None]
        world.check()
        assert {actor.result.external_key_id for actor in actors} == {
            world.openai.matching("prod")[0]
        }


def test_two_registrars_that_want_different_projects_make_each_once() -> None:
    """Guards against: a run with one more project loses the other's, or makes it twice."""
    more = replace(WANTED, projects=("prod", "test"))
    makes = [lambda: register(WANTED), lambda: register(more)]
    for world, actors in ends(makes, Bounds(1, 0)):
        assert [actor.failure for actor in actors] == [None, None]
        world.check(("prod", "test"))


def test_registrar_killed_at_every_step_ends_well_when_run_again() -> None:
    """Guards against: a crash at some step, or two, makes the next run create a second one."""
    for world, actors in ends([lambda: register(WANTED)], Bounds(2, 1)):
        assert actors[0].failure is None
        world.check()


def registered(projects: tuple[str, ...] = ()) -> World:
    """A world with a registration."""
    world = World()
    world.register(replace(WANTED, projects=projects))
    return world


def test_retire_killed_at_every_step_resumes_and_deletes_once() -> None:
    """Guards against: a crash in a retire that leaves a registration unknown to anybody."""
    unwanted = RetireRequest(PLACE, BASE_URL, INTENT, list_lag=5.0, delete_record=True)
    for world, actors in ends([lambda: retire(unwanted)], Bounds(2, 1), registered):
        assert actors[0].failure is None
        assert world.openai.keys == {}
        assert world.shelf.record is None


def test_retire_that_archives_resumes_at_every_step() -> None:
    """Guards against: a crash before the delete that leaves a registration, or archives twice."""
    unwanted = RetireRequest(PLACE, BASE_URL, INTENT, list_lag=5.0, confirm="extkey_1")
    for world, actors in ends(
        [lambda: retire(unwanted)], Bounds(2, 1), lambda: registered(("prod", "test"))
    ):
        assert actors[0].failure is None
        assert world.openai.keys == {}
        assert world.openai.active("prod") == []
        assert world.shelf.record is not None
        assert world.shelf.record.state is State.RETIRED


def test_register_and_retire_at_once_end_as_one_of_the_two() -> None:
    """Guards against: a registration made while the other run retires is lost from the record."""
    unwanted = RetireRequest(PLACE, BASE_URL, INTENT, list_lag=5.0)
    wanted = replace(WANTED, projects=())
    for world, actors in ends(
        [lambda: register(wanted), lambda: retire(unwanted)], Bounds(1, 0), registered
    ):
        assert [actor.failure for actor in actors] == [None, None]
        record = world.shelf.record
        assert record is not None
        live = [record.live_id] if record.live_id else []
        assert world.openai.matching("prod") == live
