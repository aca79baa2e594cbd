"""Whose a statement is: what may be put right, and what is somebody else's.

A statement that is put right for OpenAI's sake gives all that it gives to OpenAI or the role, and
no longer to whom it named. So one that is somebody else's stays, and a statement of the caller's
own is added: administrators keep the key, another service its use.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from ekm.diagnosis.constants import OPENAI_ACCOUNT
from ekm.diagnosis.repairs import external_id
from ekm.evaluation import decide
from ekm.policy.principal import PrincipalForm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.diagnosis.calls import Asked
    from ekm.diagnosis.repairs.repair import Site
    from ekm.policy.principal import Principal

__all__ = ["ANOTHERS", "for_openai", "for_role", "lets_more_in"]

# Putting a statement right that is somebody else's is dearer than a statement of one's own.
ANOTHERS: Final = 3.0
_ALIKE: Final = 0.7  # how much two names have in common when one is the other mistyped
_USES: Final = frozenset({"kms:encrypt", "kms:decrypt"})
_ALLOW_ALL: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def for_openai(site: Site, principal: Principal) -> bool:
    """Whether a statement of the trust policy that does not name OpenAI's role is meant to.

    Args:
        site: The statement.
        principal: The nearest that it names.
    """
    if _alike(principal.account or "", OPENAI_ACCOUNT):
        return True
    registered = site.snapshot.registration.external_id
    asked = [c for c in site.statement.conditions if external_id.is_about(c, registered)]
    if principal.form is PrincipalForm.ACCOUNT and principal.account != _account(site.resource):
        # Another vendor's account asks for another vendor's id.
        asked = [c for c in asked if any(_alike(each, registered) for each in c.values)]
    return bool(asked)


def for_role(site: Site) -> bool:
    """Whether a statement of the key policy that does not let the role in is meant to.

    It is when it names the role, or much the same; and, naming nobody in particular, when it is
    about OpenAI's two actions alone.
    """
    principals = site.statement.principals or ()
    if any(each.form is PrincipalForm.UNIQUE_ID for each in principals):
        return True
    named = [each.text for each in principals if each.form not in _MANY]
    for condition in site.statement.conditions:
        if condition.lookup == "aws:principalarn":
            named += condition.values
    if named:
        role = _name(site.caller_arn)
        return any(
            _alike(_name(each), role) or fnmatchcase(site.caller_arn, each) for each in named
        )
    if any(each.form is PrincipalForm.ANYONE for each in principals):
        return False
    texts = site.statement.actions.texts
    return not site.statement.not_action and {each.lower() for each in texts} <= _USES


_MANY: Final = frozenset({PrincipalForm.ACCOUNT, PrincipalForm.ANYONE})


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one.lower(), other.lower()).ratio() >= _ALIKE


def _name(arn: str) -> str:
    """The name of a role or user, and of the role behind a session."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    return rest.partition("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2]


def _account(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""  # noqa: PLR2004 - an ARN has six parts


def lets_more_in(before: Asked, after: Asked) -> bool:
    """Whether a change of the key policy lets somebody else use the key who could not before.

    Args:
        before: The role's call as it was refused.
        after: The same call once the change is made.
    """
    return any(
        _allowed(after, principal) and not _allowed(before, principal)
        for principal in _probes(after.request.resource, after.request.principal)
    )


def _probes(key_arn: str, caller: str) -> Iterator[str]:
    for account in dict.fromkeys((_account(key_arn), _account(caller), "999988887777")):
        yield f"arn:aws:iam::{account}:role/somebody-else"


def _allowed(asked: Asked, principal: str) -> bool:
    own = ("aws:principalarn", "kms:calleraccount")
    context: dict[str, Any] = {
        key: value for key, value in asked.request.context.items() if key.lower() not in own
    }
    request = replace(asked.request, principal=principal, context=context)
    policies = replace(asked.policies, identity=(_ALLOW_ALL,), permissions_boundary=None)
    return decide(request, policies).allowed
