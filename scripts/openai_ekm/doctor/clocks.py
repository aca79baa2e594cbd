"""The dates of answers, compared with this machine's clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["Clocks"]


@dataclass(slots=True)
class Clocks:
    """Seconds by which this machine is ahead of each party that answered."""

    skews: dict[str, float] = field(default_factory=dict)

    def note(self, source: str, date: str | None, start: float, end: float) -> None:
        """Take the date of an answer.

        Args:
            source: Who answered.
            date: The header `Date`; None or another text is passed over.
            start: Unix seconds when the request left.
            end: Unix seconds when the answer was there.
        """
        if not date:
            return
        try:
            there = parsedate_to_datetime(date)
        except ValueError:
            return
        if there.tzinfo is None:
            there = there.replace(tzinfo=UTC)
        moment = there.timestamp()
        # The server wrote whole seconds, at some time between the two.
        if start - 1 <= moment <= end:
            self.skews[source] = 0.0
        else:
            self.skews[source] = start - 1 - moment if moment < start else end - moment
