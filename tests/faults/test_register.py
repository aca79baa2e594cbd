"""Registering: the turns that need OpenAI, or the record, to be in a certain state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openai_ekm.errors import Conflict, EkmError
from openai_ekm.registration.register import register
from tests.doubles.openai import FAULTS, answers, refused
from tests.doubles.registration_world import INTENT, WANTED, World, with_keys, with_project


def test_fresh_registration_takes_four_calls() -> None:
    """Guards against: a registration costs more of the few calls a minute than it must."""
    world = World()
    assert world.register().how == "created"
    assert world.openai.log == [
        "GET /organization/external_keys",
        "POST /organization/external_keys",
        "POST /organization/external_keys/extkey_1/validate",
        "POST /organization/projects",
    ]
    world.check()


def test_repeat_takes_two_calls() -> None:
    """Guards against: a repeat with nothing to do lists or creates."""
    world = World()
    world.register()
    world.openai.log.clear()
    assert world.register().how == "unchanged"
    assert world.openai.log == [
        "GET /organization/external_keys/extkey_1",
        "POST /organization/external_keys/extkey_1/validate",
    ]


def test_added_project_is_created_without_a_list() -> None:
    """Guards against: a project added later costs a list, or a new registration."""
    world = World()
    world.register()
    world.openai.log.clear()
    world.register(replace(WANTED, projects=("prod", "test")))
    assert world.openai.log[2:] == ["POST /organization/projects"]
    world.check(("prod", "test"))


def test_removed_project_stays_and_that_is_said() -> None:
    """Guards against: a name taken out of the list archives its project, for good."""
    world = World()
    world.register(replace(WANTED, projects=("prod", "test")))
    result = world.register()
    assert world.openai.active("test")
    assert any("test" in notice for notice in result.notices)
    assert "test" in result.record.projects


def test_lost_record_is_adopted_with_its_projects() -> None:
    """Guards against: a record that was lost leads to a second registration."""
    world = with_project(with_keys({"id": "extkey_a"}), "prod", "extkey_a")
    result = world.register()
    assert (result.how, result.external_key_id) == ("adopted", "extkey_a")
    assert [(p.id, p.how) for p in result.projects] == [("proj_1", "adopted")]
    world.check()


def test_several_matches_are_refused_and_one_is_adopted_by_name() -> None:
    """Guards against: two equal registrations are picked from by chance, or there is no way on."""
    world = with_keys({"id": "extkey_a"}, {"id": "extkey_b"})
    with pytest.raises(Conflict) as raised:
        world.register()
    assert raised.value.id == "several_matches"
    assert world.shelf.record is None
    assert world.register(replace(WANTED, adopt="extkey_b")).external_key_id == "extkey_b"
    assert world.register().external_key_id == "extkey_b"
    assert world.openai.keys.keys() == {"extkey_a", "extkey_b"}


@pytest.mark.parametrize(
    "change", [{"name": "x"}, {"kms_arn": "x"}, {"type": "gcp"}, {"purpose": "psp_decryption"}]
)
def test_adopt_of_another_registration_is_refused(change: dict[str, Any]) -> None:
    """Guards against: --adopt takes over a registration of something else."""
    world = with_keys({"id": "extkey_a", **change})
    with pytest.raises(Conflict) as raised:
        world.register(replace(WANTED, adopt="extkey_a"))
    assert raised.value.id == "registration_differs"


def test_adopt_against_the_record_is_refused() -> None:
    """Guards against: --adopt leaves the recorded registration behind, unknown to anybody."""
    world = World()
    world.register()
    with pytest.raises(Conflict) as raised:
        world.register(replace(WANTED, adopt="extkey_b"))
    assert raised.value.id == "adopts_another"


@pytest.mark.parametrize("member", ["role_arn", "kms_arn", "external_id", "name"])
def test_record_of_another_intent_is_a_conflict_that_shows_both(member: str) -> None:
    """Guards against: a changed ARN or name that registers anew and forgets the old one."""
    world = World()
    world.register()
    changed = {
        "role_arn": INTENT.role_arn + "2",
        "kms_arn": "arn:aws:kms:eu-west-1:111122223333:alias/other",
        "external_id": "org-other",
        "name": "other",
    }[member]
    intent = replace(INTENT, **{member: changed})
    with pytest.raises(Conflict) as raised:
        world.register(replace(WANTED, intent=intent))
    assert raised.value.id == "registration_differs"
    assert changed in raised.value.message
    assert str(getattr(INTENT, member)) in raised.value.message
    world.check()


def test_registration_that_is_gone_is_made_anew() -> None:
    """Guards against: a registration deleted by hand can never be made again."""
    world = World()
    world.register(replace(WANTED, projects=()))
    world.openai.keys.clear()
    assert world.register().how == "created"
    world.check()


GONE = answers(refused(404, "The external key extkey_1 was not found"), after_commit=False)


def test_young_registration_that_is_not_seen_yet_is_looked_for_again() -> None:
    """Guards against: a second registration because a read lags behind a create."""
    world = World()
    world.register()
    result = world.register(faults={0: GONE, 1: GONE})
    assert (result.how, world.clock.seconds) == ("unchanged", 15.0)
    assert "looking again" in world.lines[-2] + world.lines[-3]
    world.check()


def test_old_registration_that_is_not_found_is_gone_at_once() -> None:
    """Guards against: a registration deleted months after its making is waited for."""
    world = World()
    world.register(replace(WANTED, projects=()))
    world.openai.keys.clear()
    world.clock.sleep(3600)
    world.openai.log.clear()
    assert world.register(replace(WANTED, projects=())).how == "created"
    assert world.clock.seconds == 3600
    assert world.openai.log[1] == "GET /organization/external_keys"


def test_retire_of_a_young_registration_looks_again() -> None:
    """Guards against: a read that lags makes retire forget a registration that is there."""
    world = World()
    world.register(replace(WANTED, projects=()))
    assert world.retire(faults={0: GONE}).how == "deleted"
    assert world.openai.keys == {}


def test_gone_at_another_host_creates_nothing() -> None:
    """Guards against: a record used with the wrong host registers the key there too."""
    world = World()
    world.register()
    world.openai.keys.clear()
    with pytest.raises(Conflict) as raised:
        world.register(replace(WANTED, base_url="https://eu.api.openai.com/v1"))
    assert raised.value.id == "record_of_another_host"
    assert world.openai.keys == {}


def test_archived_project_is_replaced_and_that_is_said() -> None:
    """Guards against: a project archived by hand is recorded as if it were active."""
    world = World()
    world.register()
    world.openai.projects["proj_2"]["status"] = "archived"
    result = world.register()
    assert result.projects[0].how == "created"
    assert "proj_2" in result.notices[0]
    assert world.openai.active("prod") == [result.record.projects["prod"]]


def test_unfinished_record_of_another_intent_that_went_through_is_a_conflict() -> None:
    """Guards against: a lost create that a changed name leaves unknown."""
    world = World()
    wanted = replace(WANTED, intent=replace(INTENT, name="old"))
    runner, _store = world.runner({1: FAULTS["lost_after_commit"]})
    protocol = register(wanted)
    step = next(protocol)
    while type(step).__name__ != "CreateKey":
        step = protocol.send(runner.carry_out(step))
    with pytest.raises(EkmError):
        runner.carry_out(step)
    world.shelf.claims.clear()
    with pytest.raises(Conflict) as raised:
        world.register()
    assert raised.value.id == "registration_differs"
