"""State in SQLite: it survives, it is ours, and it is consistent."""

from __future__ import annotations

import os
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from openai_ekm.emulator.store import Event, ExternalKeyRow, ProjectRow, Store
from openai_ekm.errors import BadInput
from tests.support.other_users import ROOT, STRANGER

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
    first.add_observation("s", "{}", at=13.0)
    first.close()
    second = Store(path)
    assert second.external_key("extkey_1") == KEY
    assert second.projects() == [PROJECT]
    assert second.events() == [EVENT]
    assert second.observations("s") == [(13.0, "{}")]
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


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_every_file_of_the_database_is_private(tmp_path: Path, mode: str) -> None:
    """What is registered would be readable by every user: in the database, or beside it."""
    path = tmp_path / "openai.sqlite3"
    before = os.umask(0)
    try:
        store = Store(path)
        store._rows(f"PRAGMA journal_mode = {mode}")
        seen = set()
        for _ in range(2):
            with store.transaction():
                store.add_observation("s", "{}", at=13.0)
                seen |= {
                    (file.name, stat.S_IMODE(file.stat().st_mode)) for file in tmp_path.iterdir()
                }
            path.chmod(0o644)  # as an earlier version left it
            store.close()
            store = Store(path)
        store.close()
    finally:
        os.umask(before)
    assert len(seen) > 1
    assert {found for _, found in seen} == {0o600}, seen
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("end", ["", "-journal", "-wal"])
def test_a_file_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """SQLite takes what lies beside a database into it: another user could write the state."""
    Store(tmp_path / "openai.sqlite3").close()
    (tmp_path / f"openai.sqlite3{end}").touch()
    if ROOT:
        os.chown(tmp_path / f"openai.sqlite3{end}", STRANGER, STRANGER)
    else:  # no file of another user can be made: this user is another one then
        monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    with pytest.raises(BadInput, match="belongs to another user"):
        Store(tmp_path / "openai.sqlite3")
