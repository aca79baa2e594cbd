"""Results kept by the text they were made from: bounded in number and in size.

A stream of a million cases may hold texts of any length; only short ones are kept, so that what
is kept stays small whatever comes.
"""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LONGEST_KEPT", "kept_by_text", "total"]

Made = TypeVar("Made")

# Characters. ARNs have at most 2,048; most texts of a policy are far shorter.
LONGEST_KEPT = 2048


def kept_by_text(maxsize: int) -> Callable[[Callable[[str], Made]], Callable[[str], Made]]:
    """Keep what a function makes of a text.

    Args:
        maxsize: How many results are kept, the least recently used given up first.

    Returns:
        The decorator; texts longer than `LONGEST_KEPT` are read anew each time.
    """

    def decorate(make: Callable[[str], Made]) -> Callable[[str], Made]:
        kept = lru_cache(maxsize)(make)

        @wraps(make)
        def made(text: str) -> Made:
            return kept(text) if len(text) <= LONGEST_KEPT else make(text)

        made.kept = kept  # type: ignore[attr-defined]
        return made

    return decorate


def total(texts: tuple[str, ...]) -> int:
    """How many characters some texts have together."""
    return sum(map(len, texts))
