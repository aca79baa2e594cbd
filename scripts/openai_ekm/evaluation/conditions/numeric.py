"""Numeric operators: integers and decimals, compared exactly.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Numeric
"""

from __future__ import annotations

from decimal import Decimal

from openai_ekm.policy.text_cache import cached_by_text

__all__ = ["number"]

# Longer than any number a request holds; beyond it a text is not read as one.
LONGEST = 64


@cached_by_text(maxsize=1024)
def number(text: str) -> Decimal | None:
    """Read an integer or a decimal without exponent; None when the text is neither."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    whole, point, fraction = digits.partition(".")
    plain = whole + fraction
    if not whole or (point and not fraction) or len(plain) > LONGEST:
        return None
    if not (plain.isascii() and plain.isdigit()):
        return None
    return Decimal(text)
