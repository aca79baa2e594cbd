"""What makes a document one that AWS would not have saved, and where it stands."""

from __future__ import annotations

__all__ = ["MalformedPolicy"]


class MalformedPolicy(ValueError):
    """A policy document that AWS refuses to save.

    Args:
        message: What is wrong, with the value found.
        place: Where, as a path from the document's root: `Statement[1].Condition.StringEquals`;
            empty for the document as a whole.
    """

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place

    def inside(self, outer: str) -> MalformedPolicy:
        """The same fault, seen from the element that holds the place."""
        if not self.place:
            return MalformedPolicy(self.message, outer)
        joint = "" if self.place.startswith("[") else "."
        return MalformedPolicy(self.message, f"{outer}{joint}{self.place}")
