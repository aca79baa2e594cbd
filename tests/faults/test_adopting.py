"""Adopting at OpenAI: one registration is found, recorded, and never made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openai_ekm.adoption.adopt_key import adopt_key
from openai_ekm.errors import Conflict
from openai_ekm.registration.record import State
from tests.doubles.registration_world import INTENT, WANTED, World

if TYPE_CHECKING:
    from openai_ekm.registration.register import Registered

BY_ID = replace(WANTED, adopt="extkey_1")


def by_hand(*projects: str) -> World:
    """A registration with projects that no record tells of."""
    world = World()
    world.register(replace(WANTED, projects=projects))
    world.shelf.record = None
    world.shelf.claims.clear()
    world.openai.log.clear()
    return world


def adopt(world: World) -> Registered:
    """Adopt; checks that nothing was made, archived or deleted at OpenAI."""
    keys, projects = dict(world.openai.keys), dict(world.openai.projects)
    try:
        return world.run(adopt_key(BY_ID))
    finally:
        assert (world.openai.keys, world.openai.projects) == (keys, projects)
        sent = [line for line in world.openai.log if not line.startswith("GET")]
        assert all(line.endswith("/validate") for line in sent)


def test_a_registration_and_its_projects_are_recorded_as_they_are() -> None:
    """Guards against: a record without a project, which the next apply makes a second time."""
    world = by_hand("prod")
    result = adopt(world)
    assert (result.how, [project.how for project in result.projects]) == ("adopted", ["adopted"])
    world.check()
    assert adopt(world).how == "unchanged"


def test_a_registration_that_goes_meanwhile_is_not_made_again() -> None:
    """Guards against: adopting that registers anew what somebody deleted after the look."""
    world = by_hand()
    world.openai.keys.clear()
    with pytest.raises(Conflict) as raised:
        world.run(adopt_key(replace(WANTED, projects=())))
    assert raised.value.id == "nothing_to_adopt"
    assert world.openai.keys == {}
    assert world.shelf.record is None


def test_a_project_that_goes_meanwhile_is_not_made_again() -> None:
    """Guards against: a second project when somebody archives the first one after the look."""
    world = by_hand("prod")
    world.openai.projects["proj_2"]["status"] = "archived"
    with pytest.raises(Conflict) as raised:
        adopt(world)
    assert raised.value.id == "nothing_to_adopt"
    assert world.shelf.record is not None
    assert world.shelf.record.external_key_id == "extkey_1"  # this much is true, and was recorded
    assert world.shelf.record.creating is None


def test_a_record_of_another_registration_is_left_alone() -> None:
    """Guards against: adopting overwrites the record of another instance of the module."""
    world = by_hand()
    other = replace(WANTED, intent=replace(INTENT, name="other"), projects=())
    world.register(other)
    world.openai.log.clear()
    before = world.shelf.record
    with pytest.raises(Conflict) as raised:
        adopt(world)
    assert raised.value.id == "registration_differs"
    assert world.shelf.record == before


def test_a_workspace_key_is_adopted_so_that_a_destroy_finds_it() -> None:
    """Guards against: a destroy that takes the role from under the key of a workspace."""
    world = by_hand()
    world.openai.keys["extkey_1"]["workspace_id"] = "ws_1"
    result = world.run(adopt_key(replace(BY_ID, projects=())))
    assert result.record.state is State.REGISTERED
    with pytest.raises(Conflict) as raised:
        world.retire()
    assert raised.value.id == "workspace_key"
