"""One case: an event, and the watches that must see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Case", "case", "elsewhere", "named"]


@dataclass(frozen=True, slots=True)
class Case:
    """One event.

    Attributes:
        name: What happens, in words.
        event: The event.
        watches: Ids of the watches that see it: all of them, and no other.
    """

    name: str
    event: dict[str, Any]
    watches: frozenset[str]


def case(name: str, event: dict[str, Any], *watches: str) -> Case:
    """A case with the watches that must see its event; without one it is a near miss."""
    return Case(name, event, frozenset(watches))


def named(who: dict[str, Any]) -> str:
    """An identity in words."""
    return f"{who['type']} {who.get('arn', who.get('accountId', 'of AWS'))}"


def elsewhere(value: Any) -> Any:
    """The parameters of a change of another instance's monitoring."""
    if isinstance(value, list):
        return [elsewhere(each) for each in value]
    return str(value).replace("openai-ekm", "openai-ekm-2")
