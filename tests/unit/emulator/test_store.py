"""State in SQLite: it survives, it is ours, and it is consistent."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from ekm.emulator.store import Event, ExternalKeyRow, ProjectRow, Store
from ekm.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

KEY = ExternalKeyRow("extkey_1", "aws", "ekm", "n", "role", "kms", "org-abc", "", 10.5)
PROJECT = ProjectRow("proj_1", "p", 11.0, external_key_id="extkey_1", is_default=True)
EVENT = Event("audit_log-1", "external_key.registered", 12.0, "proj_1", "key_1", "extkey_1", {})


def test_state_survives_a_restart(tmp_path: Path) -> None:
    """A restarted emulator would have forgotten live registrations."""
    path = tmp_path / "openai.sqlite3"
    first = Store(path)
    first.add_external_key(KEY)
    first.add_project(PROJECT)
    first.add_event(EVENT)
    first.add_sighting("s", "{}", at=13.0)
    first.close()
    second = Store(path)
    assert second.external_key("extkey_1") == KEY
    assert second.projects() == [PROJECT]
    assert second.events() == [EVENT]
    assert second.sightings("s") == [(13.0, "{}")]
    second.close()


def test_a_transaction_is_whole_or_nothing() -> None:
    """A create that fails half-way would leave a key without its event."""
    store = Store()

    def fails() -> None:
        with store.transaction():
            store.add_external_key(KEY)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert store.external_keys() == []
    with store.transaction(), store.transaction():
        store.add_external_key(KEY)
    assert store.external_keys() == [KEY]
    store.close()


def test_a_deleted_key_is_gone_and_was_there() -> None:
    """A late list could not show what was deleted a moment ago."""
    store = Store()
    store.add_external_key(KEY)
    store.delete_external_key("extkey_1", at=20.0)
    assert store.external_key("extkey_1") is None
    assert store.external_key("extkey_1", as_of=15.0) is not None
    assert store.external_key("extkey_1", as_of=10.0) is None
    store.close()


@pytest.mark.parametrize("kind", ["text", "folder", "other", "newer", "missing folder"])
def test_a_file_that_is_not_ours_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    """Somebody's database would be written into."""
    path = tmp_path / "file"
    if kind == "text":
        path.write_text("precious" * 100)
    elif kind == "folder":
        path.mkdir()
    elif kind == "missing folder":
        path = tmp_path / "none" / "file"
    else:
        Store(path).close()
        pragma = "application_id = 7" if kind == "other" else "user_version = 99"
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA {pragma}")
        connection.close()
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(BadInput) as caught:
        Store(path)
    assert caught.value.id == "emulator_database"
    assert str(path) in caught.value.message
    assert before == (path.read_bytes() if path.is_file() else None)
