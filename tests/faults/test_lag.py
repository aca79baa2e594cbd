"""Lists and reads that lag behind a create: looked at so long, then settled by what they show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openai_ekm.registration.consistency import LIST_LAG, lag_left, look_delays
from tests.doubles.faults_stage import BEGIN, Stage
from tests.faults.mishaps import HTTP, PROCESS
from tests.faults.reliability import points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOST = HTTP["reset_after"]
NOT_SENT = HTTP["connection_refused"]
NOT_DONE = HTTP["reset_before"]
CREATE, CREATE_PROJECT = "http POST external_keys", "http POST projects"


@pytest.fixture
def stage() -> Iterator[Stage]:
    """An organization with registrations of others, and a record in SSM."""
    points("register", "ssm")  # asked for here, since it takes a stage of its own
    points("again", "ssm")
    made = Stage()
    yield made
    made.close()


def lag(stage: Stage, seconds: float) -> None:
    """Let lists and reads show what was so many seconds ago."""
    stage.set(list_delay_seconds=seconds, read_delay_seconds=seconds)


def lost(label: str, mishap: object = LOST) -> Mapping[int, object]:
    """A mishap at a create of a fresh registration."""
    return {points("register", "ssm").index(label): mishap}


def created(stage: Stage) -> int:
    """How many registrations were ever made."""
    return len(stage.made())


@pytest.mark.parametrize("seconds", [0, 1, 5, 20, 60, 74])
@pytest.mark.parametrize("label", [CREATE, CREATE_PROJECT])
def test_lost_create_is_found_when_lists_lag_within_the_bound(
    stage: Stage, label: str, seconds: float
) -> None:
    """Guards against: a list that lags makes a run create a second registration or project."""
    mishaps = lost(label)
    lag(stage, seconds)
    outcome = stage.register(mishaps)
    assert outcome.code == 0, outcome
    assert created(stage) == 1
    stage.check_registered()


@pytest.mark.parametrize("label", [CREATE, CREATE_PROJECT])
def test_create_that_was_not_done_is_sent_again_only_after_the_bound(
    stage: Stage, label: str
) -> None:
    """Guards against: a failed create that is never repeated, or repeated too soon."""
    outcome = stage.register(lost(label, NOT_DONE))
    assert outcome.code == 0, outcome
    path = f"/v1/organization/{label.removeprefix('http POST ')}"
    [sent] = [
        c["at"] for c in stage.emulator.requests if (c["method"], c["path"]) == ("POST", path)
    ]
    assert sent - BEGIN >= LIST_LAG
    stage.check_registered()


def test_create_that_never_left_is_sent_again_at_once(stage: Stage) -> None:
    """Guards against: a connection that was refused, which is certain, costs minutes of looking."""
    began = stage.now
    outcome = stage.register(lost(CREATE, NOT_SENT))
    assert (outcome.code, stage.now - began) == (0, 0.5)
    stage.check_registered()


@pytest.mark.parametrize("label", [CREATE, CREATE_PROJECT])
@pytest.mark.parametrize("seconds", [30, 60, 74])
def test_killed_create_is_found_by_the_next_run(stage: Stage, label: str, seconds: float) -> None:
    """Guards against: a run after a crash that looks once, too early, and creates again."""
    mishaps = lost(label, PROCESS["killed_after"])
    lag(stage, seconds)
    assert stage.register(mishaps).code == "killed"
    stage.parameters.values.pop("/openai-ekm/prod/claim-1")  # the lease is not what is tried
    outcome = stage.register()
    assert outcome.code == 0, outcome
    assert created(stage) == 1
    stage.check_registered()


@pytest.mark.parametrize("seconds", [30, 60, 74])
def test_killed_create_of_a_project_on_an_old_key_is_found(stage: Stage, seconds: float) -> None:
    """Guards against: a project of an old key that is made twice when its run is killed."""
    stage.register(projects=())
    stage.now += 1000
    lag(stage, seconds)
    asked = ("http GET external_keys/{id}", "http POST external_keys/{id}/validate")
    before = points("again", "ssm")
    assert [p for p in before if p.startswith("http")] == list(asked)
    create = len(before[: before.index(asked[1]) + 1]) + 3  # look, note the create, look, create
    assert stage.register({create: PROCESS["killed_after"]}).code == "killed"
    assert stage.runs[-1].labels[-1] == CREATE_PROJECT
    stage.parameters.values.pop("/openai-ekm/prod/claim-2")
    outcome = stage.register()
    assert outcome.code == 0, outcome
    stage.sighted()
    stage.check_registered()


@pytest.mark.parametrize("projects", [("prod",), ("prod", "test")])
@pytest.mark.parametrize("seconds", [30, 60, 74])
def test_run_right_after_another_creates_nothing(
    stage: Stage, seconds: float, projects: tuple[str, ...]
) -> None:
    """Guards against: reads that lag make the second apply of the day register the key again."""
    lag(stage, seconds)
    assert stage.register().code == 0
    outcome = stage.register(projects=projects)
    assert outcome.code == 0, outcome
    assert created(stage) == 1
    stage.check_registered(projects)


@pytest.mark.parametrize("skew", [-86400, 86400])
def test_clock_that_jumped_and_lists_that_lag_end_as_one(stage: Stage, skew: float) -> None:
    """Guards against: two registrations because a record seems a day old."""
    lag(stage, 60)
    stage.register(projects=())
    stage.skew += skew
    outcome = stage.register(projects=())
    assert outcome.code == 0, outcome
    stage.sighted()
    stage.check_registered(())


def test_retire_that_takes_a_young_one_for_gone_hides_it_from_no_later_run(stage: Stage) -> None:
    """Guards against: a clock set forward that hides a registration from all later runs."""
    lag(stage, 20)
    stage.register(projects=())
    stage.skew += 300
    assert stage.retire().result.how == "gone"
    outcome = stage.register(projects=())
    assert outcome.code == 0, outcome
    assert "deleting" in "".join(stage.runs[-1].lines)
    stage.sighted()
    stage.check_registered(())


def test_lag_beyond_the_bound_ends_as_one_all_the_same(stage: Stage) -> None:
    """Guards against: lists that lag for longer than was assumed leave two registrations."""
    mishaps = lost(CREATE)
    lag(stage, LIST_LAG + 40)
    outcome = stage.register(mishaps)
    assert outcome.code == 0, outcome
    assert outcome.result.how == "adopted"
    assert created(stage) == 2
    assert "deleting" in "".join(stage.runs[-1].lines)
    stage.sighted()
    stage.check_registered()


def test_lag_without_end_is_told_and_settled_by_a_later_run(stage: Stage) -> None:
    """Guards against: two registrations stay, and nobody is told; or the next run makes a third."""
    mishaps = lost(CREATE)
    lag(stage, 1000)
    outcome = stage.register(mishaps)
    assert str(outcome) == "5 lists_lag"
    record = stage.record()
    assert record is not None
    assert record.in_doubt
    assert str(record.external_key_id) in outcome.message
    for again in (stage.register(), stage.retire(), stage.register()):
        assert str(again) == "5 lists_lag"
        assert created(stage) == 2
    stage.now += 1000
    final = stage.register()
    assert final.code == 0, final
    assert created(stage) == 2
    stage.sighted()
    stage.check_registered()


def test_doubt_that_was_for_nothing_keeps_what_was_made(stage: Stage) -> None:
    """Guards against: a record that stays marked in doubt after a create came to nothing."""
    mishaps = lost(CREATE, NOT_DONE)
    lag(stage, 1000)
    assert str(stage.register(mishaps)) == "5 lists_lag"
    stage.now += 1000
    assert stage.register().code == 0
    assert created(stage) == 1
    stage.sighted()
    stage.check_registered()
    assert "in_doubt" not in stage.parameters.values["/openai-ekm/prod/record"][0]


def test_second_project_beyond_the_bound_is_told_and_nothing_archived(stage: Stage) -> None:
    """Guards against: a project made twice is archived by the registrar, or nobody learns of it."""
    mishaps = lost(CREATE_PROJECT)
    lag(stage, LIST_LAG + 40)
    outcome = stage.register(mishaps)
    assert str(outcome) == "6 several_projects"
    assert len(stage.projects()) == 2
    stage.sighted()
    assert str(stage.register()) == "6 several_projects"  # until a person has chosen
    record = stage.record()
    assert record is not None
    other = next(p for p in stage.projects() if p.id not in record.projects.values())
    stage.store.save_project(replace(other, archived_at=stage.now))
    assert stage.register().code == 0
    stage.check_registered()


@pytest.mark.parametrize("seconds", [0, 60])
def test_retire_after_a_lost_create_finds_it(stage: Stage, seconds: float) -> None:
    """Guards against: a destroy after a killed apply that finds and deletes nothing."""
    mishaps = lost(CREATE, PROCESS["killed_after"])
    lag(stage, seconds)
    stage.register(mishaps)
    stage.parameters.values.pop("/openai-ekm/prod/claim-1")  # or the lease outlasts the lag
    outcome = stage.retire(delete_record=True)
    assert outcome.code == 0, outcome
    assert created(stage) == 1
    stage.check_retired(record_deleted=True)


def test_retire_in_doubt_leaves_neither_of_two(stage: Stage) -> None:
    """Guards against: a retire deletes the recorded one of two, and the other stays for ever."""
    mishaps = lost(CREATE)
    lag(stage, 1000)
    stage.register(mishaps)
    stage.now += 1000
    outcome = stage.retire()
    assert outcome.code == 0, outcome
    assert created(stage) == 2
    stage.sighted()
    stage.check_retired()


def test_register_right_after_retire_takes_no_ghost(stage: Stage) -> None:
    """Guards against: adopting what was deleted and is still listed, so that validation fails."""
    stage.register(projects=())
    stage.now += 100
    assert stage.retire().code == 0
    lag(stage, 60)
    outcome = stage.register(projects=())
    assert outcome.code == 0, outcome
    assert outcome.result.how == "created"
    stage.sighted()
    stage.check_registered(())


@pytest.mark.parametrize(
    ("seconds", "delays"),
    [
        (0.0, (0.0,)),
        (-5.0, (0.0,)),
        (5.0, (0.0, 5.0)),
        (75.0, (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)),
        (120.0, (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 15.0)),
    ],
)
def test_last_look_comes_at_the_bound(seconds: float, delays: tuple[float, ...]) -> None:
    """Guards against: a search that ends before lists show it, or exceeds the pace."""
    assert look_delays(seconds) == delays
    assert sum(look_delays(seconds)) == max(seconds, 0.0)


@pytest.mark.parametrize(
    ("age", "left"), [(None, 0.0), (0.0, 75.0), (70.0, 5.0), (80.0, 0.0), (-500.0, 75.0)]
)
def test_age_says_how_long_something_may_be_missing(age: float | None, left: float) -> None:
    """Guards against: a clock that was set back makes a young registration count as old."""
    assert lag_left(age, 75.0) == left
