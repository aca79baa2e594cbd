"""The emulated organization in SQLite. It survives a restart and has no admin key."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["MEMORY", "Event", "ExternalKeyRow", "ProjectRow", "Store"]

MEMORY: Final = ":memory:"
_FILES: Final = ("", "-journal", "-wal", "-shm")  # SQLite's own, beside the database
# Written into the file's header: a file of another program, or version, is refused.
_APPLICATION_ID: Final = 0x454B4D45
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE external_keys (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, purpose TEXT NOT NULL, name TEXT NOT NULL,
  role_arn TEXT NOT NULL, kms_arn TEXT NOT NULL, external_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL, created_at REAL NOT NULL, deleted_at REAL);
CREATE TABLE projects (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, created_at REAL NOT NULL, archived_at REAL,
  external_key_id TEXT, residency TEXT, geography TEXT, is_default INTEGER NOT NULL);
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, effective_at REAL NOT NULL,
  project_id TEXT NOT NULL, actor_key_id TEXT NOT NULL, resource_id TEXT NOT NULL,
  details TEXT NOT NULL);
CREATE TABLE observations (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  subject TEXT NOT NULL, seen_at REAL NOT NULL, documents TEXT NOT NULL);
CREATE INDEX observations_by_subject ON observations (subject, sequence);
"""
# Came later: a file that has no such table gets one.
_STORAGES: Final = """
CREATE TABLE IF NOT EXISTS storages (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class ExternalKeyRow:
    """A registration as stored; times are Unix seconds."""

    id: str
    type: str
    purpose: str
    name: str
    role_arn: str
    kms_arn: str
    external_id: str
    workspace_id: str
    created_at: float
    deleted_at: float | None = None


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project as stored; times are Unix seconds."""

    id: str
    name: str
    created_at: float
    archived_at: float | None = None
    external_key_id: str | None = None
    residency: str | None = None
    geography: str | None = None
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """An audit-log event as stored."""

    id: str
    type: str
    effective_at: float
    project_id: str
    actor_key_id: str
    resource_id: str
    details: dict[str, Any]


_KEY_COLUMNS: Final = ", ".join(ExternalKeyRow.__slots__)
_PROJECT_COLUMNS: Final = ", ".join(ProjectRow.__slots__)
_EVENT_COLUMNS: Final = ", ".join(Event.__slots__)


class Store:
    """The organization's registrations, projects and events.

    Args:
        path: SQLite file, made for this user alone when it is not there; `:memory:` keeps nothing.

    Raises:
        BadInput: `emulator_database`, when the file is no database of this emulator.
    """

    def __init__(self, path: str | Path = MEMORY) -> None:
        self._lock = threading.RLock()
        files = [] if str(path) == MEMORY else [Path(f"{path}{end}") for end in _FILES]
        try:
            _make_private(files)
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise _unusable(path, str(error)) from error
        try:
            self._prepare()
        except (sqlite3.Error, _Foreign) as error:
            self._connection.close()
            raise _unusable(path, str(error)) from error
        for file in files:
            with suppress(FileNotFoundError):
                file.chmod(0o600)  # an earlier version left it readable

    def _prepare(self) -> None:
        application = self._connection.execute("PRAGMA application_id").fetchone()[0]
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        tables = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if tables == 0:
            self._connection.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA application_id = {_APPLICATION_ID}; "
                f"PRAGMA user_version = {_VERSION}; COMMIT;"
            )
        elif application != _APPLICATION_ID:
            raise _Foreign("it belongs to another program")
        elif version != _VERSION:
            raise _Foreign(f"it has version {version}, and this one reads {_VERSION}")
        self._connection.executescript(_STORAGES)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the state still: what is read inside is still so when it is written."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _rows(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(query, arguments).fetchall()

    def _insert(self, table: str, columns: str, values: Sequence[Any]) -> None:
        places = ", ".join("?" for _ in values)
        # Table and columns are constants of this module.
        self._rows(f"INSERT INTO {table} ({columns}) VALUES ({places})", *values)  # noqa: S608  # nosec B608 # constants of this module

    # External keys

    def add_external_key(self, row: ExternalKeyRow) -> None:
        """Store a registration."""
        values = [getattr(row, name) for name in ExternalKeyRow.__slots__]
        self._insert("external_keys", _KEY_COLUMNS, values)

    def external_keys(self, *, as_of: float | None = None) -> list[ExternalKeyRow]:
        """Return registrations, oldest first.

        Args:
            as_of: Unix seconds; what was there then. Absent: what is there now.
        """
        query = f"SELECT {_KEY_COLUMNS} FROM external_keys"  # noqa: S608  # nosec B608 # constants
        if as_of is None:
            found = self._rows(f"{query} WHERE deleted_at IS NULL ORDER BY sequence")
        else:
            found = self._rows(
                f"{query} WHERE created_at <= ? AND (deleted_at IS NULL OR deleted_at > ?) "
                "ORDER BY sequence",
                as_of,
                as_of,
            )
        return [ExternalKeyRow(*row) for row in found]

    def external_key(self, id: str, *, as_of: float | None = None) -> ExternalKeyRow | None:
        """Return one registration, or `None` when it is not there."""
        return next((row for row in self.external_keys(as_of=as_of) if row.id == id), None)

    def delete_external_key(self, id: str, *, at: float) -> None:
        """Mark a registration deleted."""
        self._rows("UPDATE external_keys SET deleted_at = ? WHERE id = ?", at, id)

    # Projects

    def add_project(self, row: ProjectRow) -> None:
        """Store a project."""
        values = [getattr(row, name) for name in ProjectRow.__slots__]
        self._insert("projects", _PROJECT_COLUMNS, values)

    def projects(
        self, *, include_archived: bool = False, as_of: float | None = None
    ) -> list[ProjectRow]:
        """Return projects, oldest first.

        Args:
            include_archived: Archived ones too.
            as_of: Unix seconds; what was there then. Absent: what is there now.
        """
        query = f"SELECT {_PROJECT_COLUMNS} FROM projects"  # noqa: S608  # nosec B608 # constants
        rows = self._rows(f"{query} ORDER BY sequence")
        found = [ProjectRow(*(*row[:-1], bool(row[-1]))) for row in rows]
        if as_of is not None:
            found = [_project_as_of(row, as_of) for row in found if row.created_at <= as_of]
        return [row for row in found if include_archived or row.archived_at is None]

    def project(self, id: str) -> ProjectRow | None:
        """Return one project, archived or not."""
        return next((row for row in self.projects(include_archived=True) if row.id == id), None)

    def save_project(self, row: ProjectRow) -> None:
        """Overwrite what may change of a project."""
        self._rows(
            "UPDATE projects SET name = ?, archived_at = ?, external_key_id = ?, geography = ? "
            "WHERE id = ?",
            row.name,
            row.archived_at,
            row.external_key_id,
            row.geography,
            row.id,
        )

    def active_projects_of(
        self, external_key_id: str, *, as_of: float | None = None
    ) -> list[ProjectRow]:
        """Return the active projects that use a key, or used it at a moment."""
        rows = self.projects(as_of=as_of)
        return [row for row in rows if row.external_key_id == external_key_id]

    # External storage

    def storages(self) -> list[dict[str, Any]]:
        """Return the buckets that are named, oldest first."""
        found = self._rows("SELECT document FROM storages ORDER BY sequence")
        return [json.loads(document) for (document,) in found]

    def save_storage(self, document: dict[str, Any]) -> None:
        """Store a bucket as it is answered, or overwrite it."""
        self._rows(
            "INSERT INTO storages (id, document) VALUES (?, ?) "
            "ON CONFLICT (id) DO UPDATE SET document = excluded.document",
            document["id"],
            json.dumps(document),
        )

    def delete_storage(self, id: str) -> None:
        """Forget a bucket."""
        self._rows("DELETE FROM storages WHERE id = ?", id)

    # Audit log

    def add_event(self, event: Event) -> None:
        """Store an event."""
        values = [getattr(event, name) for name in Event.__slots__[:-1]]
        self._insert("events", _EVENT_COLUMNS, [*values, json.dumps(event.details)])

    def events(self) -> list[Event]:
        """Return events, newest first."""
        found = self._rows(
            f"SELECT {_EVENT_COLUMNS} FROM events ORDER BY sequence DESC"  # noqa: S608  # nosec B608 # constants of this module
        )
        return [Event(*(*row[:-1], json.loads(row[-1]))) for row in found]

    # What IAM showed, and when it was first seen

    def add_observation(self, subject: str, documents: str, *, at: float) -> None:
        """Store what was seen for the first time."""
        self._insert("observations", "subject, seen_at, documents", (subject, at, documents))

    def observations(self, subject: str) -> list[tuple[float, str]]:
        """Return when what was first seen, oldest first."""
        found = self._rows(
            "SELECT seen_at, documents FROM observations WHERE subject = ? ORDER BY sequence",
            subject,
        )
        return [(row[0], row[1]) for row in found]


def _project_as_of(row: ProjectRow, moment: float) -> ProjectRow:
    """Return the project as it was: archived later is not archived yet."""
    later = row.archived_at is not None and row.archived_at > moment
    return replace(row, archived_at=None) if later else row


def _make_private(files: Sequence[Path]) -> None:
    """Make the database for this user alone; SQLite gives its further files the same mode.

    Raises:
        OSError: One of the files is another user's, or the database cannot be made.
    """
    for file in files:
        with suppress(FileNotFoundError):
            if file.lstat().st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, f"{file} belongs to another user")
    with suppress(FileExistsError):
        for file in files[:1]:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


class _Foreign(Exception):
    """A database that is not ours."""


def _unusable(path: str | Path, why: str) -> BadInput:
    return BadInput(
        "emulator_database",
        f"{path} cannot be used as the emulator's database: {why}.",
        at_fault="--database",
        remedy="Name a file that does not exist yet, or one that this emulator made.",
    )
