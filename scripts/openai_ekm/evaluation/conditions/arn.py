"""ARN operators: six parts, each compared by itself; ArnEquals and ArnLike are the same.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
"""

from __future__ import annotations

from openai_ekm.policy.arn import SEGMENTS
from openai_ekm.policy.statement import ArnPattern, arn_pattern, split_arn_pattern

__all__ = ["filled_like", "like"]


def like(policy_value: str, request_value: str) -> bool | None:
    """Return whether an ARN fits; None when either is no ARN: AWS does not define that."""
    return _fits(arn_pattern(policy_value), request_value)


def filled_like(runs: tuple[tuple[str, bool], ...], request_value: str) -> bool | None:
    """Return the answer of `like` for a value whose variables have been filled."""
    return _fits(split_arn_pattern(runs, ""), request_value)


def _fits(pattern: ArnPattern | None, request_value: str) -> bool | None:
    if pattern is None:
        return None
    if pattern.literal and request_value == pattern.text:
        return True
    parts = tuple(request_value.split(":", SEGMENTS - 1))
    if len(parts) != SEGMENTS or parts[0] != "arn":
        return None
    return not pattern.literal and pattern.matches(parts)
