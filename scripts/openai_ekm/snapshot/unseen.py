"""The difference between "not there" and "not looked at"."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypeAlias

__all__ = ["UNSEEN", "Unseen", "UnseenType"]


class Unseen(Enum):
    """Stands for a member that was not collected; `None` stands for one that is not there."""

    UNSEEN = "unseen"

    def __bool__(self) -> Literal[False]:
        """Read as false: nothing was seen."""
        return False


UNSEEN: Final = Unseen.UNSEEN
UnseenType: TypeAlias = Literal[Unseen.UNSEEN]
