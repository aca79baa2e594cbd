"""Null: whether the request has a key at all.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Null
"""

from __future__ import annotations

from ekm.evaluation.conditions.boolean import truth

__all__ = ["absent"]


def absent(wanted: str, found: str | tuple[str, ...] | None) -> bool | None:
    """Compare `true` (the key is not there) or `false` (it is, and not null).

    Args:
        wanted: The policy's value.
        found: The request's value; None when it has none.

    Returns:
        Whether it is as wanted; None when the policy's value is neither, or when the request's
        only value is an empty string, which AWS calls null in one place and present in another.
    """
    expected = truth(wanted)
    if expected is None:
        return None
    if found is None or found == ():
        return expected
    if found == "" or (isinstance(found, tuple) and not any(found)):
        return None
    return not expected
