"""Retiring, the reverse, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openai_ekm.errors import Conflict, EkmError, OpenAIRefused
from openai_ekm.registration.protocol import ArchiveProject, Step
from openai_ekm.registration.record import State
from openai_ekm.registration.retire import RetireRequest, retire
from tests.doubles.openai import FAULTS, answers, refused
from tests.doubles.registration_world import (
    BASE_URL,
    INTENT,
    PLACE,
    WANTED,
    World,
    with_keys,
    with_project,
)


def test_active_projects_are_named_with_the_way_on() -> None:
    """Guards against: projects are archived by a plain destroy."""
    world = World()
    world.register(replace(WANTED, projects=("prod", "test")))
    world.openai.log.clear()
    with pytest.raises(Conflict) as raised:
        world.retire()
    error = raised.value
    assert error.id == "active_projects"
    assert "prod (proj_2)" in error.message
    assert "test (proj_3)" in error.message
    for word in ("second module instance", "new projects", "move", "archive"):
        assert word in (error.remedy or "")
    assert "EKM_CONFIRM_ARCHIVE=extkey_1" in (error.remedy or "")
    assert world.openai.log == ["GET /organization/external_keys/extkey_1"]
    world.check(("prod", "test"))


def test_projects_that_the_record_does_not_know_are_named_too() -> None:
    """Guards against: a project made by hand is shown as a bare id."""
    world = World()
    world.register()
    with_project(world, "by hand", "extkey_1", "proj_9")
    with pytest.raises(Conflict) as raised:
        world.retire()
    assert "by hand (proj_9)" in raised.value.message


@pytest.mark.parametrize("confirm", ["extkey_2", "yes", "prod"])
def test_another_keys_id_confirms_nothing(confirm: str) -> None:
    """Guards against: a word left over in the environment archives another key's projects."""
    world = World()
    world.register()
    with pytest.raises(Conflict) as raised:
        world.retire(RetireRequest(PLACE, BASE_URL, INTENT, confirm=confirm))
    assert raised.value.id == "active_projects"
    assert confirm in raised.value.message
    world.check()


def test_confirmed_run_archives_deletes_and_marks_the_record() -> None:
    """Guards against: a confirmed retire leaves something behind at OpenAI."""
    world = World()
    world.register(replace(WANTED, projects=("prod", "test")))
    result = world.retire(RetireRequest(PLACE, BASE_URL, INTENT, confirm="extkey_1"))
    assert (result.how, result.archived) == ("deleted", ("proj_2", "proj_3"))
    assert world.openai.keys == {}
    assert world.shelf.record is not None
    assert world.shelf.record.state is State.RETIRED


def test_retired_intent_is_registered_anew() -> None:
    """Guards against: after a retire the same intent can never be registered again."""
    world = World()
    world.register()
    world.retire(RetireRequest(PLACE, BASE_URL, INTENT, confirm="extkey_1"))
    assert world.register().how == "created"
    assert world.shelf.record is not None
    assert world.shelf.record.claim > 1


def test_second_retire_asks_openai_nothing() -> None:
    """Guards against: a retire that is run again fails, or deletes somebody's new registration."""
    world = World()
    world.register(replace(WANTED, projects=()))
    world.retire()
    world.openai.log.clear()
    assert world.retire().how == "gone"
    assert world.openai.log == []


def test_record_is_deleted_last() -> None:
    """Guards against: a destroy leaves a record of what is gone."""
    world = World()
    world.register(replace(WANTED, projects=()))
    assert (
        world.retire(RetireRequest(PLACE, BASE_URL, INTENT, delete_record=True)).record == "deleted"
    )
    assert world.shelf.record is None
    assert world.shelf.claims == {}


def test_lost_record_is_found_by_its_intent() -> None:
    """Guards against: a destroy without a record that leaves a registration of a deleted key."""
    world = with_keys({"id": "extkey_a"}, {"id": "extkey_b", "name": "other"})
    assert world.retire().how == "deleted"
    assert world.openai.keys.keys() == {"extkey_b"}


def test_nothing_there_is_done() -> None:
    """Guards against: a destroy after a registration that never happened fails for ever."""
    result = World().retire(RetireRequest(PLACE, BASE_URL, INTENT, delete_record=True))
    assert (result.how, result.record) == ("nothing", "none")


def test_without_record_and_intent_nothing_is_guessed() -> None:
    """Guards against: a retire with a mistyped record says that all is done."""
    with pytest.raises(EkmError) as raised:
        World().retire(RetireRequest(PLACE, BASE_URL))
    assert raised.value.id == "nothing_to_retire"


def test_workspace_key_is_never_touched() -> None:
    """Guards against: the key of a ChatGPT workspace is deleted, or its projects archived."""
    world = World()
    world.register()
    world.openai.keys["extkey_1"]["workspace_id"] = "ws_1"
    before = len(world.openai.log)
    with pytest.raises(Conflict) as raised:
        world.retire(RetireRequest(PLACE, BASE_URL, INTENT, confirm="extkey_1"))
    assert raised.value.id == "workspace_key"
    assert [line.split()[0] for line in world.openai.log[before:]] == ["GET"]


def test_record_that_does_not_fit_openai_is_refused() -> None:
    """Guards against: a record edited by hand deletes somebody else's registration."""
    world = World()
    world.register(replace(WANTED, projects=()))
    world.openai.keys["extkey_1"]["kms_arn"] = "arn:aws:kms:eu-west-1:111122223333:alias/x"
    with pytest.raises(Conflict) as raised:
        world.retire()
    assert raised.value.id == "registration_differs"
    assert world.openai.keys


def test_intent_that_does_not_fit_the_record_is_refused() -> None:
    """Guards against: a retire with another module's ARNs deletes this record's registration."""
    world = World()
    world.register(replace(WANTED, projects=()))
    with pytest.raises(Conflict) as raised:
        world.retire(RetireRequest(PLACE, BASE_URL, replace(INTENT, name="other")))
    assert raised.value.id == "record_of_another_intent"


@pytest.mark.parametrize(
    "text",
    ["The external key extkey_1 was not found", "No external key found with id 'extkey_1'"],
)
def test_both_texts_of_gone_end_the_delete(text: str) -> None:
    """Guards against: one of the two published texts is taken for a failure."""
    world = World()
    world.register(replace(WANTED, projects=()))
    world.retire(faults={1: answers(refused(404, text), after_commit=False)})
    assert world.shelf.record is not None
    assert world.shelf.record.state is State.RETIRED


def test_any_other_404_keeps_the_record() -> None:
    """Guards against: a lost feature flag reads as gone, and the registration is forgotten."""
    world = World()
    world.register(replace(WANTED, projects=()))
    with pytest.raises(OpenAIRefused) as raised:
        world.retire(faults={0: FAULTS["feature_off"]})
    assert raised.value.id == "openai_feature_off"
    assert world.shelf.record is not None
    assert world.shelf.record.state is State.REGISTERED


def test_project_that_appears_meanwhile_is_left_alone() -> None:
    """Guards against: a project that nobody saw who confirmed is archived, for good."""
    world = World()
    world.register()
    runner, _ = world.runner()
    carry_out = runner.carry_out

    def meanwhile(step: Step) -> Any:
        outcome = carry_out(step)
        if isinstance(step, ArchiveProject):
            with_project(world, "new", "extkey_1", "proj_9")
        return outcome

    runner.carry_out = meanwhile  # type: ignore[method-assign]
    with pytest.raises(Conflict) as raised:
        runner.run(retire(RetireRequest(PLACE, BASE_URL, INTENT, confirm="extkey_1")))
    assert raised.value.id == "active_projects"
    assert "proj_9" in raised.value.message
    assert world.openai.active("new") == ["proj_9"]
    # Whoever runs it again has been told of it.
    world.retire(RetireRequest(PLACE, BASE_URL, INTENT, confirm="extkey_1"))
    assert world.openai.keys == {}
