"""String operators: equal, equal in any case, like.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String
"""

from __future__ import annotations

from ekm.policy.pattern import compile_pattern, pattern_of

__all__ = ["equals", "equals_ignore_case", "filled_like", "like"]


def equals(wanted: str, found: str) -> bool:
    """Exact, case-sensitive; a wildcard is a character."""
    return wanted == found


def equals_ignore_case(wanted: str, found: str) -> bool | None:
    """Exact in any case of ASCII letters; other letters' case is not defined by AWS: None."""
    if wanted == found:
        return True
    if wanted.isascii() and found.isascii():
        return wanted.lower() == found.lower()
    return None if wanted.casefold() == found.casefold() else False


def like(wanted: str, found: str) -> bool:
    """Case-sensitive, `*` and `?` are wildcards."""
    return compile_pattern(wanted).matches(found)


def filled_like(runs: tuple[tuple[str, bool], ...], found: str) -> bool:
    """`like` for a value whose variables have been filled."""
    return pattern_of(runs).matches(found)
