"""Every point of a drill with everything that can go wrong there: access is never lost for good.

After each schedule access is as it was, or the note stands and the next run makes it so.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.drill import key_policy, runner
from openai_ekm.drill.note import Method
from openai_ekm.drill.steps import Interrupted
from openai_ekm.errors import EkmError
from openai_ekm.evaluation import policies
from openai_ekm.policy import parse_document
from openai_ekm.registration import protocol
from tests.doubles.drill_world import Killed, World, no_answer, order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from openai_ekm.policy import Document, DocumentKind

METHODS = (Method.KEY_POLICY, Method.DISABLE_KEY)
Fault = Callable[[World], None]


@pytest.fixture(autouse=True, scope="module")
def _read_each_policy_once() -> Iterator[None]:
    """Keep what the text of a policy says: a schedule has the same few as the one before."""
    parsed = functools.cache(parse_document)

    def once(value: Any, kind: DocumentKind) -> Document:
        return parsed(value, kind) if isinstance(value, str) else parse_document(value, kind)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "parse_document", once)
        patch.setattr(key_policy, "parse_document", once)
        patch.setattr(key_policy, "digest", functools.cache(key_policy.digest))
        yield


def lost(_world: World) -> None:
    """The answer, or the question, is lost."""
    raise no_answer()


def ctrl_c(world: World) -> None:
    """Somebody presses Ctrl-C."""
    world.interrupt()


def killed(_world: World) -> None:
    """SIGKILL, or the power."""
    raise Killed


FAULTS: dict[str, Fault] = {"lost": lost, "ctrl-c": ctrl_c, "killed": killed}
WHEN = ("before", "after")
Point = tuple[int, str, str]


def faulty(world: World, *points: Point, lasting: bool = False) -> None:
    """Make a fault happen at each of the points; a lasting one from there on."""

    def fault(number: int, step: str, when: str) -> None:
        for at, moment, name in points:
            if step == "sleep" and name == "lost":
                continue  # no answer is waited for
            if when == moment and (number == at or (lasting and number > at)):
                FAULTS[name](world)

    world.fault = fault


def survived(world: World, wanted: Any) -> str:
    """Run the drill and say how it ended."""
    try:
        world.revoke(wanted)
    except (EkmError, Interrupted, Killed) as ended:
        return type(ended).__name__
    return "done"


def check(world: World, schedule: object, *, by_itself: bool) -> None:
    """Access is back, or the note stands and a run gives it back, whatever came before.

    Args:
        world: After the run.
        schedule: What went wrong, for the message.
        by_itself: Whether that run had to give access back, since it lived and AWS answered.
    """
    assert world.open or not by_itself, schedule
    if world.note is None:
        assert world.open, schedule
        return
    world.holder = None  # a dead run's claim lapses
    world.restore()
    assert world.open, schedule
    assert world.note is None, schedule


def points_of(method: Method, hold: float = 0.0) -> int:
    """How many exchanges a drill has without faults."""
    world = World()
    world.revoke(order(method=method, hold=hold))
    assert world.open
    assert world.note is None
    return world.calls


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("lag", [0, 1, 3])
def test_any_one_fault_at_any_point(method: Method, lasting: bool, lag: int) -> None:
    """Guards against: a fault, Ctrl-C or crash that leaves OpenAI cut off and tells nobody."""
    ends = set()
    wanted = order(method=method, hold=40.0)
    points = points_of(method, 40.0)
    assert points > 15
    for at, when, name in itertools.product(range(1, points + 1), WHEN, FAULTS):
        world = World(lag=lag)
        faulty(world, (at, when, name), lasting=lasting)
        ends.add((name, survived(world, wanted)))
        by_itself = name == "ctrl-c" or (name == "lost" and not lasting)
        check(world, (at, when, name), by_itself=by_itself)
    assert ("ctrl-c", "Interrupted") in ends
    assert ("killed", "Killed") in ends
    assert ("lost", "NotReachable") in ends


@pytest.mark.parametrize("method", METHODS)
def test_any_two_faults_at_any_points(method: Method) -> None:
    """Guards against: the second failure, on the way back from the first, leaves OpenAI cut off."""
    wanted = order(method=method)
    points = points_of(method) + 6  # the way back from the first is longer than the straight one
    single = [
        (at, when, name)
        for at, when, name in itertools.product(range(6, points + 1), WHEN, FAULTS)
        if (when, name) != ("before", "killed")  # the same as after the exchange before
    ]
    tried = 0
    for first, second in itertools.combinations(single, 2):
        if first[0] == second[0] or first[2] == "killed":
            continue
        world = World()
        faulty(world, first, second)
        tried += 1
        survived(world, wanted)
        check(world, (first, second), by_itself=second[2] != "killed")
    assert tried > 1000


@pytest.mark.parametrize("method", METHODS)
def test_the_run_after_a_crash_is_killed_too(method: Method) -> None:
    """Guards against: a restore that cannot be repeated, or that deletes the note too early."""
    points = points_of(method)
    for at in range(1, points + 1):
        crashed = World()
        faulty(crashed, (at, "after", "killed"))
        survived(crashed, order(method=method))
        if crashed.note is None:
            continue
        for second in range(1, 12):
            world = World(policy=crashed.policy, state=crashed.state, note=crashed.note)
            faulty(world, (second, "after", "killed"))
            survived(world, order(method=method))
            check(world, (at, second), by_itself=False)


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_at_any_line_of_the_runner(method: Method) -> None:
    """Guards against: a signal between two steps that keeps access from being given back."""
    places = {inspect.getsourcefile(module) for module in (runner, protocol, contextlib)}
    line, wanted = 0, order(method=method)
    while True:
        world = World()
        line += 1
        passed = survived_signal_at_line(world, wanted, line, places)
        assert world.open, line
        assert world.note is None, line
        if passed < line:
            break
    assert line > 300


def survived_signal_at_line(world: World, wanted: Any, line: int, places: set[Any]) -> int:
    """Press Ctrl-C before the line of that number, counted as they run; return the lines run."""
    passed = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal passed
        if frame.f_code.co_filename not in places:
            return None
        if event == "line":
            passed += 1
            if passed == line:
                world.interrupt()
        return trace

    def traced() -> Iterator[None]:
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            survived(world, wanted)
        finally:
            sys.settrace(before)
        yield

    # Where Python is about to handle an exception, which no signal can interrupt, one raised by a
    # tracer stays handled for good, as the context of whatever fails later. A generator has a
    # state of its own for that, and takes it along.
    next(traced())
    assert sys.exception() is None
    return passed


@pytest.mark.parametrize("method", METHODS)
def test_second_drill_after_a_crash_gives_back_and_stops(method: Method) -> None:
    """Guards against: a drill that overwrites a standing note with the policy of the cut."""
    world = World()
    faulty(world, (1 + world_point(method), "after", "killed"))
    assert survived(world, order(method=method)) == "Killed"
    assert not world.open
    world.dead = False
    world.fault = lambda _number, _step, _when: None
    world.holder = None
    with pytest.raises(EkmError) as ended:
        world.revoke(order(method=method, id="drill-2", confirm=None))
    assert ended.value.id == "drill_was_standing"
    assert world.open
    assert world.note is None


def world_point(method: Method) -> int:
    """The number of the exchange before the cut."""
    world = World()
    world.revoke(order(method=method))
    name = "PutPolicy" if method is Method.KEY_POLICY else "DisableKey"
    return world.steps.index(name)
