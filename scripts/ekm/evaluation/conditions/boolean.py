"""Bool: `true` or `false`.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Boolean
"""

from __future__ import annotations

__all__ = ["equals", "truth"]


def truth(text: str) -> bool | None:
    """Read `true` or `false` in any case; None when the text is neither."""
    return {"true": True, "false": False}.get(text.lower())


def equals(wanted: str, found: str) -> bool | None:
    """The same truth; None when either is neither true nor false."""
    left, right = truth(found), truth(wanted)
    return None if left is None or right is None else left == right
