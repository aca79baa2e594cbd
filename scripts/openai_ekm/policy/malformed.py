"""Faults for which AWS would not save a document, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MalformedPolicy", "each_of"]

Read = TypeVar("Read")


class MalformedPolicy(ValueError):
    """A policy document that AWS refuses to save, or of which its pages do not say whether it does.

    Args:
        message: What is wrong, with the value found.
        place: Where, as a path from the document's root: `Statement[1].Condition.StringEquals`;
            empty for the document as a whole.
        instead: Where AWS's pages conflict, what stands in the place of the one text in a document
            that AWS surely saves and that means what the text seems to mean; else None.
    """

    def __init__(
        self, message: str, place: str = "", instead: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place
        self.instead = instead

    @property
    def disputed(self) -> bool:
        """Return whether AWS's pages conflict: then it is open whether AWS saves the document."""
        return self.instead is not None

    def at(self, place: str) -> MalformedPolicy:
        """Return the same fault, at another place."""
        return MalformedPolicy(self.message, place, self.instead)

    def inside(self, outer: str) -> MalformedPolicy:
        """Return the same fault, seen from the element that holds the place."""
        if not self.place:
            return self.at(outer)
        joint = "" if self.place.startswith("[") else "."
        return self.at(f"{outer}{joint}{self.place}")


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
            raise fault.at(f"[{index}]") from None
    return tuple(found)
