"""Null: whether the request has a key at all.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Null
"""

from __future__ import annotations

from openai_ekm.evaluation.conditions.boolean import truth

__all__ = ["absent"]


def absent(policy_value: str, request_value: str | tuple[str, ...] | None) -> bool | None:
    """Compare `true` (the key is not there) or `false` (it is, and not null).

    Args:
        policy_value: The policy's value.
        request_value: The request's value; None when it has none.

    Returns:
        Whether it is as wanted; None when the policy's value is neither, or when the request's
        only value is an empty string, which AWS calls null in one place and present in another.
    """
    expected = truth(policy_value)
    if expected is None:
        return None
    if request_value is None or request_value == ():
        return expected
    if request_value == "" or (isinstance(request_value, tuple) and not any(request_value)):
        return None
    return not expected
