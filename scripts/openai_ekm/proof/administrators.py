"""The administrators: the principals that may rightly change the key's policy.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.evaluation.request import CallerForm
from openai_ekm.evaluation.statements import action_matches
from openai_ekm.policy import Effect, PrincipalForm, parse_arn
from openai_ekm.policy.arn import is_account

if TYPE_CHECKING:
    from openai_ekm.policy import Principal
    from openai_ekm.proof.documents import Documents
    from openai_ekm.proof.principals import PrincipalClass

__all__ = ["administrators", "is_administrator"]

NAMING = ("kms:putkeypolicy", "kms:schedulekeydeletion")
PERSONS = frozenset(
    {
        PrincipalForm.ACCOUNT,
        PrincipalForm.ROLE,
        PrincipalForm.SESSION,
        PrincipalForm.USER,
        PrincipalForm.FEDERATED_USER,
    }
)


def administrators(documents: Documents) -> tuple[str, ...]:
    """Return the administrators: those that are given, else those that the key policy names.

    The policy names them in an Allow for PutKeyPolicy or ScheduleKeyDeletion; the key's own account
    can be one. Everyone, another account or its principals, a service and the role never are.
    """
    given = documents.snapshot.administrators
    if given is not None:
        return given
    # A replica's policy tells where that of the registered key was not seen.
    policies = [documents.key_policy] if documents.key_policy else [p for _, p in documents.related]
    found: dict[str, None] = {}
    for statement in (each for part in policies if part for each in part.document.statements):
        covers = any(action_matches(statement, action) is True for action in NAMING)
        if statement.effect is Effect.ALLOW and covers:
            found |= {
                each.text: None for each in statement.principals or () if _counts(each, documents)
            }
    return tuple(found)


def _counts(principal: Principal, documents: Documents) -> bool:
    if principal.form is PrincipalForm.UNIQUE_ID:
        return True
    if principal.form not in PERSONS or principal.account != documents.key_account:
        return False
    role = documents.role_arn
    return principal.text != role and not _session_of(principal.text, role)


def _session_of(text: str, role_arn: str) -> bool:
    session, role = parse_arn(text), parse_arn(role_arn)
    if session is None or role is None or session.account != role.account:
        return False
    name = role.resource.rpartition("/")[2]
    return session.resource.startswith(f"assumed-role/{name}/")


def is_administrator(
    principal: PrincipalClass, named: tuple[str, ...], documents: Documents
) -> bool:
    """Return whether a class of principals is among the administrators.

    An account among them stands for its principals, the role apart; the root user of the key's
    account always counts.
    """
    if principal.principal == documents.root:
        return True
    is_role = documents.role is not None and principal.role_arn == documents.role.arn
    for each in named:
        if each in (principal.principal, principal.role_arn, principal.fixed_id):
            return True
        if not is_role and _account_of(each, documents.partition) == principal.account != "":
            return principal.caller.form not in (CallerForm.SERVICE, CallerForm.PROVIDER)
    return False


def _account_of(text: str, partition: str) -> str | None:
    """Return the account that an administrator stands for; None when it is one principal."""
    if is_account(text):
        return text
    arn = parse_arn(text)
    if arn is None or arn.resource != "root" or arn.partition != partition:
        return None
    return arn.account
