"""Whether a statement of a resource policy names the caller, and how closely.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import CallerForm
from openai_ekm.policy.pattern import compile_pattern
from openai_ekm.policy.principal import Principal, PrincipalForm
from openai_ekm.policy.statement import Effect, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.evaluation.request import Caller, Situation
    from openai_ekm.policy.conditions import Condition

__all__ = ["MatchCloseness", "match_closeness", "named", "names_a_path"]

ROLE = "role/"


def names_a_path(condition: Condition, caller: Caller) -> bool:
    """Return whether a condition on aws:PrincipalArn names a role of the caller's name with a path.

    A request that does not say aws:PrincipalArn is taken to be of a role without one; a condition
    that names such a role shows that this is a guess.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html

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


class MatchCloseness(IntEnum):
    """The closeness with which a caller is named; the higher, the less its own policies matter.

    ACCOUNT delegates: the caller's own policies must allow too. ROLE is enough without an
    identity policy, but stays inside boundary and session policy. ITSELF (session, user, service,
    root user of the account) is enough alone. So is EVERYONE: AWS says it of `*` narrowed by
    aws:PrincipalArn, and a condition never widens a statement.
    """

    ACCOUNT = 1
    ROLE = 2
    EVERYONE = 3
    ITSELF = 4


def match_closeness(
    statement: Statement, situation: Situation
) -> MatchCloseness | OpenPoint | None:
    """Return how closely a statement names the caller.

    Args:
        statement: Of a document that names principals.
        situation: The request.

    Returns:
        The closest level among its principals, an open point when only that keeps it from
        naming the caller, or None when it does not.
    """
    principals = statement.principals
    if principals is None:
        return MatchCloseness.ITSELF
    if statement.not_principal:
        return _compare_exceptions(principals, situation)
    if len(principals) == 1:
        found = named(principals[0], situation)
    else:
        found = _closest(principals, situation)
    if found is not MatchCloseness.EVERYONE or statement.effect is Effect.DENY:
        return found
    if situation.caller.form in (CallerForm.SERVICE, CallerForm.PROVIDER):
        return OpenPoint(
            f"AWS does not say whether the principal * lets in {situation.caller.text}"
        )
    return found


def _closest(
    principals: Iterable[Principal], situation: Situation
) -> MatchCloseness | OpenPoint | None:
    best: MatchCloseness | None = None
    undecided: OpenPoint | None = None
    for principal in principals:
        found = named(principal, situation)
        if isinstance(found, OpenPoint):
            undecided = found
        elif found is not None and (best is None or found > best):
            best = found
    return undecided if best is None else best


def named(  # noqa: PLR0911 - one return for each form
    principal: Principal, situation: Situation
) -> MatchCloseness | OpenPoint | None:
    """Return how closely one principal names the caller."""
    form = principal.form
    if form is PrincipalForm.ROLE:
        if principal.text == situation.role_arn:
            return MatchCloseness.ROLE
        return None if situation.path_known else _role_of_unknown_path(principal, situation.caller)
    if form is PrincipalForm.ACCOUNT:
        return _account(principal, situation)
    if form is PrincipalForm.ANYONE:
        return MatchCloseness.EVERYONE
    if form is PrincipalForm.UNIQUE_ID:
        return _unique_id(principal, situation)
    caller = situation.caller
    if form is PrincipalForm.USER and caller.form is CallerForm.FEDERATED_USER:
        if caller.account != principal.account:
            return None
        return OpenPoint(f"the request does not say which user {caller.text} comes from")
    if form is PrincipalForm.SERVICE and caller.form is not CallerForm.SERVICE:
        return None
    if form is PrincipalForm.FEDERATED and caller.form is not CallerForm.PROVIDER:
        return None
    return MatchCloseness.ITSELF if principal.text == caller.text else None


def _account(principal: Principal, situation: Situation) -> MatchCloseness | None:
    """Compare an account, which names all its principals; its root user it names itself."""
    caller = situation.caller
    if caller.account != principal.account or caller.form is CallerForm.PROVIDER:
        return None
    if principal.partition is not None and principal.partition != caller.partition:
        return None
    return MatchCloseness.ITSELF if caller.form is CallerForm.ROOT else MatchCloseness.ACCOUNT


def _role_of_unknown_path(principal: Principal, caller: Caller) -> OpenPoint | None:
    """Return the open point if a role with a path may be the caller's: a session ARN omits it."""
    if principal.account != caller.account or principal.partition != caller.partition:
        return None
    if principal.text.rpartition("/")[2] == caller.name:
        return OpenPoint(
            f"whether {caller.text} is a session of {principal.text} shows in aws:PrincipalArn, "
            "which the request does not have"
        )
    return None


def _unique_id(principal: Principal, situation: Situation) -> MatchCloseness | None:
    """Return the id that a deleted principal leaves behind; a new one of that name has another.

    Services and identity providers have none.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    if situation.caller.form in (CallerForm.SERVICE, CallerForm.PROVIDER):
        return None
    user_id = situation.context.single("aws:userid")
    if user_id is None or user_id.partition(":")[0] != principal.text:
        return None
    return MatchCloseness.ROLE if situation.caller.is_session_of_role else MatchCloseness.ITSELF


def _compare_exceptions(
    principals: tuple[Principal, ...], situation: Situation
) -> MatchCloseness | OpenPoint | None:
    """Compare NotPrincipal of a Deny with the caller; None when the caller is excepted.

    A caller with a permissions boundary never is. A user's ARN and its account must both be among
    the exceptions; a session needs its role as well: AWS might validate the account, then the
    role, then the session, and elsewhere says that every session must be listed.

    Sources:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    https://aws.amazon.com/blogs/security/how-to-restrict-amazon-s3-bucket-access-to-a-specific-iam-role/
    """
    caller = situation.caller
    if situation.bounded:
        return MatchCloseness.EVERYONE
    found = [named(each, situation) for each in principals]
    levels = {each for each in found if isinstance(each, MatchCloseness)}
    if MatchCloseness.EVERYONE in levels:
        return None
    if caller.form in (CallerForm.ROOT, CallerForm.SERVICE, CallerForm.PROVIDER):
        return None if MatchCloseness.ITSELF in levels else MatchCloseness.EVERYONE
    of_role = caller.is_session_of_role
    wanted = {MatchCloseness.ITSELF, MatchCloseness.ACCOUNT}
    if of_role:
        wanted.add(MatchCloseness.ROLE)
    if wanted <= levels:
        return None
    if any(each is not None for each in found):
        return OpenPoint(
            f"NotPrincipal names only a part of {caller.text}, "
            f"{'its session, its role' if of_role else 'its user'} and its account: "
            "AWS might deny"
        )
    return MatchCloseness.EVERYONE
