"""Every fault at every call of a run, then a clean run: one registration, nothing else touched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openai_ekm.errors import EkmError
from openai_ekm.registration.record import State
from openai_ekm.registration.retire import RetireRequest
from tests.doubles.openai import FAULTS
from tests.doubles.registration_world import BASE_URL, INTENT, PLACE, WANTED, World

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = ("list", "create", "validate", "project")
# Faults that a run survives by itself, wherever they strike once.
SURVIVED = {
    "connection_refused",
    "lost_before_commit",
    "lost_after_commit",
    "server_error_before_commit",
    "server_error_after_commit",
    "unavailable_before_commit",
    "html_of_a_proxy",
    "html_of_a_proxy_after_commit",
    "body_cut_short",
    "body_without_object",
    "empty_body",
    "limited",
    "limited_untimed",
}


def failure_of(run: Callable[[], object]) -> EkmError | None:
    """Run, and return how it failed."""
    try:
        run()
    except EkmError as failure:
        return failure
    return None


def other_tenants(world: World) -> None:
    """Somebody else's registration and project, which no run may touch."""
    world.openai.keys["extkey_other"] = {
        "id": "extkey_other",
        "type": "aws",
        "purpose": "ekm",
        "name": "other",
        "role_arn": INTENT.role_arn,
        "kms_arn": INTENT.kms_arn,
        "external_id": INTENT.external_id,
        "workspace_id": "",
    }


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", range(len(CALLS)), ids=CALLS)
def test_one_fault_then_a_clean_run_ends_as_one_registration(fault: str, call: int) -> None:
    """Guards against: a second key or project after a lost, broken or refused answer."""
    world = World()
    other_tenants(world)
    before = dict(world.openai.keys["extkey_other"])
    failure = failure_of(lambda: world.register(faults={call: FAULTS[fault]}))
    if fault in SURVIVED:
        assert failure is None
        world.check()
    else:
        assert failure is not None
        assert failure.exit_code == 4
        assert failure.remedy
    world.register()
    world.check()
    assert world.openai.keys["extkey_other"] == before
    assert world.shelf.claims == {}


@pytest.mark.parametrize("second", FAULTS)
@pytest.mark.parametrize("first", FAULTS)
def test_two_faults_on_the_create_path_end_as_one_registration(first: str, second: str) -> None:
    """Guards against: two faults in a row, at create and right after it, make two registrations."""
    world = World()
    failure = failure_of(lambda: world.register(faults={1: FAULTS[first], 2: FAULTS[second]}))
    assert failure is None or failure.exit_code in {4, 5, 6}
    world.register()
    world.check()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", range(4), ids=["get", "archive", "get_again", "delete"])
def test_one_fault_in_retire_then_a_clean_run_deletes_once(fault: str, call: int) -> None:
    """Guards against: a fault in retire leaves a registration that the record does not know of."""
    world = World()
    world.register()
    key_id = world.openai.matching("prod")[0]
    unwanted = RetireRequest(PLACE, BASE_URL, INTENT, confirm=key_id)
    failure = failure_of(lambda: world.retire(unwanted, faults={call: FAULTS[fault]}))
    assert failure is None or failure.exit_code in {4, 5}
    assert world.shelf.record is not None
    assert world.shelf.record.external_key_id == key_id
    world.retire(unwanted)
    assert world.openai.keys == {}
    assert world.shelf.record is not None
    assert world.shelf.record.state is State.RETIRED


def test_refused_create_leaves_no_record() -> None:
    """Guards against: a record of a create that was definitely refused."""
    world = World()
    with pytest.raises(EkmError) as raised:
        world.register(faults={1: FAULTS["scope_missing"]})
    assert raised.value.id == "openai_scope_missing"
    assert world.shelf.record is None
    assert world.openai.keys == {}


def test_feature_lost_later_never_creates_a_second_one() -> None:
    """Guards against: a 404 of another text read as gone, so that the key is registered twice."""
    world = World()
    world.register()
    with pytest.raises(EkmError) as raised:
        world.register(faults={0: FAULTS["feature_off"]})
    assert raised.value.id == "openai_feature_off"
    world.check()


def test_lost_project_create_is_adopted_and_not_repeated() -> None:
    """Guards against: a project whose answer was lost is created a second time."""
    world = World()
    result = world.register(
        replace(WANTED, projects=("prod",)), faults={3: FAULTS["lost_after_commit"]}
    )
    assert [project.how for project in result.projects] == ["adopted"]
    world.check()
