"""Warnings about brittle principals, a large trust policy, and the form of the registration.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis.result import Change, Warned
from openai_ekm.diagnosis.warnings.claims import NEEDLESS, may_be_openai
from openai_ekm.openai import OPENAI_ROLE_ARN
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from openai_ekm.policy.principal import PrincipalForm
from openai_ekm.policy.statement import Effect
from openai_ekm.snapshot import UNSEEN, Role, Snapshot, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.policy import Principal, Statement

__all__ = ["brittle_key_policy", "brittle_trust_policy", "large", "registered"]

_BRITTLE: Final = {
    PrincipalForm.SESSION: "a session: with another session name OpenAI is refused",
    PrincipalForm.UNIQUE_ID: "the unique id of a principal that was deleted",
}


def brittle_trust_policy(snapshot: Snapshot, *, passes: bool) -> Iterator[Warned]:
    """Yield a warning for each session or unique id that the trust policy names.

    Args:
        snapshot: What was collected.
        passes: Whether OpenAI can assume the role.
    """
    role = snapshot.role
    if not isinstance(role, Role):
        return
    for statement, principal in _brittle(role.trust_policy, DocumentKind.TRUST):
        needless = passes and not any(map(may_be_openai, statement.principals or ()))
        removal = Change("remove", ("role", "trust_policy", "Statement", statement.index))
        yield Warned(
            "principal_brittle",
            "trust_policy",
            statement.index,
            statement.sid,
            "Principal",
            principal.text,
            OPENAI_ROLE_ARN,
            f"{principal.text} names {_BRITTLE[principal.form]}.",
            NEEDLESS if needless else f"Name {OPENAI_ROLE_ARN}.",
            (removal,) if needless else (),
        )


def brittle_key_policy(snapshot: Snapshot) -> Iterator[Warned]:
    """Yield a warning for each session or unique id that the key policy names."""
    key = snapshot.registered_key
    if key is None or snapshot.keys is UNSEEN:
        return
    for statement, principal in _brittle(key.policy, DocumentKind.KEY):
        yield Warned(
            "principal_brittle",
            f"keys[{snapshot.keys.index(key)}].policy",
            statement.index,
            statement.sid,
            "Principal",
            principal.text,
            "the account with aws:PrincipalArn, or the role",
            f"{principal.text} names one session, or a principal that was deleted.",
            "Name the account and narrow it by ArnEquals aws:PrincipalArn.",
        )


def _brittle(policy: Any, kind: DocumentKind) -> Iterator[tuple[Statement, Principal]]:
    """Yield each brittle principal that a well-formed document allows, with its statement."""
    if policy is UNSEEN or policy is None:
        return
    try:
        document = parse_document(policy, kind)
    except MalformedPolicy:
        return
    for statement in document.statements:
        for principal in statement.principals or ():
            if principal.form in _BRITTLE and statement.effect is Effect.ALLOW:
                yield statement, principal


def large(snapshot: Snapshot) -> Iterator[Warned]:
    """Yield a warning when the trust policy needs a raised quota."""
    role = snapshot.role
    if not isinstance(role, Role) or role.trust_policy is UNSEEN or role.trust_policy is None:
        return
    found = sizes.size(role.trust_policy)
    if sizes.TRUST_BY_DEFAULT < found <= sizes.TRUST_AT_MOST:
        yield Warned(
            "trust_policy_large",
            "trust_policy",
            None,
            None,
            None,
            f"{found} characters",
            f"at most {sizes.TRUST_BY_DEFAULT}",
            f"IAM saves a trust policy of {sizes.TRUST_BY_DEFAULT} characters unless the quota "
            "was raised.",
            "Use fewer external ids, or ask for the quota of 4096.",
        )


def registered(snapshot: Snapshot) -> Iterator[Warned]:
    """Yield the warnings about the registration."""
    arn = snapshot.registration.kms_arn
    if ":alias/" in arn:
        key = snapshot.registered_key
        yield Warned(
            "alias_registered",
            "registration",
            None,
            None,
            "kms_arn",
            arn,
            key.arn if key is not None else "the key's own ARN",
            "An alias is registered: if it is moved, OpenAI loses the key of its data.",
            "Register the key's own ARN.",
        )
