"""Sets of requests as unions of boxes: for each condition key the classes that it may be in.

A box holds a set of bits for each key that it restricts; keys that it leaves out may be anything.
The intersection of boxes is a box, and the difference is a few that do not overlap, so that
"allowed and not denied" is worked out without going through the product of all classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.value_classes.string_classes import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["EVERYTHING", "Box", "intersect", "meet", "subtract"]

Box = dict[str, int]
EVERYTHING: Box = {}
MOST_BOXES = 20_000


def intersect(one: Box, other: Box) -> Box | None:
    """Return the requests in both boxes; None when there are none."""
    if not other:
        return one
    if not one:
        return other
    both = dict(one)
    for key, classes in other.items():
        shared = both.get(key, -1) & classes
        if not shared:
            return None
        both[key] = shared
    return both


def meet(unions: Iterable[Sequence[Box]]) -> list[Box]:
    """Return the requests that lie in every one of some unions of boxes."""
    found: list[Box] = [EVERYTHING]
    for union in unions:
        found = _distinct(
            both for box in found for other in union if (both := intersect(box, other)) is not None
        )
        if not found:
            break
    return found


def _distinct(boxes: Iterable[Box]) -> list[Box]:
    """Return boxes without repetition, and without any beside one that holds everything."""
    kept: dict[frozenset[tuple[str, int]], Box] = {}
    for box in boxes:
        if not box:
            return [box]
        kept.setdefault(frozenset(box.items()), box)
        if len(kept) > MOST_BOXES:
            raise Undecidable(f"the statements make more than {MOST_BOXES} combinations")
    return list(kept.values())


def subtract(boxes: Sequence[Box], taken: Iterable[Box], full: Mapping[str, int]) -> list[Box]:
    """Return the requests in some boxes and in none of others.

    Args:
        boxes: From which is taken.
        taken: What is taken away.
        full: For each key all its classes.
    """
    left = list(boxes)
    for box in taken:
        if not left:
            break
        left = [part for each in left for part in _without(each, box, full)]
        if len(left) > MOST_BOXES:
            raise Undecidable(f"the statements make more than {MOST_BOXES} combinations")
    return left


def _without(box: Box, taken: Box, full: Mapping[str, int]) -> list[Box]:
    if intersect(box, taken) is None:
        return [box]
    parts: list[Box] = []
    rest = dict(box)
    for key, classes in taken.items():
        has = rest.get(key, full[key])
        outside = has & ~classes
        if outside:
            parts.append({**rest, key: outside})
        rest[key] = has & classes
    return parts
