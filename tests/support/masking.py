"""What a frozen document does not promise, hidden: sentences, ids drawn at random, times."""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["masked"]

_VOLATILE: Final = re.compile(
    r"(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"|(?P<extkey>extkey_[0-9A-Za-z]{16,})"
    r"|(?P<proj>proj_[0-9A-Za-z]{16,})"
    r"|(?P<req>req_[0-9a-f]{8,})"
    r"|(?P<hex>\b[0-9a-f]{16,}\b)"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00))"
)
_WORDS_OF_PROSE: Final = 3  # blanks in a text from which on it is a sentence, not a value
_FIGURES: Final = frozenset({"seconds", "created_at", "archived_at", "duration", "pid", "at"})


def masked(value: Any, seen: dict[str, str], member: str = "") -> Any:
    """Hide what a contract does not promise: sentences, ids drawn at random, times.

    Args:
        value: Of JSON.
        seen: What each volatile text is called; the order of first sight names it.
        member: The name under which the value stands.
    """
    if isinstance(value, dict):
        inherited = member if member in _FIGURES else ""
        return {masked(k, seen): masked(v, seen, inherited or str(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(each, seen, member) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and member in _FIGURES:
        return f"<{member}>"
    if not isinstance(value, str):
        return value
    if value.count(" ") >= _WORDS_OF_PROSE:
        return "<prose>"

    def name(match: re.Match[str]) -> str:
        kind = str(match.lastgroup)
        if kind == "time":
            return "<time>"
        count = sum(each.startswith(f"<{kind} ") for each in seen.values()) + 1
        return seen.setdefault(match.group(), f"<{kind} {count}>")

    return _VOLATILE.sub(name, value)
