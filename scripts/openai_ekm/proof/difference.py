"""Requests that one snapshot allows and another does not; none, if a change has no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.proof.allowed_set import find_allowed_set
from openai_ekm.proof.boxes import subtract
from openai_ekm.proof.claims_forbidden import every_request_class
from openai_ekm.proof.universe import joint_universes
from openai_ekm.proof.witnesses import Witness, witness_in

if TYPE_CHECKING:
    from openai_ekm.proof.documents import Documents

__all__ = ["difference"]


def difference(
    before: Documents, after: Documents, openai: str, openai_account: str, now: str
) -> list[Witness]:
    """Find what is allowed after a change and was not before it.

    Args:
        before: The documents before.
        after: The documents after it; of the same role and key.
        openai: ARN of OpenAI's role.
        openai_account: Its account.
        now: ISO 8601.

    Returns:
        One request for each class of principal, action and resource in which there is any; empty
        when the change allows nothing new.

    Raises:
        Undecidable: There are too many classes.
    """
    first, second = joint_universes(before, after, openai, openai_account, now)
    found: list[Witness] = []
    for old, new in zip(every_request_class(first), every_request_class(second), strict=True):
        domains = second.domains_of(new.action)
        was = find_allowed_set(first.domains_of(old.action), old, lenient=True)
        is_now = find_allowed_set(domains, new, lenient=True)
        full = {key: domains.domain(key).all for key in was.keys | is_now.keys}
        left = subtract(is_now.boxes, was.boxes, full)
        found += [witness_in(domains, new, box) for box in left[:1]]
    return found
