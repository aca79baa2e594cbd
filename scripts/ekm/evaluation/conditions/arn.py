"""ARN operators: six parts, each compared by itself; ArnEquals and ArnLike are the same.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
"""

from __future__ import annotations

from ekm.policy.arn import SEGMENTS
from ekm.policy.statement import ArnPattern, arn_pattern, split_arn_pattern

__all__ = ["filled_like", "like"]


def like(wanted: str, found: str) -> bool | None:
    """Whether an ARN fits; None when the policy's value does not have six parts."""
    return _fits(arn_pattern(wanted), found)


def filled_like(runs: tuple[tuple[str, bool], ...], found: str) -> bool | None:
    """`like` for a value whose variables have been filled."""
    return _fits(split_arn_pattern(runs, ""), found)


def _fits(pattern: ArnPattern | None, found: str) -> bool | None:
    if pattern is None:
        return None
    if pattern.literal:
        return found == pattern.text
    return pattern.matches(tuple(found.split(":", SEGMENTS - 1)))
