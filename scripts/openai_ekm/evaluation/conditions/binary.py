"""BinaryEquals: byte for byte, both written in base 64.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_BinaryEquals
"""

from __future__ import annotations

import binascii

__all__ = ["decoded"]


def decoded(text: str) -> bytes | None:
    """Read bytes in base 64; None when the text is not base 64 throughout."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
