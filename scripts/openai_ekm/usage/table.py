"""The table of events in DuckDB, on disk, so that memory does not follow the number of events."""

from __future__ import annotations

import csv
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from openai_ekm.errors import BadInput
from openai_ekm.usage.columns import COLUMNS
from openai_ekm.usage.query_texts import DEFINITIONS, given, query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from openai_ekm.usage.columns import Row
    from openai_ekm.usage.target import Target

__all__ = ["MEMORY", "EventTable"]

BATCH: Final = 20_000  # rows; enough that a batch's own cost does not show
_NOT_WRITTEN: Final = (
    duckdb.FatalException,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
)
MEMORY: Final = "128MB"  # for DuckDB, which writes to disk what does not fit


class EventTable:
    """A table of events, and the answers to the queries about them.

    It is in a folder of its own, which only this user can read, and is gone when the block ends.

    Raises:
        BadInput: It cannot be written: here, or in any method.
    """

    def __init__(self) -> None:
        self._rows: list[Row] = []
        with _disk():
            self._folder = tempfile.TemporaryDirectory(prefix="ekm-usage-")
        place = Path(self._folder.name)
        self._batch = place / "batch.csv"
        try:
            with _disk():
                self._begin(place)
        except BadInput:
            self._folder.cleanup()
            raise

    def _begin(self, place: Path) -> None:
        self._base = duckdb.connect(str(place / "events.duckdb"))
        for name, value in {
            "memory_limit": MEMORY,
            "threads": 2,
            "preserve_insertion_order": False,
            "temp_directory": str(place / "spilled"),
            "allowed_directories": [str(place)],
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_access": False,
            "lock_configuration": True,
        }.items():
            self._base.execute(f"SET {name} = {_setting(value)}")
        types = ", ".join(
            f"{name} {'TIMESTAMP' if name == 'event_time' else 'VARCHAR'}" for name in COLUMNS
        )
        self._base.execute(f"CREATE TABLE events ({types})")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()
        with suppress(OSError):
            self._folder.cleanup()

    def add(self, rows: Iterable[Row]) -> int:
        """Add rows; return how many."""
        count = 0
        for row in rows:
            self._rows.append(row)
            count += 1
            if len(self._rows) >= BATCH:
                self._write()
        return count

    def define(self, target: Target) -> None:
        """Make the tables that the answers use, for one key and one role."""
        self._write()
        tables = {**given(target), **{name: query(name) for name in DEFINITIONS}}
        with _disk():
            for name, text in tables.items():
                self._base.execute(f"CREATE TABLE {name} AS {text}")

    def answer(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of an answer, each by its columns' names."""
        with _disk():
            found = self._base.execute(query(name))
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def copies(self) -> dict[int, int]:
        """Return how many rows of each source are copies of a record that another row has."""
        with _disk():
            found = self._base.execute(
                "SELECT e.source, count(*) FROM events AS e GROUP BY e.source"
            ).fetchall()
            rows = self._base.execute("SELECT source, count(*) FROM records GROUP BY source")
            kept = dict(rows.fetchall())
        return {int(source): count - kept.get(source, 0) for source, count in found}

    def _write(self) -> None:
        if not self._rows:
            return
        with _disk():
            # A half of a surrogate pair is no text: it is written as its escape.
            with self._batch.open(
                "w", encoding="utf-8", errors="backslashreplace", newline=""
            ) as file:
                csv.writer(file, lineterminator="\n").writerows(self._rows)
            self._rows.clear()
            self._base.execute(
                f"COPY events FROM {_setting(str(self._batch))} (FORMAT csv, HEADER false, "
                "AUTO_DETECT false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '', "
                "TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%SZ')"
            )


@contextmanager
def _disk() -> Iterator[None]:
    """Tell a table that cannot be written from a source that cannot be read.

    Raises:
        BadInput: The table cannot be written.
    """
    try:
        yield
    except (OSError, *_NOT_WRITTEN) as failure:
        words = failure.strerror if isinstance(failure, OSError) else None
        told = words or str(failure).partition("\n")[0].rstrip(".")
        raise BadInput(
            "usage_table_not_written",
            f"The table of events cannot be written to the folder for temporary files: {told}.",
            at_fault="TMPDIR",
            remedy="Make room there, or name in TMPDIR a folder that has room and may be written "
            "to.",
        ) from None


def _setting(value: object) -> str:
    """Return a value as DuckDB writes it."""
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_setting, value))}]"
    return "'" + str(value).replace("'", "''") + "'"
