"""Values that are frozen to the type checker, and light to make.

A frozen dataclass sets each field through `object.__setattr__`: that costs five times as much as
plain assignment, more than reading the statement that the fields come from. So what is made for
every document and every request is frozen where it is written (mypy refuses an assignment), and
plain where it runs.

`make bench` shows what it buys: with frozen dataclasses the decision tables took 12 to 14 times
`json.loads` instead of 8 to 9, and prepared decisions 2.7 to 3.3 times instead of 1.7 to 1.9.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

__all__ = ["light"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as light
else:

    def light(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """Make a dataclass that compares and hashes by its fields, and is never assigned to.

        Args:
            frozen: What the type checker holds it to; at run time it makes it hashable.
            slots: As for a dataclass.

        Returns:
            The class decorator.
        """
        return dataclasses.dataclass(slots=slots, unsafe_hash=frozen)
