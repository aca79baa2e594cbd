"""What makes a proof give up: it then counts as failed, never as held."""

from __future__ import annotations

__all__ = ["Undecidable"]


class Undecidable(Exception):
    """A question whose classes are too many to go through.

    Args:
        reason: What there is too much of, and how much was allowed.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
