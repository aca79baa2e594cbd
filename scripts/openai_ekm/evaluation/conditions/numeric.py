"""Numeric operators: integers and decimals, compared exactly.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Numeric
"""

from __future__ import annotations

from decimal import Decimal

from openai_ekm.policy.text_cache import cached_by_text

__all__ = ["equals", "greater_than", "greater_than_equals", "less_than", "less_than_equals"]

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


def equals(policy_value: str, request_value: str) -> bool | None:
    """Return whether both are equal as numbers; None when either is not one."""
    left, right = number(request_value), number(policy_value)
    return None if left is None or right is None else left == right


def less_than(policy_value: str, request_value: str) -> bool | None:
    """Return whether the request's number is below the policy's."""
    left, right = number(request_value), number(policy_value)
    return None if left is None or right is None else left < right


def less_than_equals(policy_value: str, request_value: str) -> bool | None:
    """Return whether the request's number is at or below the policy's."""
    left, right = number(request_value), number(policy_value)
    return None if left is None or right is None else left <= right


def greater_than(policy_value: str, request_value: str) -> bool | None:
    """Return whether the request's number is above the policy's."""
    left, right = number(request_value), number(policy_value)
    return None if left is None or right is None else left > right


def greater_than_equals(policy_value: str, request_value: str) -> bool | None:
    """Return whether the request's number is at or above the policy's."""
    left, right = number(request_value), number(policy_value)
    return None if left is None or right is None else left >= right
