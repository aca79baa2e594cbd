"""Numbers of the plots: scales, shares and their text."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["nice_top", "number", "share", "ticks"]

_STEPS: Final = (1, 2, 5, 10)


def nice_top(most: int) -> int:
    """Return the end of an axis that holds a value: at least it, and a number that one reads well.

    Args:
        most: The largest value, not negative.
    """
    if most <= 4:  # noqa: PLR2004 - four steps of one
        return max(most, 1)
    step = _step(most)
    return math.ceil(most / step) * step


def ticks(top: int) -> tuple[int, ...]:
    """Return the values at which an axis has a line, from 0 to its end.

    Args:
        top: What `nice_top` returned.
    """
    step = 1 if top <= 4 else _step(top)  # noqa: PLR2004 - four steps of one
    return tuple(range(0, top + 1, step))


def _step(most: int) -> int:
    """Return the step of 1, 2 or 5 times a power of ten that cuts an axis into 2 to 5 parts."""
    power: int = 10 ** max(len(str(most)) - 2, 0)
    return next(
        each * power * scale
        for scale in (1, 10, 100)
        for each in _STEPS
        if most <= 5 * each * power * scale
    )


def share(part: float, whole: float, most: float = 100.0) -> float:
    """Return a part as a share of a whole, on a scale that ends at `most`; 0 of an empty whole."""
    return 0.0 if whole <= 0 else most * part / whole


def number(value: float) -> str:
    """Return a coordinate as the page writes it: no more digits than eyes see."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
