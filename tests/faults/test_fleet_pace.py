"""A fleet against the theoretical minimum, in virtual time."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from openai_ekm.fleet.budget import budget, need
from openai_ekm.fleet.run import FleetList, Outcome, Stop, run_fleet, twins
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.objects import ExternalKey
from openai_ekm.openai_api.refusal_errors import as_error
from openai_ekm.openai_api.refusals import Kind, Refusal
from openai_ekm.registration.record import State
from tests.doubles.fleet_world import FleetWorld, entries, least_seconds

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.fleet.manifest import Entry

LIST = "GET /organization/external_keys"
FETCH = "GET /organization/external_keys/{id}"
CREATE = "POST /organization/external_keys"
VALIDATE = "POST /organization/external_keys/{id}/validate"
PROJECT = "POST /organization/projects"


def test_a_thousand_keys_cost_the_least_calls_and_hardly_more_than_the_least_time() -> None:
    """Guards against: a list for each entry, a met rate limit, or a needless wait."""
    world = FleetWorld()
    fleet = entries(1000)
    outcomes = world.register(fleet)
    assert [one.failure for one in outcomes if one.failure] == []
    assert world.service.calls == {LIST: 1, CREATE: 1000, VALIDATE: 1000, PROJECT: 1000}
    assert sum(world.service.refused.values()) == 0
    assert world.seconds < 1.06 * least_seconds(1000)
    assert world.watcher.most == 16
    foretold = budget((need(entry, None) for entry in fleet), 0, 7)
    assert dict(foretold.calls) == world.service.calls
    assert foretold.minutes * 60 == pytest.approx(world.seconds, rel=0.01)


def test_a_fleet_that_was_stopped_is_finished_by_the_next_run() -> None:
    """Guards against: a rerun registers anew, or lists for what is done."""
    world = FleetWorld()
    fleet = entries(150)
    world.register(fleet[:100])
    world.service.calls.clear()
    outcomes = world.register(fleet)
    assert [one.failure for one in outcomes if one.failure] == []
    assert world.service.calls == {
        LIST: 1,
        FETCH: 100,
        CREATE: 50,
        VALIDATE: 150,
        PROJECT: 50,
    }
    assert len(world.service.keys) == 150
    world.service.calls.clear()
    world.register(fleet)
    assert world.service.calls == {FETCH: 150, VALIDATE: 150}


def test_pages_of_what_is_there_are_read_once() -> None:
    """Guards against: 450 registrations of others are listed for each entry."""
    world = FleetWorld()
    for index in range(450):
        world.service.keys[f"extkey_other_{index}"] = {"id": f"extkey_other_{index}"}
    world.register(entries(30))
    assert world.service.calls[LIST] == 5


def test_iam_that_settles_late_holds_no_other_entry_up() -> None:
    """Guards against: the fleet stands still while one entry waits for IAM."""
    world = FleetWorld(settles=40.0)
    outcomes = world.register(entries(20))
    assert [one.failure for one in outcomes if one.failure] == []
    assert len(world.service.keys) == 20
    assert sum(world.service.refused.values()) == 0


def test_a_service_that_allows_less_slows_the_fleet_and_fails_nobody() -> None:
    """Guards against: entries that give up when a slower limit refuses half of the calls."""
    world = FleetWorld(per_minute=3)
    outcomes = world.register(entries(60))
    assert [one.failure for one in outcomes if one.failure] == []
    refused, made = sum(world.service.refused.values()), sum(world.service.calls.values())
    assert refused < made / 3
    assert world.seconds < 2.2 * (60 - 1) // 3 * 60


def test_processes_of_one_apply_share_pace_and_lists(tmp_path: Path) -> None:
    """Guards against: ten processes of one apply that each list, or are refused."""
    world = FleetWorld(shared_folder=tmp_path)
    outcomes = world.register(entries(60), concurrency=10)
    assert [one.failure for one in outcomes if one.failure] == []
    assert world.service.calls[CREATE] == 60
    assert world.service.calls[LIST] < 30
    assert sum(world.service.refused.values()) == 0
    assert world.seconds < 1.25 * least_seconds(60)


def test_the_list_serves_no_entry_whose_record_another_run_has_begun() -> None:
    """Guards against: a second registration of a key that another machine began meanwhile."""
    world = FleetWorld()
    (entry,) = entries(1)
    world.register((entry,))
    done = world.records[entry.name]
    # What a run leaves that is killed after its create: the registration, and no id of it.
    world.records[entry.name] = replace(
        done, external_key_id=None, state=State.REGISTERING, projects=MappingProxyType({})
    )
    world.service.calls.clear()
    began = world.seconds
    outcome = world.work(entry, FleetList(()))
    assert outcome.registered
    assert outcome.registered.how == "adopted"
    assert world.service.calls[LIST] == 1
    assert world.seconds - began < 5.0  # found at the first look, in virtual time
    assert world.service.calls[CREATE] == 0


def test_what_the_list_shows_is_asked_for_again() -> None:
    """Guards against: an entry that adopts what was deleted after the list, and fails."""
    world = FleetWorld()
    (entry,) = entries(1)
    world.register((entry,))
    listed = FleetList(ExternalKey.parse(key) for key in world.service.keys.values())
    world.records.clear()
    outcome = world.work(entry, listed)
    assert outcome.registered
    assert outcome.registered.how == "adopted"
    # The project is found as the key's own: what the list said of projects may be old.
    assert outcome.registered.projects[0].how == "adopted"
    world.records.clear()
    world.service.keys.clear()
    outcome = world.work(entry, listed)
    assert outcome.registered
    assert outcome.registered.how == "created"


def test_what_the_list_shows_and_cannot_be_read_is_looked_for_in_a_new_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Guards against: reads that lag behind the list make a second registration."""
    world = FleetWorld()
    (entry,) = entries(1)
    world.register((entry,))
    listed = FleetList(ExternalKey.parse(key) for key in world.service.keys.values())
    world.records.clear()

    def gone(_api: AdminApi, id: str) -> ExternalKey:
        words = f"The external key {id} was not found"
        raise as_error(Refusal(Kind.GONE, 404, words), "GET")

    monkeypatch.setattr(AdminApi, "get_external_key", gone)
    outcome = world.work(entry, listed)
    assert outcome.registered
    assert outcome.registered.how == "adopted"
    assert len(world.service.keys) == 1


def test_a_registration_of_somebody_else_in_the_meantime_is_told() -> None:
    """Guards against: a key registered meanwhile under another record, unknown to anybody."""
    world = FleetWorld()
    fleet = entries(2)
    world.register(fleet)
    keys = [ExternalKey.parse(key) for key in world.service.keys.values()]
    assert twins(fleet, keys) == {}
    again = replace(keys[1], id="extkey_by_hand")
    assert twins(fleet, [*keys, again]) == {"key-1": ("extkey_000001", "extkey_by_hand")}


def test_a_stop_ends_between_two_calls_and_the_next_run_does_the_rest() -> None:
    """Guards against: a Ctrl-C that cuts a create in two, or waits for all entries."""
    world = FleetWorld()
    fleet = entries(40)
    stop = Stop(world.time.sleep)
    listed = FleetList(())
    outcomes = run_fleet(
        fleet,
        lambda entry: world.work(entry, listed, stop),
        watcher=StopsAt(5, stop),
        stop=stop,
        spawn=world.time.run,
    )
    failures = {one.failure.id for one in outcomes if one.failure}
    assert failures == {"fleet_stopped"}
    assert len(outcomes) < 40
    assert world.seconds < 120
    made = len(world.service.keys)
    assert 5 <= made < 20
    # Nothing is in doubt: the rest costs no second look.
    outcomes = world.register(fleet)
    assert [one.failure for one in outcomes if one.failure] == []
    assert len(world.service.keys) == 40
    assert len(world.service.projects) == 40


class StopsAt:
    """A watcher that stops the run when so many entries are done."""

    def __init__(self, number: int, stop: Stop) -> None:
        self._left = number
        self._stop = stop

    def started(self, entry: Entry) -> None:
        """Keep nothing."""

    def said(self, entry: Entry, line: str) -> None:
        """Keep nothing."""

    def ended(self, _outcome: Outcome) -> None:
        """Count."""
        self._left -= 1
        if self._left <= 0:
            self._stop.ask()
