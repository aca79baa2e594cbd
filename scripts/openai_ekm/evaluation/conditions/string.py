"""String operators: equal, equal in any case, like.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String
"""

from __future__ import annotations

from openai_ekm.policy.letters import in_any_case
from openai_ekm.policy.pattern import compile_pattern, pattern_of

__all__ = ["equals", "equals_ignore_case", "filled_like", "like"]


def equals(policy_value: str, request_value: str) -> bool:
    """Return whether the texts are the same, in the same case; a wildcard is a character."""
    return policy_value == request_value


def equals_ignore_case(policy_value: str, request_value: str) -> bool | None:
    """Return whether texts are the same in any case; None where case is not defined by AWS."""
    if policy_value == request_value:
        return True
    if policy_value.isascii() and request_value.isascii():
        return policy_value.lower() == request_value.lower()
    return None if in_any_case(policy_value) == in_any_case(request_value) else False


def like(policy_value: str, request_value: str) -> bool:
    """Return whether the text fits in the same case; `*` and `?` are wildcards."""
    return compile_pattern(policy_value).matches(request_value)


def filled_like(runs: tuple[tuple[str, bool], ...], request_value: str) -> bool:
    """Return the answer of `like` for a value whose variables have been filled."""
    return pattern_of(runs).matches(request_value)
