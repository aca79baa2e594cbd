"""Everything that has a time, in one order: what OpenAI, AWS, drills and people did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evidence.page.text import day, instant, name_of

if TYPE_CHECKING:
    from datetime import datetime

    from openai_ekm.evidence.pack import Pack

__all__ = ["Day", "Entry", "Timeline", "timeline"]

_MOST: Final = 300  # entries; the files have all


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Args:
        at: When, in UTC.
        source: Who tells: `OpenAI`, `AWS`, `Drill`, `Trail`, `ekm`.
        title: What happened.
        detail: A name or an id that belongs to it.
        serious: Whether a reviewer should look at it.
    """

    at: datetime
    source: str
    title: str
    detail: str = ""
    serious: bool = False

    @property
    def stamp(self) -> str:
        """Return the time for machines."""
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def clock(self) -> str:
        """Return the time of day for people."""
        return f"{self.at:%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Day:
    """The entries of one day."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All days, and how many of the oldest entries were left out."""

    days: tuple[Day, ...]
    earlier: int


def timeline(pack: Pack) -> Timeline:
    """Return what happened, the oldest first.

    Args:
        pack: Every member that holds a time is read.
    """
    found = sorted(_entries(pack), key=lambda each: (each.at, each.source, each.title, each.detail))
    kept = found[-_MOST:]
    days = tuple(
        Day(day(when.isoformat()), tuple(entries))
        for when, entries in groupby(kept, key=lambda each: each.at.date())
    )
    return Timeline(days, len(found) - len(kept))


def _entries(pack: Pack) -> Iterator[Entry]:
    yield from _audit(pack.audit_events)
    for drill in pack.drills:
        for event in drill["events"]:
            yield from _at(event["at"], "Drill", _text(event["text"]))
    for key in pack.rotation["keys"] if pack.rotation is not None else ():
        for rotation in key["rotations"] or ():
            kind = _text(rotation["type"]).replace("_", " ").lower()
            title = f"The key was rotated ({kind})" if kind else "The key was rotated"
            yield from _at(rotation["at"], "AWS", title, name_of(_text(key["key_arn"])))
    if pack.usage is not None:
        yield from _used(pack.usage)
    if pack.validation is not None:
        refused = pack.validation["status"] != "success"
        title = "OpenAI refused the key" if refused else "OpenAI used the key in a validation"
        detail = _text(pack.validation["request_id"])
        yield from _at(pack.validation["asked_at"], "OpenAI", title, detail, serious=refused)
    if pack.drift is not None:
        answer = pack.drift["answer"]
        title = {"same": "No drift was found", "drift": "Drift was found"}.get(
            str(answer), "Drift was looked for, and not everything was seen"
        )
        yield from _at(pack.drift["at"], "ekm", title, serious=answer == "drift")


def _audit(events: Mapping[str, Any] | None) -> Iterator[Entry]:
    for event in events["events"] if events is not None else ():
        kind = _text(event.get("type"))
        named = event.get(kind)
        ids = [_text(named.get("id"))] if isinstance(named, Mapping) else []
        project = event.get("project")
        if isinstance(project, Mapping):
            ids.append(_text(project.get("name")) or _text(project.get("id")))
        title = kind.replace(".", " ").replace("_", " ")
        title = f"{title[:1].upper()}{title[1:]}"
        detail = ", ".join(dict.fromkeys(each for each in ids if each))
        yield from _at(event.get("effective_at"), "OpenAI", title, detail)


def _used(usage: Mapping[str, Any]) -> Iterator[Entry]:
    yield from _at(usage["openai"]["first_use"], "Trail", "First call of OpenAI that was seen")
    yield from _at(usage["openai"]["last_use"], "Trail", "Last call of OpenAI that was seen")
    for event in usage["changes"]["events"]:
        title = _text(event["summary"]) or _text(event["operation"])
        serious = event["severity"] == "critical"
        yield from _at(event["time"], "Trail", title, _text(event["principal"]), serious=serious)
    for event in usage["others"]["events"]:
        title = f"Somebody else called {_text(event['operation'])}"
        yield from _at(event["time"], "Trail", title, _text(event["principal"]), serious=True)


def _at(
    value: Any, source: str, title: str, detail: str = "", *, serious: bool = False
) -> Iterator[Entry]:
    when = instant(value)
    if when is not None:
        yield Entry(when, source, title, detail, serious)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
