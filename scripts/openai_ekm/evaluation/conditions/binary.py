"""BinaryEquals: byte for byte, both written in base 64.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_BinaryEquals
"""

from __future__ import annotations

import binascii

__all__ = ["equals"]


def equals(policy_value: str, request_value: str) -> bool | None:
    """Return whether the bytes are the same; None when either is not base 64."""
    left, right = _bytes(request_value), _bytes(policy_value)
    return None if left is None or right is None else left == right


def _bytes(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
