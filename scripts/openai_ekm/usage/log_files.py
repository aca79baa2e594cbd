"""Log files on this machine: given by name, or found in folders."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING, Final

from openai_ekm.errors import BadInput
from openai_ekm.usage.target import LAST_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.usage.target import Target

__all__ = ["SLACK", "LogName", "days", "files_in", "name_of"]

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
