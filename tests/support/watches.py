"""The table of watches, modules/monitoring/watches/watches.json.tftpl, without its values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = [
    "ALL_MANAGEMENT_EVENTS",
    "FORWARDS",
    "NAMES",
    "OPERATORS",
    "WATCHES",
    "Watch",
    "operators",
]

MODULE: Final = Path(__file__).parents[2] / "modules" / "monitoring" / "watches"
TABLE: Final = MODULE / "watches.json.tftpl"
ALL_MANAGEMENT_EVENTS: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
# Those that the patterns need, of all that there are:
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
OPERATORS: Final = frozenset(
    {"anything-but", "equals-ignore-case", "exists", "prefix", "suffix", "wildcard"}
)
PLACE: Final = re.compile(r"\$\{(\w+)\}")
TEXT: Final = TABLE.read_text(encoding="utf-8")
# What the module puts into the patterns.
NAMES: Final = frozenset(PLACE.findall(TEXT))


@dataclass(frozen=True, slots=True)
class Watch:
    """One row of the table.

    Attributes:
        id: Its name, in rules, alarms, messages and the runbook.
        severity: `critical`, `warning` or `info`.
        summary: The sentence that its message opens with.
        maker: Who makes its event: `caller` of an API, or `aws`.
        notified_by: What sends the message: an event, or an alarm on a metric.
        needs: What must be set for it to exist; None for nothing.
        maintenance: Whether maintenance principals are left to a watch of their own.
        state: Of its rule; None without a rule.
        pattern: Of its rule, with the names of what is put in; None without a rule.
    """

    id: str
    severity: str
    summary: str
    maker: str
    notified_by: str
    needs: str | None
    maintenance: bool
    state: str | None
    pattern: dict[str, Any] | None


_read: Final = json.loads(PLACE.sub(r'"${\1}"', TEXT))
WATCHES: Final = tuple(Watch(**row) for row in _read["watches"])
FORWARDS: Final[tuple[dict[str, Any], ...]] = tuple(_read["forwards"])


def operators(pattern: dict[str, Any]) -> set[str]:
    """Return the comparison operators that a pattern uses.

    Args:
        pattern: A pattern, or a part of one that is an object.
    """
    found: set[str] = set()
    for name, value in pattern.items():
        if isinstance(value, dict):
            found |= operators(value)
        elif name == "$or" and isinstance(value, list):
            found = found.union(*map(operators, value))
        elif isinstance(value, list):
            found = found.union(*(each for each in value if isinstance(each, dict)))
    return found
