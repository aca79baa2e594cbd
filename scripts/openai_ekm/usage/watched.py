"""The events that matter, from the table of watches of modules/monitoring.

`watched.json` is made of modules/monitoring/watches/watches.json.tftpl by tools/docs.py: there is
one list, and the package travels without the module's folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["Watched", "is_needed", "is_use", "uses", "watched"]


@dataclass(frozen=True, slots=True)
class Watched:
    """One watch.

    Args:
        id: Its name, as in docs/operate/runbook.md.
        severity: critical, warning or info.
        summary: What its message says.
        source: CloudTrail's event source.
        events: Names of the events.
        refused: Whether it is about calls that AWS refused.
        subject: What an event must name: key, role or trail; session for what one does otherwise.
    """

    id: str
    severity: str
    summary: str
    source: str
    events: tuple[str, ...]
    refused: bool
    subject: str


@cache
def watched() -> tuple[Watched, ...]:
    """Return the watches that a trail can answer."""
    rows = json.loads(_text())["watches"]
    return tuple(Watched(**{**row, "events": tuple(row["events"])}) for row in rows)


@cache
def uses() -> tuple[str, ...]:
    """Return the names of the calls that use a key, as patterns of LIKE."""
    return tuple(json.loads(_text())["uses"])


@cache
def _needed() -> frozenset[tuple[str, str]]:
    return frozenset((watch.source, name) for watch in watched() for name in watch.events)


@cache
def _prefixes() -> tuple[str, ...]:
    return tuple(pattern.rstrip("%") for pattern in uses())


def is_needed(source: str, name: str) -> bool:
    """Return whether the queries ask for events of this source and name."""
    if is_use(source, name):
        return True
    if source == "sts.amazonaws.com":
        return name.startswith("AssumeRole")
    return (source, name) in _needed()


def is_use(source: str, name: str) -> bool:
    """Return whether a call of this source and name uses a key."""
    return source == "kms.amazonaws.com" and name.startswith(_prefixes())


def _text() -> str:
    return resources.files(__package__).joinpath("watched.json").read_text(encoding="utf-8")
