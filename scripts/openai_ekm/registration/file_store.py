"""A record in a file: locked for the whole run, and replaced by an atomic rename."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from openai_ekm.errors import BadInput, RecordUnreadable
from openai_ekm.files import write_atomically
from openai_ekm.registration import record as records
from openai_ekm.registration.record import Held

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.registration.record import Record

__all__ = ["FileStore"]


class FileStore:
    """`--record file:PATH`; the lock is `PATH.lock` and ends with the process that holds it.

    Raises:
        BadInput: The folder is not there, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.place = f"file:{path}"
        try:
            # By its own name: two links to one record are one record, with one lock.
            self._path = path.resolve()
            wrong = _unusable(self._path)
        except (OSError, RuntimeError) as failure:  # Python 3.11 and 3.12: a loop of links
            wrong = f"cannot be reached: {_words(failure)}"
        if wrong:
            raise BadInput(
                "record_place_unusable",
                f"The record {self.place} {wrong}.",
                at_fault="--record",
                remedy="Name a file in a folder that exists: --record file:ekm-record.json.",
            )
        self._lock = FileLock(f"{self._path}.lock", mode=0o600)

    def read(self) -> Record | None:
        """Return the record, None when the file does not exist."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as failure:
            raise RecordUnreadable(
                "record_unreadable",
                f"The record at {self.place} cannot be read: {_words(failure)}.",
                at_fault=self.place,
                remedy="Make it readable for this user, or name another with --record.",
            ) from None
        return records.parse(text, self.place)

    def try_claim(self) -> int | Held:
        """Take the lock, or say that another process has it."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return Held("another process on this machine")
        except (OSError, NotImplementedError) as failure:  # filelock's word for no locks here
            raise BadInput(
                "record_place_unusable",
                f"The record {self.place} cannot be locked: {_words(failure)}.",
                at_fault="--record",
                remedy="Name a file in a folder that this user can write.",
            ) from None
        try:
            record = self.read()
        except BaseException:
            self.release()
            raise
        return 1 + (record.claim if record else 0)

    def still_held(self) -> bool:
        """Return True: a lock of the operating system is not lost while the process lives."""
        return self._lock.is_locked

    def renew(self) -> None:
        """Do nothing: a lock does not expire."""

    def write(self, record: Record) -> None:
        """Replace the record as a whole."""
        try:
            write_atomically(self._path, records.serialise(record, indent=2) + "\n")
        except OSError as failure:
            raise BadInput(
                "record_not_written",
                f"The record {self.place} cannot be written: {_words(failure)}."
                + (f" It would name {record.external_key_id}." if record.external_key_id else ""),
                at_fault="--record",
                remedy="Make room or give this user the right to write; the next run adopts.",
            ) from None

    def delete(self) -> None:
        """Delete the file."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as failure:
            raise BadInput(
                "record_not_written",
                f"The record {self.place} cannot be deleted: {_words(failure)}.",
                at_fault="--record",
                remedy="Give this user the right to delete it, then run again.",
            ) from None

    def release(self) -> None:
        """Give the lock back; its file stays, since removing it could let two runs in."""
        with contextlib.suppress(OSError):
            self._lock.release()


def _unusable(path: Path) -> str | None:
    """Return why no record can be there; None when it can."""
    if path.is_dir():
        return "is a folder"
    if path.is_symlink():  # still, when all links were followed
        return "is a link that leads to itself"
    if path.exists() and not path.is_file():
        return "is not a file"
    return None if path.parent.is_dir() else "is in a folder that does not exist"


def _words(failure: Exception) -> str:
    return (failure.strerror if isinstance(failure, OSError) else None) or str(failure)
