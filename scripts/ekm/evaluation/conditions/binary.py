"""BinaryEquals: byte for byte, both written in base 64.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_BinaryEquals
"""

from __future__ import annotations

import binascii

__all__ = ["equals"]


def equals(wanted: str, found: str) -> bool | None:
    """The same bytes; None when either is not base 64."""
    left, right = _bytes(found), _bytes(wanted)
    return None if left is None or right is None else left == right


def _bytes(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
