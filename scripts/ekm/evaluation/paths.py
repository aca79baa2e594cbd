"""What a session's ARN leaves out: the path of its role.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.policy.pattern import compile_pattern

if TYPE_CHECKING:
    from ekm.evaluation.caller import Caller
    from ekm.policy.statement import Condition

__all__ = ["names_a_path"]

ROLE = "role/"


def names_a_path(condition: Condition, caller: Caller) -> bool:
    """Whether a condition on aws:PrincipalArn is about a role of the caller's name with a path.

    A request that does not say aws:PrincipalArn is taken to be of a role without one; a condition
    that names such a role shows that this is a guess.

    Args:
        condition: On aws:PrincipalArn.
        caller: A session of a role.
    """
    return any(_names(value, caller) for value in condition.values)


def _names(value: str, caller: Caller) -> bool:
    _, role, tail = value.partition(ROLE)
    path, slash, _ = tail.rpartition("/")
    of_path = f"arn:{caller.partition}:iam::{caller.account}:{ROLE}{path}/{caller.name}"
    return bool(role and slash) and compile_pattern(value).matches(of_path)
