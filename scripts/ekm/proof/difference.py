"""What one snapshot allows and another does not: for showing that a change changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.proof.boxes import subtract
from ekm.proof.impossible import every_scene
from ekm.proof.regions import region
from ekm.proof.search import Witness, witness_in
from ekm.proof.setting import joint_settings

if TYPE_CHECKING:
    from ekm.proof.materials import Materials

__all__ = ["difference"]


def difference(
    before: Materials, after: Materials, openai: str, openai_account: str, now: str
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
    first, second = joint_settings(before, after, openai, openai_account, now)
    found: list[Witness] = []
    for old, new in zip(every_scene(first), every_scene(second), strict=True):
        was, is_now = (
            region(first.world, old, lenient=True),
            region(second.world, new, lenient=True),
        )
        full = {key: second.world.domain(key).all for key in was.keys | is_now.keys}
        left = subtract(is_now.boxes, was.boxes, full)
        found += [witness_in(second.world, new, box) for box in left[:1]]
    return found
