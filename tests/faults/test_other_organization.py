"""The admin key of another organization: what is not found there is not gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openai_ekm.emulator.store import Store
from tests.doubles.faults_stage import INTENT, Stage
from tests.faults.mishaps import SURVIVED

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSED = "6 record_of_another_organization"


@pytest.fixture
def stage() -> Iterator[Stage]:
    """An hour after the key was registered: nothing lags any more."""
    made = Stage()
    made.set(organization=INTENT.external_id)
    assert str(made.register()) == SURVIVED
    made.now += 3600
    yield made
    made.close()


def test_what_is_registered_is_not_taken_for_gone(stage: Stage) -> None:
    """Guards against: a destroy with another organization's key that leaves the registration."""
    record, ours = stage.record(), stage.store
    assert record is not None
    assert record.organization == INTENT.external_id
    other = Store()
    stage.emulator.store = other
    stage.set(organization="org-b")
    for run in (stage.retire, stage.register):
        outcome = run()
        assert str(outcome) == REFUSED
        assert INTENT.external_id in outcome.message
        assert "org-b" in outcome.message
        assert stage.record() == record
    assert other.external_keys() == []
    other.close()
    stage.emulator.store = ours
    stage.set(organization=INTENT.external_id)
    assert str(stage.register()) == SURVIVED
    stage.check_registered()
    assert str(stage.retire()) == SURVIVED
    stage.check_retired()


def test_what_is_found_is_used_whatever_the_organization_is_called(stage: Stage) -> None:
    """Guards against: a renamed organization can neither validate nor retire its registrations."""
    stage.set(organization="org-renamed")
    assert str(stage.register()) == SURVIVED
    stage.check_registered()
    record = stage.record()
    assert record is not None
    assert record.organization == INTENT.external_id
    assert str(stage.retire()) == SURVIVED
    stage.check_retired()


def test_what_is_deleted_by_hand_in_the_same_organization_is_gone(stage: Stage) -> None:
    """Guards against: a registration deleted by hand that can never be made again."""
    [key] = stage.registrations()
    for project in stage.projects():
        stage.store.save_project(replace(project, archived_at=stage.now))
    stage.store.delete_external_key(key.id, at=stage.now)
    assert str(stage.register()) == SURVIVED
    stage.check_registered()
