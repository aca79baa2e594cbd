"""The time that `--at` gives: when a snapshot is judged."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.reports import Report
    from openai_ekm.snapshot import Snapshot

__all__ = ["called_at", "is_time", "noted", "parse_at"]

# Of a year before 1000 `strftime` makes no four digits.
_TIME: Final = re.compile(r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def is_time(text: str) -> bool:
    """Return whether a text is a time in UTC, as 2026-11-29T10:00:00Z."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _TIME.fullmatch(text) is not None


def parse_at(text: str | None) -> datetime | None:
    """Return the time of `--at`, None where it was not given.

    Raises:
        BadInput: It is no time.
    """
    if text is None:
        return None
    if not is_time(text):
        raise BadInput(
            "at_malformed",
            f"--at {text[:60]!r} is not a time such as 2026-11-29T10:00:00Z.",
            at_fault="--at",
            remedy="Correct it, or leave it out for the present time.",
        )
    return datetime.fromisoformat(text)


def called_at(snapshot: Snapshot, at: datetime | None) -> Snapshot:
    """Return a snapshot whose time of OpenAI's calls, if it has one, is that of `--at`."""
    if at is None or snapshot.calls.time is None:
        return snapshot
    time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return replace(snapshot, calls=replace(snapshot.calls, time=time))


def noted(reports: Sequence[Report], at: str | None) -> list[Report]:
    """Return reports of which the first says that `--at` was given."""
    made = list(reports)
    if at is not None and made:
        note = f"Conditions on the time were judged as of {at}, as --at says."
        made[0] = replace(made[0], notes=(note, *made[0].notes))
    return made
