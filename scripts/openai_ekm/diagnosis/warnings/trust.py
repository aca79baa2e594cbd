"""Warnings about a trust policy that is brittle or large.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis.result import Change, Warned
from openai_ekm.diagnosis.warnings.claims import NEEDLESS, may_be_openai
from openai_ekm.openai import OPENAI_ROLE_ARN
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from openai_ekm.policy.principal import PrincipalForm
from openai_ekm.policy.statement import Effect
from openai_ekm.snapshot import UNSEEN, Role, Snapshot, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["brittle", "large"]

_BRITTLE: Final = {
    PrincipalForm.SESSION: "a session: with another session name OpenAI is refused",
    PrincipalForm.UNIQUE_ID: "the unique id of a principal that was deleted",
}


def brittle(snapshot: Snapshot, *, passes: bool) -> Iterator[Warned]:
    """Yield a warning for each session or unique id that the trust policy names.

    Args:
        snapshot: What was collected.
        passes: Whether OpenAI can assume the role.
    """
    role = snapshot.role
    if not isinstance(role, Role) or role.trust_policy is UNSEEN or role.trust_policy is None:
        return
    try:
        document = parse_document(role.trust_policy, DocumentKind.TRUST)
    except MalformedPolicy:
        return
    for statement in document.statements:
        needless = passes and not any(map(may_be_openai, statement.principals or ()))
        removal = Change("remove", ("role", "trust_policy", "Statement", statement.index))
        for each in statement.principals or ():
            if each.form in _BRITTLE and statement.effect is Effect.ALLOW:
                yield Warned(
                    "principal_brittle",
                    "trust_policy",
                    statement.index,
                    statement.sid,
                    "Principal",
                    each.text,
                    OPENAI_ROLE_ARN,
                    f"{each.text} names {_BRITTLE[each.form]}.",
                    NEEDLESS if needless else f"Name {OPENAI_ROLE_ARN}.",
                    (removal,) if needless else (),
                )


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
