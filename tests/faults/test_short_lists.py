"""Lists that leave the external id out, as one published form does: whose is whose all the same.

The stage has a registration of the same role, key and name under another external id.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from openai_ekm.adoption.adopt_key import choose, may_be
from openai_ekm.errors import Conflict
from openai_ekm.openai_api.objects import ExternalKey
from openai_ekm.registration.consistency import complete_keys
from openai_ekm.registration.matching import choose_key, matches
from tests.doubles.faults_stage import INTENT, Stage
from tests.faults.mishaps import HTTP, PROCESS
from tests.faults.reliability import STORIES

# What leaves a doubt behind, or ends a run in the middle: then lists decide.
DOUBTS = ("reset_before", "reset_after", "empty", "killed_before", "killed_after")


def stage() -> Stage:
    """A stage whose lists are short."""
    made = Stage()
    made.set(external_id_in_lists=False)
    return made


@pytest.mark.parametrize("name", STORIES)
def test_somebody_elses_registration_is_left_alone(name: str) -> None:
    """Guards against: another external id's registration that is adopted, retired or counted."""
    world = stage()
    story = STORIES[name]
    story.begin(world)
    outcome = story.run(world, {})
    assert outcome.code == 0, outcome
    story.settled(world)
    world.close()


@pytest.mark.parametrize("mishap", DOUBTS)
@pytest.mark.parametrize("name", STORIES)
def test_doubt_is_settled_by_what_is_whole(name: str, mishap: str) -> None:
    """Guards against: another's registration that passes for what a lost create made."""
    story, happens = STORIES[name], (HTTP | PROCESS)[mishap]
    world = stage()
    story.begin(world)
    story.run(world, {})
    exchanges = [at for at, label in enumerate(world.runs[-1].labels) if label.startswith("http ")]
    world.close()
    assert exchanges
    for at in exchanges:
        world = stage()
        story.begin(world)
        story.run(world, {at: happens})
        story.settled(world)
        world.close()


def test_what_is_listed_and_not_found_ends_the_run() -> None:
    """Guards against: a registration of unknown owner that passes for ours, or for none."""
    world = stage()
    assert world.register().code == 0
    world.lose_record()
    world.set(read_delay_seconds=20.0)
    assert str(world.register()) == "4 openai_gone"
    assert len(world.made()) == 1
    world.now += 20.0
    assert world.register().code == 0
    world.check_registered()
    world.close()


def test_what_was_deleted_and_is_still_listed_holds_nobody_up() -> None:
    """Guards against: an apply right after a destroy fails, as long as lists lag."""
    world = stage()
    world.set(list_delay_seconds=60.0)
    assert world.register(projects=()).code == 0
    world.now += 60.0
    assert world.retire().code == 0
    assert world.register(projects=()).code == 0
    world.sighted()
    world.check_registered(())
    world.close()


def test_external_id_that_is_shown_nowhere_decides_nothing() -> None:
    """Guards against: a second registration because no answer shows the external id."""
    key = ExternalKey("extkey_1", "aws", "ekm", INTENT.name, INTENT.role_arn, INTENT.kms_arn)
    fetched: list[str] = []

    def fetch(id: str) -> ExternalKey:
        fetched.append(id)
        return key

    assert complete_keys([key], lambda it: matches(INTENT, it), fetch) == (key,)
    assert fetched == ["extkey_1"]
    assert choose_key(INTENT, [key]) is key


def test_adopting_asks_for_what_a_list_shows_by_half() -> None:
    """Guards against: a set-up made by hand cannot be adopted, or somebody else's is."""
    known = (INTENT.name, INTENT.role_arn, INTENT.kms_arn)
    listed = [ExternalKey(f"extkey_{number}", "aws", "ekm", *known) for number in (1, 2)]
    other = replace(listed[0], id="extkey_3", kms_arn="arn:other")
    external_ids = {"extkey_1": "org-other", "extkey_2": INTENT.external_id}
    fetched: list[str] = []

    def fetch(id: str) -> ExternalKey:
        fetched.append(id)
        return replace(listed[0], id=id, external_id=external_ids[id])

    asked = {
        "role_arn": INTENT.role_arn,
        "kms_arn": INTENT.kms_arn,
        "external_id": INTENT.external_id,
        "name": None,
    }
    keys = complete_keys([*listed, other], partial(may_be, asked=asked, adopt=None), fetch)
    assert fetched == ["extkey_1", "extkey_2"]
    assert choose(keys, asked, None).id == "extkey_2"
    with pytest.raises(Conflict, match=r"extkey_1.*extkey_2"):
        choose(keys, {**asked, "external_id": None}, None)
