"""A record in a file."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openai_ekm.errors import BadInput, RecordUnreadable
from openai_ekm.registration.file_store import FileStore
from openai_ekm.registration.record import Held
from tests.unit.registration.record_samples import RECORD

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from openai_ekm.registration.file_store import FileStore
store = FileStore(Path(sys.argv[1]))
print(store.try_claim(), flush=True)
sys.stdin.read()
"""


def test_what_is_written_is_read_and_private(tmp_path: Path) -> None:
    """A record is lost, or readable by every user of the machine."""
    store = FileStore(tmp_path / "record.json")
    assert store.read() is None
    assert store.try_claim() == 1
    store.write(RECORD)
    store.write(replace(RECORD, claim=4))
    assert store.read() == replace(RECORD, claim=4)
    assert stat.S_IMODE((tmp_path / "record.json").stat().st_mode) == 0o600
    store.release()
    assert {file.name for file in tmp_path.iterdir()} <= {"record.json", "record.json.lock"}


def test_claims_grow_with_the_record(tmp_path: Path) -> None:
    """Two runs write under the same number."""
    store = FileStore(tmp_path / "record.json")
    store.write(RECORD)
    assert store.try_claim() == RECORD.claim + 1
    store.release()


def test_lock_of_another_process_is_held_until_it_dies(tmp_path: Path) -> None:
    """Two processes register at once; or a killed one blocks the file for good."""
    path = tmp_path / "record.json"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "1\n"
        store = FileStore(path)
        assert isinstance(store.try_claim(), Held)
        assert not store.still_held()
        other.kill()
        other.wait()
    assert store.try_claim() == 1
    assert store.still_held()
    store.release()
    assert not store.still_held()


def test_failed_write_leaves_the_old_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk leaves half a record."""
    store = FileStore(tmp_path / "record.json")
    store.write(RECORD)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(BadInput) as raised:
            store.write(replace(RECORD, claim=9))
    assert raised.value.id == "record_not_written"
    assert "extkey_1" in raised.value.message
    assert store.read() == RECORD
    assert [file.name for file in tmp_path.iterdir()] == ["record.json"]


def test_delete_is_harmless_twice(tmp_path: Path) -> None:
    """A retire that is run again fails at the record."""
    store = FileStore(tmp_path / "record.json")
    store.write(RECORD)
    store.delete()
    store.delete()
    assert store.read() is None


def test_record_that_cannot_be_deleted_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a destroy is called a defect of ours."""
    store = FileStore(tmp_path / "record.json")
    store.write(RECORD)

    def denied(*_: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", denied)
        with pytest.raises(BadInput) as raised:
            store.delete()
    assert raised.value.id == "record_not_written"
    assert store.read() == RECORD


def test_two_links_to_one_record_are_one_record(tmp_path: Path) -> None:
    """Two runs lock beside their links, and each replaces its link by a record of its own."""
    for name in ("real", "link"):
        (tmp_path / name).mkdir()
    path, link = tmp_path / "real" / "record.json", tmp_path / "link" / "record.json"
    FileStore(path).write(RECORD)
    link.symlink_to(path)
    one, two = FileStore(path), FileStore(link)
    assert one.try_claim() == RECORD.claim + 1
    assert isinstance(two.try_claim(), Held)
    one.release()
    two.write(replace(RECORD, claim=9))
    assert link.is_symlink()
    assert one.read() == replace(RECORD, claim=9)


@pytest.mark.parametrize("what", ["pipe", "loop"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, what: str) -> None:
    """A run waits for ever for somebody to write into a pipe; or ends in a traceback."""
    path = tmp_path / what
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path)
    with pytest.raises(BadInput) as raised:
        FileStore(path)
    assert raised.value.id == "record_place_unusable"


def test_folder_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    """The key is registered, and then there is nowhere to write its id."""
    for path in (tmp_path / "no" / "record.json", tmp_path):
        with pytest.raises(BadInput) as raised:
            FileStore(path)
        assert raised.value.id == "record_place_unusable"


def test_unreadable_file_is_no_missing_file(tmp_path: Path) -> None:
    """A record that cannot be read counts as none, and the key is registered again."""
    path = tmp_path / "record.json"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RecordUnreadable):
        FileStore(path).read()
    with pytest.raises(RecordUnreadable):
        FileStore(path).try_claim()
    path.write_text("")
    store = FileStore(path)
    with pytest.raises(RecordUnreadable):
        store.try_claim()
    assert not store.still_held()
