"""The plan of a retire: the same steps and refusals as the run after it, and nothing changed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openai_ekm.errors import Conflict, EkmError
from openai_ekm.registration import protocol
from openai_ekm.registration.record import Held, State
from openai_ekm.registration.retire import RetireRequest, retire
from openai_ekm.registration.retire_plan import RetirePlan, retire_plan
from tests.doubles.registration_world import BASE_URL, INTENT, PLACE, WANTED, World

if TYPE_CHECKING:
    from collections.abc import Callable

ASKED = RetireRequest(PLACE, BASE_URL, INTENT)
STEP = {
    protocol.ArchiveProject: "archive_project",
    protocol.DeleteKey: "delete_registration",
    protocol.WriteRecord: "mark_record",
    protocol.DeleteRecord: "delete_record",
}


def seen(world: World) -> tuple[object, ...]:
    """All that a run could change."""
    shelf = world.shelf
    return deepcopy((world.openai.keys, world.openai.projects, shelf.claims)), shelf.record


def planned(world: World, unwanted: RetireRequest) -> RetirePlan:
    """The plan; checks that nothing was changed and nobody kept out for it."""
    before = seen(world)
    asked = len(world.openai.log)
    plan = world.run(retire_plan(unwanted))
    assert seen(world) == before
    calls = world.openai.log[asked:]
    assert {line.split()[0] for line in calls} <= {"GET"}
    assert len(calls) == len(set(calls))
    return plan


def done(world: World, unwanted: RetireRequest) -> list[str]:
    """What a run changes, in its order."""
    runner, _ = world.runner()
    carried: list[str] = []
    carry_out = runner.carry_out

    def noting(step: protocol.Step) -> object:
        if type(step) in STEP:
            carried.append(STEP[type(step)])
        return carry_out(step)

    runner.carry_out = noting  # type: ignore[method-assign]
    runner.run(retire(unwanted))
    return carried


def registered(*projects: str) -> World:
    """A world with a registration."""
    world = World()
    world.register(replace(WANTED, projects=projects))
    return world


def without_record(world: World) -> None:
    """Somebody lost it."""
    world.shelf.record = None


def gone(world: World) -> None:
    """Somebody deleted the registration."""
    world.clock.sleep(3600)
    world.openai.keys.clear()
    world.openai.projects.clear()


def foreign_project(world: World) -> None:
    """Somebody made a project by hand."""
    world.openai.projects["proj_hand"] = {
        "id": "proj_hand", "name": "by hand", "status": "active", "external_key_id": "extkey_1"
    }  # fmt: skip


def of_a_workspace(world: World) -> None:
    """OpenAI bound it to a workspace."""
    world.openai.keys["extkey_1"]["workspace_id"] = "ws_1"


def of_another_key(world: World) -> None:
    """The record was edited by hand."""
    world.openai.keys["extkey_1"]["external_id"] = "org-other"


@pytest.mark.parametrize("delete_record", [False, True])
@pytest.mark.parametrize("projects", [(), ("prod",), ("prod", "test")])
@pytest.mark.parametrize("happened", [None, without_record, gone, foreign_project])
def test_a_plan_tells_what_the_run_does(
    happened: Callable[[World], None] | None, projects: tuple[str, ...], delete_record: bool
) -> None:
    """Guards against: a plan without the step that cannot be undone, or with one never made."""
    world = registered(*projects)
    if happened:
        happened(world)
    confirmed = replace(ASKED, confirm="extkey_1", delete_record=delete_record)
    plan = planned(world, confirmed)
    assert plan.refusal is None
    assert [step.step for step in plan.steps] == done(world, confirmed)
    for step in plan.steps:
        assert bool(step.irreversible) == (step.step != "mark_record")


def test_without_the_word_the_plan_tells_the_refusal_and_what_would_follow() -> None:
    """Guards against: a plan that supposes a confirmation, or that ends at the refusal."""
    world = registered("prod")
    foreign_project(world)
    plan = planned(world, ASKED)
    with pytest.raises(Conflict) as raised:
        world.retire(ASKED)
    assert plan.refusal is not None
    assert plan.refusal.as_json() == raised.value.as_json()
    assert plan.external_key_id == "extkey_1"
    assert [step.step for step in plan.steps] == [
        "archive_project",
        "archive_project",
        "delete_registration",
        "mark_record",
    ]
    assert "prod (proj_2)" in plan.steps[1].what + plan.steps[0].what
    assert "by hand (proj_hand)" in plan.steps[1].what + plan.steps[0].what
    assert all("EKM_CONFIRM_ARCHIVE=extkey_1" in str(step.needs) for step in plan.steps[:2])


@pytest.mark.parametrize("happened", [of_a_workspace, of_another_key])
def test_what_no_word_lifts_ends_the_plan(happened: Callable[[World], None]) -> None:
    """Guards against: a plan shows steps to a registration that the run will never touch."""
    world = registered("prod")
    happened(world)
    confirmed = replace(ASKED, confirm="extkey_1")
    plan = planned(world, confirmed)
    with pytest.raises(Conflict) as raised:
        world.retire(confirmed)
    assert plan.refusal is not None
    assert (plan.refusal.id, plan.steps) == (raised.value.id, ())


def test_another_record_and_no_record_are_told_as_by_the_run() -> None:
    """Guards against: a plan for a mistyped name says that there is nothing to do."""
    plan = planned(registered(), replace(ASKED, intent=replace(INTENT, name="other")))
    assert plan.refusal is not None
    assert plan.refusal.id == "record_of_another_intent"
    with pytest.raises(EkmError) as raised:
        planned(World(), RetireRequest(PLACE, BASE_URL))
    assert raised.value.id == "nothing_to_retire"


def test_a_plan_goes_on_where_a_run_was_stopped_and_beside_one_that_works() -> None:
    """Guards against: a plan shows what is done already, or waits for whoever holds the record."""
    world = registered("prod")
    world.openai.projects["proj_2"]["status"] = "archived"
    _, other = world.runner()
    assert not isinstance(other.try_claim(), Held)
    assert [step.step for step in planned(world, ASKED).steps] == [
        "delete_registration",
        "mark_record",
    ]
    other.release()
    world.retire(ASKED)
    assert world.shelf.record is not None
    assert world.shelf.record.state is State.RETIRED
    assert planned(world, ASKED).steps == ()
