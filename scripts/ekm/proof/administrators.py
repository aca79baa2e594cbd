"""Who may change the key's policy, by right.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.evaluation.caller import CallerForm
from ekm.evaluation.matching import action_matches
from ekm.policy import Effect, PrincipalForm, parse_arn
from ekm.policy.arn import is_account

if TYPE_CHECKING:
    from ekm.policy import Principal
    from ekm.proof.askers import Asker
    from ekm.proof.materials import Materials

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


def administrators(materials: Materials) -> tuple[str, ...]:
    """The administrators: those that are given, else those whom the key policy names as such.

    Named is whoever an Allow for PutKeyPolicy or ScheduleKeyDeletion names, the key's own account
    included; never everyone, another account or its principals, a service, or the role.
    """
    given = materials.snapshot.administrators
    if given is not None:
        return given
    if materials.key_policy is None:
        return ()
    found: dict[str, None] = {}
    for statement in materials.key_policy.document.statements:
        covers = any(action_matches(statement, action) is True for action in NAMING)
        if statement.effect is Effect.ALLOW and covers:
            found |= {
                each.text: None for each in statement.principals or () if _counts(each, materials)
            }
    return tuple(found)


def _counts(principal: Principal, materials: Materials) -> bool:
    if principal.form is PrincipalForm.UNIQUE_ID:
        return True
    role = materials.role.arn if materials.role else materials.snapshot.registration.role_arn
    if principal.form not in PERSONS or principal.account != materials.key_account:
        return False
    return principal.text != role and not _session_of(principal.text, role)


def _session_of(text: str, role_arn: str) -> bool:
    session, role = parse_arn(text), parse_arn(role_arn)
    if session is None or role is None or session.account != role.account:
        return False
    name = role.resource.rpartition("/")[2]
    return session.resource.startswith(f"assumed-role/{name}/")


def is_administrator(asker: Asker, named: tuple[str, ...], materials: Materials) -> bool:
    """Whether a class of principals is among the administrators.

    An account among them stands for its principals, the role apart; the root user of the key's
    account always counts.
    """
    if asker.principal == f"arn:{materials.partition}:iam::{materials.key_account}:root":
        return True
    is_role = materials.role is not None and asker.role_arn == materials.role.arn
    user_id = asker.fixed.get("aws:userid")
    for each in named:
        if each in (asker.principal, asker.role_arn):
            return True
        if isinstance(user_id, str) and user_id.partition(":")[0] == each:
            return True
        if not is_role and _account_of(each, materials.partition) == asker.account != "":
            return asker.caller.form not in (CallerForm.SERVICE, CallerForm.PROVIDER)
    return False


def _account_of(text: str, partition: str) -> str | None:
    """The account that an administrator stands for; None when it is one principal."""
    if is_account(text):
        return text
    arn = parse_arn(text)
    if arn is None or arn.resource != "root" or arn.partition != partition:
        return None
    return arn.account
