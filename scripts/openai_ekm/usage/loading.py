"""Load log files and other sources into the table, and count what was read and what was not."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from openai_ekm.errors import BadInput
from openai_ekm.usage.columns import COLUMNS, MalformedRecordError, row_of, time_of
from openai_ekm.usage.record_stream import UnreadableLogError, records
from openai_ekm.usage.target import LAST_YEAR, time_text
from openai_ekm.usage.watched import is_needed, is_use

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openai_ekm.usage.columns import Row
    from openai_ekm.usage.table import EventTable
    from openai_ekm.usage.target import Target

__all__ = ["SLACK", "Counted", "Loader", "LogName", "Unread", "days", "files_in", "name_of"]

# A trail delivers events within minutes, and the file's day is that of its delivery.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html
SLACK: Final = timedelta(days=1)
_LOG: Final = re.compile(
    r"(?P<account>\d{12})_CloudTrail_(?P<region>[a-z0-9-]+)_(?P<day>\d{8})T\d{4}Z_[A-Za-z0-9]+"
    r"\.json(\.gz)?"
)
_ENDINGS: Final = (".json", ".json.gz")


@dataclass(frozen=True, slots=True)
class LogName:
    """The parts of a log file's name.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
    """

    account: str
    region: str
    day: datetime

    def may_concern(self, target: Target) -> bool:
        """Return whether records about the key and the role can be in the file."""
        if self.account not in {target.key_account, target.role_account}:
            return False
        if target.regions and self.region not in target.regions:
            return False
        if target.since is not None and self.day + SLACK <= target.since - SLACK:
            return False
        return target.until is None or self.day <= target.until + SLACK


def name_of(file: str) -> LogName | None:
    """Return what a file's name says; None for a name that is not of a trail."""
    found = _LOG.fullmatch(file)
    if found is None:
        return None
    try:
        day = datetime.strptime(found["day"], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    if day.year > LAST_YEAR:
        return None
    return LogName(found["account"], found["region"], day)


def days(target: Target, now: datetime) -> list[datetime]:
    """Return the days whose folders can hold what is asked for; empty where any day can.

    Args:
        target: With its times.
        now: The time of this run.
    """
    first = target.earliest
    if first is None:
        return []
    last = min((target.until or now) + SLACK, now).astimezone(UTC)
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while day <= last:
        found.append(day)
        day += timedelta(days=1)
    return found


def files_in(place: str) -> Iterator[Path]:
    """Yield the log files that a file or a folder is, in the order of their names.

    Links to folders are not followed, and a folder may be listed and not entered: each of these
    is yielded as it is, so that it can be told.
    Other endings than .json and .json.gz are left out.

    Raises:
        BadInput: There is nothing at that place, or it cannot be read.
    """
    path = Path(place)
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        raise _missing(place, "does not exist") from None
    except OSError as failure:
        raise _missing(place, f"cannot be read: {failure.strerror}") from None
    except ValueError as failure:  # a name that no file can have
        raise _missing(place, f"cannot be read: {failure}") from None
    if not S_ISDIR(kind):
        yield path
        return

    def stop(failure: OSError) -> None:
        raise _missing(str(failure.filename), f"cannot be read: {failure.strerror}")

    for folder, below, names in os.walk(path, onerror=stop):
        if not os.access(folder, os.X_OK):
            below.clear()
            yield Path(folder)
            continue
        below.sort()
        yield from (Path(folder, name) for name in below if _is_link(folder, name))
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(_ENDINGS))


def _is_link(folder: str, name: str) -> bool:
    return os.path.islink(os.path.join(folder, name))  # noqa: PTH114, PTH118 - never an error


def _missing(place: str, words: str) -> BadInput:
    return BadInput(
        "trail_missing",
        f"{place} {words}.",
        at_fault=place,
        remedy="Name a log file of a trail, a folder with log files, or s3://BUCKET/PREFIX.",
    )


@dataclass(slots=True)
class Counted:
    """The counts of one source.

    Args:
        kind: file, folder, s3 or lookup.
        place: As it was named.
    """

    kind: str
    place: str
    files: int = 0
    bytes: int = 0
    records: int = 0
    kept: int = 0
    duplicates: int = 0
    aws_calls: int = 0


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was not read, or not to its end.

    Args:
        file: Its name.
        state: broken, truncated, too_large or stopped; or foreign, for what is no log of a trail.
        reason: The words follow the file's name.
        records: Records that were read before.
    """

    file: str
    state: str
    reason: str
    records: int


@dataclass(slots=True)
class _Faults:
    count: int = 0
    first: str = ""


@dataclass(slots=True)
class Loader:
    """A loader reads sources into the table.

    Args:
        table: Takes the rows.
        target: Says which records are needed.
    """

    table: EventTable
    target: Target
    sources: list[Counted] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    first: str | None = None
    last: str | None = None
    _since: str = ""
    _before: str = ""
    _until: str = ""

    def __post_init__(self) -> None:
        if self.target.since is not None:
            self._since = time_text(self.target.since)
        if self.target.earliest is not None:
            self._before = time_text(self.target.earliest)
        if self.target.until is not None:
            self._until = time_text(self.target.until)

    @property
    def has_met_a_log(self) -> bool:
        """Return whether anything was read, or was met that may be a log and cannot be read."""
        if any(each.files or each.kind == "lookup" for each in self.sources):
            return True
        return any(each.state != "foreign" for each in self.unread)

    def add_source(self, kind: str, place: str) -> Counted:
        """Begin with another source."""
        counted = Counted(kind, place)
        self.sources.append(counted)
        return counted

    def read_place(self, place: str) -> None:
        """Read a file, or every log file in a folder.

        Raises:
            BadInput: There is nothing at that place.
        """
        counted = self.add_source("folder" if os.path.isdir(place) else "file", place)  # noqa: PTH112 - a name that no file can have is no folder
        for path in files_in(place):
            named = name_of(path.name)
            if counted.kind == "folder" and named and not named.may_concern(self.target):
                continue
            if not os.path.isfile(path):  # noqa: PTH113 - of a folder that is closed it says no
                self._note_no_file(counted, path)
                continue
            try:
                with path.open("rb") as stream:
                    counted.bytes += os.fstat(stream.fileno()).st_size
                    self.read_log(counted, str(path), stream)
            except OSError as failure:
                self.note(str(path), "broken", f"cannot be read: {failure.strerror}", 0)

    def read_log(self, counted: Counted, name: str, stream: BinaryIO) -> None:
        """Read one log file to its end, or to its first fault, which is noted.

        Args:
            counted: The source that it is of.
            name: The file's name, for people.
            stream: The file.
        """
        counted.files += 1
        before = counted.records
        try:
            self.read_records(counted, name, records(stream))
        except UnreadableLogError as failure:
            state = failure.state
            if state == "foreign" and (counted.kind == "file" or _is_log(name)):
                state = "broken"
            self.note(name, state, failure.reason, counted.records - before)

    def read_records(self, counted: Counted, name: str, found: Iterable[Any]) -> None:
        """Take records that are decoded already."""
        before = counted.records
        faults = _Faults()
        counted.kept += self.table.add(self._rows(counted, found, faults))
        self._note_faults(name, faults, counted.records - before)

    def finish(self) -> None:
        """Count the copies, once the tables are defined."""
        for number, count in self.table.copies().items():
            self.sources[number].duplicates = count

    def _rows(self, counted: Counted, found: Iterable[Any], faults: _Faults) -> Iterator[Row]:
        """Yield the rows that the queries need."""
        number = str(self.sources.index(counted))
        for record in found:
            try:
                when = time_of(record)
                counted.records += 1
                if self._is_left_out(record, when):
                    continue
                row = row_of(record, number)
                _check_key(row)
                yield row
            except MalformedRecordError as fault:
                faults.count += 1
                faults.first = faults.first or str(fault)

    def _is_left_out(self, record: dict[str, Any], when: str) -> bool:
        source, name = record.get("eventSource"), record.get("eventName")
        if not isinstance(source, str) or not isinstance(name, str):
            raise MalformedRecordError("has no eventSource or no eventName")
        if self._until and when >= self._until:
            return True
        if when < self._since and (source != "sts.amazonaws.com" or when < self._before):
            return True
        if when >= self._since:
            self.first = when if self.first is None else min(self.first, when)
            self.last = when if self.last is None else max(self.last, when)
        return not is_needed(source, name) and not _is_of_session(record, self.target.role_arn)

    def _note_faults(self, name: str, faults: _Faults, read: int) -> None:
        if faults.count:
            number = "1 record" if faults.count == 1 else f"{faults.count} records"
            words = f"has {number} that cannot be used: the first {faults.first}"
            self.note(name, "broken", words, read)

    def _note_no_file(self, counted: Counted, path: Path) -> None:
        """Note a place that is no file, or cannot be looked at: broken where it may hide a log.

        Args:
            counted: The source that it is of.
            path: The place.
        """
        try:
            kind = path.stat().st_mode
        except FileNotFoundError:
            kind = 0
        except OSError as failure:
            self.note(str(path), "broken", f"cannot be read: {failure.strerror}", 0)
            return
        if S_ISDIR(kind):
            words = "may be listed and not entered: no file in it was read"
            if os.path.islink(path):  # noqa: PTH114 - never an error
                words = "is a link to a folder, which is not followed"
            self.note(str(path), "broken", words, 0)
            return
        state = "broken" if counted.kind == "file" or _is_log(path.name) else "foreign"
        self.note(str(path), state, "is not a file", 0)

    def note(self, name: str, state: str, reason: str, read: int) -> None:
        """Note what was not read, or not to its end."""
        self.unread.append(Unread(name, state, reason, read))


def _is_of_session(record: dict[str, Any], role_arn: str) -> bool:
    """Return whether a session of the role made the call."""
    found: Any = record
    for member in ("userIdentity", "sessionContext", "sessionIssuer", "arn"):
        found = found.get(member) if isinstance(found, dict) else None
    return isinstance(found, str) and found.lower() == role_arn.lower()


def _check_key(row: Row) -> None:
    """Check that a use of a key says which, unless AWS refused it.

    Raises:
        MalformedRecordError: It does not.
    """
    told = dict(zip(COLUMNS, row, strict=True))
    source, name = told["event_source"] or "", told["event_name"] or ""
    named = told["error_code"] or told["key_arns"] or told["named_key"]
    if is_use(source, name) and named is None:
        raise MalformedRecordError("names no key")


def _is_log(name: str) -> bool:
    """Return whether a file is named as a log file of a trail."""
    return name_of(name.replace("\\", "/").rpartition("/")[2]) is not None
