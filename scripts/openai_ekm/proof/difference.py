"""Requests that one snapshot allows and another does not; none, if a change has no effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_ekm.proof.allowed_set import find_allowed_set
from openai_ekm.proof.boxes import subtract
from openai_ekm.proof.claims_forbidden import every_request_class
from openai_ekm.proof.universe import joint_universes
from openai_ekm.proof.witnesses import Witness, example, witness_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.proof.documents import Documents
    from openai_ekm.proof.request_classes import RequestClass
    from openai_ekm.proof.result import Counterexample
    from openai_ekm.proof.universe import Universe

__all__ = ["Change", "change", "gained"]


@dataclass(frozen=True, slots=True)
class Change:
    """The requests that a change of documents allows more, and those that it allows less.

    Args:
        more: One example of each class of requests, surer and smaller ones first, with the
            statements that allow it after the change.
        less: The same of what is allowed no more, with the statements that allowed it before.
    """

    more: tuple[Counterexample, ...] = ()
    less: tuple[Counterexample, ...] = ()


def change(before: Documents, after: Documents, now: str) -> Change:
    """Find what a change allows more and less.

    Args:
        before: The documents before.
        after: The documents after it; of the same role and key.
        now: ISO 8601.

    Raises:
        Undecidable: There are too many classes.
    """
    first, second = joint_universes(before, after, now)
    old, new = every_request_class(first), every_request_class(second)
    more = sorted(gained(first, second, old, new), key=lambda each: each.order)
    less = sorted(gained(second, first, new, old), key=lambda each: each.order)
    return Change(
        tuple(example(second, each) for each in more),
        tuple(example(first, each) for each in less),
    )


def gained(
    first: Universe,
    second: Universe,
    before: Sequence[RequestClass],
    after: Sequence[RequestClass],
) -> list[Witness]:
    """Find what one universe of requests allows more than another.

    Args:
        first: The universe before.
        second: The one after; `joint_universes` makes both.
        before: Every request class of the first.
        after: The same classes of the second.

    Returns:
        One request for each class in which there is any.
    """
    found: list[Witness] = []
    for old, new in zip(before, after, strict=True):
        domains = second.domains_of(new.action)
        was = find_allowed_set(first.domains_of(old.action), old, lenient=True)
        is_now = find_allowed_set(domains, new, lenient=True)
        full = {key: domains.domain(key).all for key in was.keys | is_now.keys}
        left = subtract(is_now.boxes, was.boxes, full)
        found += [witness_in(domains, new, box) for box in left[:1]]
    return found
