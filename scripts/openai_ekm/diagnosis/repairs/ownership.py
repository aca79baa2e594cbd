"""Tell statements that a repair may rewrite from those that are for somebody else.

A rewritten statement gives its permissions to OpenAI or the role, and no longer to the principal
that it named. A statement for somebody else therefore stays, and the repair adds one for the
caller: administrators keep the key, and another service keeps its use.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis.repairs import external_id
from openai_ekm.openai import OPENAI_ACCOUNT
from openai_ekm.policy.principal import PrincipalForm

if TYPE_CHECKING:
    from openai_ekm.diagnosis.repairs.repair import Site
    from openai_ekm.policy.principal import Principal

__all__ = ["ANOTHERS", "account_in", "is_for_openai", "is_for_role"]

# Putting a statement right that is somebody else's is dearer than a statement of one's own.
ANOTHERS: Final = 3.0
_ALIKE: Final = 0.7  # how much two names have in common when one is the other mistyped
_USES: Final = frozenset({"kms:encrypt", "kms:decrypt"})


def is_for_openai(site: Site, principal: Principal) -> bool:
    """Return whether a statement of the trust policy is meant for OpenAI's role without naming it.

    Args:
        site: The statement.
        principal: The nearest that it names.
    """
    if _alike(principal.account or "", OPENAI_ACCOUNT):
        return True
    registered = site.snapshot.registration.external_id
    asked = [c for c in site.statement.conditions if external_id.is_about(c, registered)]
    if principal.form is PrincipalForm.ACCOUNT and principal.account != account_in(site.resource):
        # Another vendor's account asks for another vendor's id.
        asked = [c for c in asked if any(_alike(each, registered) for each in c.values)]
    return bool(asked)


def is_for_role(site: Site) -> bool:
    """Return whether a statement of the key policy is meant for the role without letting it in.

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
    """Return the name of a role or user, and of the role behind a session."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    return rest.partition("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2]


def account_in(arn: str) -> str:
    """Return the account in an ARN; empty where a text is none."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""  # noqa: PLR2004 - an ARN has six parts
