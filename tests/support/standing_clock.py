"""A clock for a call's limit that stands until the call is where the limit matters."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from openai_ekm.openai_api import deadline

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.openai_api.deadline import Call

__all__ = ["standing_until"]

STANDS_AT = -300.0  # seconds; a call has that much more until the clock runs


def standing_until(runs: Callable[[Call], bool]) -> Callable[[], float]:
    """Return a clock of one call; a machine that is slow before the clock runs takes no time.

    Args:
        runs: Whether the call has come to where its time counts; asked until it has.
    """
    started: list[float] = []

    def clock() -> float:
        call = deadline._CALL.get()
        if call is None:  # it is being made, and gets its end
            return 0.0
        if not started:
            if not runs(call):
                return STANDS_AT
            started.append(time.monotonic())
        return time.monotonic() - started[0]

    return clock
