"""The baseline: differences that somebody reviewed and accepts, each for a reason, until a day.

The file stands beside the configuration and goes through the same review. It is read as text of a
stranger: every member has its form and its length, and no entry stands twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.drift.difference import (
    ID,
    Acceptance,
    Difference,
    State,
    Subject,
    canonical,
    identify,
)
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_json
from openai_ekm.printable import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["LONGEST", "MOST", "SCHEMA", "Baseline", "Entry", "parse", "serialise"]

SCHEMA: Final = "ekm-drift-baseline/1"
MOST: Final = 1000  # entries; a person reviews them
LONGEST: Final = 366  # days that a difference can be accepted for
_LENGTHS: Final = {
    "subject": 2048,
    "role_arn": 2048,
    "kms_arn": 2048,
    "reason": 2048,
    "by": 256,
}
_CHECK: Final = re.compile(r"[a-z_]{1,40}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted difference, as it was when it was accepted."""

    id: str
    check: str
    subject: str
    role_arn: str
    kms_arn: str
    meant: Any
    observed: Any
    reason: str
    by: str
    accepted_on: str
    expires: str

    def as_json(self) -> dict[str, Any]:
        """Return it as the file holds it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def summary(self) -> dict[str, Any]:
        """Return it as the JSON of `ekm drift` names it."""
        names = ("id", "check", "subject", "reason", "by", "expires")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Baseline:
    """The entries for one role and key, on one day.

    Args:
        entries: Of one role and key.
        today: The day on which they are asked.
        used: Ids of the entries that accepted something.
    """

    entries: tuple[Entry, ...] = ()
    today: date = date.min
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, entries: Iterable[Entry], subject: Subject, today: date) -> Baseline:
        """Return the entries of a role and key.

        Args:
            entries: Of the file.
            subject: The role and the key.
            today: The day, in UTC.
        """
        own = (
            each
            for each in entries
            if (each.role_arn, each.kms_arn) == (subject.role_arn, subject.kms_arn)
        )
        return cls(tuple(own), today)

    @property
    def expired(self) -> tuple[Entry, ...]:
        """Return the entries whose last day is over."""
        return tuple(each for each in self.entries if self._is_over(each))

    @property
    def unused(self) -> tuple[Entry, ...]:
        """Return the entries in force that accepted nothing that is there."""
        return tuple(each for each in self._in_force() if each.id not in self.used)

    def reviewed(self, check: str, subject: str, meant: Any) -> Any:
        """Return the document that was accepted at a place; None where none was.

        Args:
            check: Id of the check.
            subject: What the document is called.
            meant: The document that was meant: an entry for another one counts for nothing.
        """
        entry = self._entry(check, subject, meant)
        return None if entry is None else entry.observed

    def settle(self, difference: Difference, subject: Subject) -> Difference:
        """Return a difference with who accepts it, if somebody does.

        Args:
            difference: What was found. One that is accepted by its meaning is marked already.
            subject: The role and the key.
        """
        if difference.state is State.NO_EFFECT:
            return difference
        own = difference.id(subject)
        entry = next((each for each in self._in_force() if each.id == own), None)
        if entry is None and difference.document and difference.state is State.ACCEPTED:
            entry = self._entry(difference.check, difference.subject, difference.meant)
        if entry is None:
            return (
                replace(difference, state=State.DRIFT)
                if difference.state is State.ACCEPTED
                else difference
            )
        self.used.add(entry.id)
        told = Acceptance(entry.reason, entry.by, entry.expires)
        return replace(difference, state=State.ACCEPTED, accepted=told, remedy=None)

    def _entry(self, check: str, subject: str, meant: Any) -> Entry | None:
        wanted = canonical(meant)
        return next(
            (
                each
                for each in self._in_force()
                if (each.check, each.subject) == (check, subject)
                and canonical(each.meant) == wanted
            ),
            None,
        )

    def _in_force(self) -> tuple[Entry, ...]:
        return tuple(each for each in self.entries if not self._is_over(each))

    def _is_over(self, entry: Entry) -> bool:
        begun = date.fromisoformat(entry.accepted_on)
        # A day ahead of today, which no `ekm drift accept` writes, would lengthen the year.
        return date.fromisoformat(entry.expires) < self.today or begun > self.today


def serialise(entries: Sequence[Entry]) -> str:
    """Return a baseline as its file holds it.

    Args:
        entries: In order.
    """
    body = {"schema": SCHEMA, "accepted": [each.as_json() for each in entries]}
    return json_text(body, indent=2) + "\n"


def parse(content: bytes, place: str) -> tuple[Entry, ...]:
    """Read a baseline.

    Args:
        content: Of the file.
        place: Its name, for messages.

    Raises:
        BadInput: It is no baseline, or an entry is malformed.
    """
    try:
        value = read_json(content)
    except UnreadableJsonError as error:
        raise _malformed(place, str(error)) from None
    if not isinstance(value, dict):
        raise _malformed(place, "is not a JSON object")
    if value.get("schema") != SCHEMA:
        raise _malformed(place, f"has the schema {value.get('schema')!r} and not {SCHEMA!r}")
    accepted = value.get("accepted")
    if value.keys() != {"schema", "accepted"} or not isinstance(accepted, list):
        raise _malformed(place, "must have the members schema and accepted, a list, alone")
    if len(accepted) > MOST:
        raise _malformed(place, f"has {len(accepted)} entries, and at most {MOST} are read")
    entries = tuple(_entry(each, f"accepted[{at}]", place) for at, each in enumerate(accepted))
    met: set[str] = set()
    for index, each in enumerate(entries):
        if each.id in met:
            raise _malformed(place, f"has accepted[{index}] twice: {each.id}")
        met.add(each.id)
    return entries


def _entry(value: Any, path: str, place: str) -> Entry:
    if not isinstance(value, Mapping):
        raise _malformed(place, f"has {path} that is not an object")
    wanted = set(Entry.__slots__)
    if value.keys() != wanted:
        odd = min(wanted.symmetric_difference(map(str, value)))
        lacks = "lacks" if odd in wanted else "has the unknown member"
        raise _malformed(place, f"has {path} that {lacks} {odd!r}")
    for name, longest in _LENGTHS.items():
        text = value[name]
        if not isinstance(text, str) or not 0 < len(text.strip()) <= longest:
            raise _malformed(place, f"has {path}.{name} that is no text of 1 to {longest} letters")
    if not isinstance(value["id"], str) or not ID.fullmatch(value["id"]):
        raise _malformed(place, f"has {path}.id that is no id of a difference")
    if not isinstance(value["check"], str) or not _CHECK.fullmatch(value["check"]):
        raise _malformed(place, f"has {path}.check that is no name of a check")
    days = {name: _day(value[name], f"{path}.{name}", place) for name in ("accepted_on", "expires")}
    if (days["expires"] - days["accepted_on"]).days > LONGEST:
        raise _malformed(place, f"has {path} that is accepted for more than {LONGEST} days")
    entry = Entry(**{name: value[name] for name in Entry.__slots__})
    of = Subject(entry.role_arn, entry.kms_arn)
    if identify(of, entry.check, entry.subject, entry.meant, entry.observed) != entry.id:
        raise _malformed(
            place,
            f"has {path} whose id is not that of its check, subject, role, key, meant and "
            "observed: it was changed by hand",
        )
    return entry


def _day(value: Any, path: str, place: str) -> date:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _malformed(place, f"has {path} that is no day, as in 2027-03-31")


def _malformed(place: str, wrong: str) -> BadInput:
    return BadInput(
        "drift_baseline_malformed",
        f"The baseline {place} {wrong}.",
        at_fault=place,
        remedy="Take the file from its history, or accept the differences again with `ekm drift "
        "accept`. Only `reason`, `by` and `expires` may be changed by hand.",
    )
