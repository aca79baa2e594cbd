"""What makes a document one that AWS would not have saved, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MalformedPolicy", "each_of"]

Read = TypeVar("Read")


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


def each_of(texts: tuple[str, ...], read: Callable[[str], Read]) -> tuple[Read, ...]:
    """Read each text of a list.

    Args:
        texts: The list.
        read: What reads one.

    Returns:
        What was read.

    Raises:
        MalformedPolicy: What `read` raised, its place the text's index in brackets.
    """
    found: list[Read] = []
    for index, text in enumerate(texts):
        try:
            found.append(read(text))
        except MalformedPolicy as fault:
            raise MalformedPolicy(fault.message, f"[{index}]") from None
    return tuple(found)
