"""Single requests that an auditor asks about, each decided on the snapshot. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evaluation import decide
from openai_ekm.openai import OPENAI_ACCOUNT
from openai_ekm.openai_calls.call_decisions import (
    Asked,
    every_assume_role,
    every_use,
    locate_statements,
)
from openai_ekm.openai_calls.requests import DECRYPT, ENCRYPT
from openai_ekm.policy import ALLOW_ALL, parse_arn
from openai_ekm.snapshot import UNSEEN, Key, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["decisions_of"]

# Nobody's: AWS gives out no such account, and it is not the customer's.
_STRANGER: Final = "999999999999"
_ID_OF_ANOTHER: Final = "org-of-another-customer"
_OTHER_ROLE: Final = "another-role"
_ADMINISTRATOR: Final = "an-administrator-with-every-iam-permission"


@dataclass(frozen=True, slots=True)
class _Question:
    """One request that an auditor asks about.

    Args:
        id: Its name in the pack.
        title: What happens in it.
        expected: `allowed` or `denied`.
    """

    id: str
    title: str
    expected: str

    def worst(self, every: Iterable[Asked]) -> Asked:
        """Return the first request that is not answered as expected, else the first."""
        first: Asked | None = None
        for asked in every:
            if asked.decision.allowed != (self.expected == "allowed"):
                return asked
            first = first or asked
        assert first is not None  # nosec B101 # narrows the type: there is always a possible call
        return first


_WITH_ID: Final = _Question(
    "openai_assumes_with_external_id",
    "OpenAI assumes the role with the registered external id",
    "allowed",
)
_WITHOUT_ID: Final = _Question(
    "openai_assumes_without_external_id", "OpenAI assumes the role without an external id", "denied"
)
_OTHER_ID: Final = _Question(
    "openai_assumes_with_another_external_id",
    "OpenAI assumes the role with another customer's external id",
    "denied",
)
_ASSUMED_BY_OTHERS: Final = (
    (_Question("stranger_assumes", "Another AWS account assumes the role", "denied"), _STRANGER),
    (
        _Question("openai_other_role_assumes", "Another role of OpenAI's assumes it", "denied"),
        OPENAI_ACCOUNT,
    ),
)
_USED: Final = (
    (_Question("role_encrypts", "OpenAI encrypts through the role", "allowed"), ENCRYPT),
    (_Question("role_decrypts", "OpenAI decrypts through the role", "allowed"), DECRYPT),
)
# Whose account (None for the customer's) and role (None for its root user).
_USED_BY_OTHERS: Final = (
    (
        _Question(
            "administrator_decrypts",
            "A role of your account that IAM allows everything decrypts",
            "denied",
        ),
        None,
        _ADMINISTRATOR,
    ),
    (_Question("root_decrypts", "The root user of your account decrypts", "denied"), None, None),
    (
        _Question("stranger_decrypts", "Another AWS account decrypts", "denied"),
        _STRANGER,
        _OTHER_ROLE,
    ),
    (
        _Question("openai_directly", "OpenAI decrypts without the role", "denied"),
        OPENAI_ACCOUNT,
        _OTHER_ROLE,
    ),
)


def decisions_of(snapshot: Snapshot, *, now: str) -> tuple[dict[str, Any], ...]:
    """Decide what OpenAI may do, and what others may not.

    Args:
        snapshot: What is judged; a request whose documents were not seen is left out.
        now: From when on a call may be made (ISO 8601).
    """
    return (*_assumptions(snapshot, now), *_uses(snapshot, now))


def _assumptions(snapshot: Snapshot, now: str) -> Iterator[dict[str, Any]]:
    """Yield who may assume the role."""
    if not isinstance(snapshot.role, Role) or snapshot.role.trust_policy is UNSEEN:
        return
    registered = snapshot.registration.external_id

    def asked(external_id: str | None) -> Iterator[Asked]:
        return every_assume_role(snapshot, external_id=external_id, session_name=None, now=now)

    for question, external_id in (
        (_WITH_ID, registered),
        (_WITHOUT_ID, None),
        (_OTHER_ID, _ID_OF_ANOTHER),
    ):
        yield _answer(snapshot, question, question.worst(asked(external_id)), None)
    for question, account in _ASSUMED_BY_OTHERS:
        others = (_by(each, account, _OTHER_ROLE) for each in asked(registered))
        yield _answer(snapshot, question, question.worst(others), None)


def _uses(snapshot: Snapshot, now: str) -> Iterator[dict[str, Any]]:
    """Yield who may encrypt and decrypt."""
    key = snapshot.registered_key
    if not isinstance(snapshot.role, Role) or key is None or key.policy is UNSEEN:
        return
    if snapshot.role.permission_policies is not UNSEEN:
        for question, action in _USED:
            every = every_use(action, snapshot, key, session_name=None, now=now)
            yield _answer(snapshot, question, question.worst(every), key)
    arn = parse_arn(key.arn)
    own = arn.account if arn is not None else ""
    for question, account, name in _USED_BY_OTHERS:
        every = every_use(DECRYPT, snapshot, key, session_name=None, now=now)
        others = (_with_every_permission(each, account or own, name) for each in every)
        yield _answer(snapshot, question, question.worst(others), key, others=True)


def _by(asked: Asked, account: str, name: str | None) -> Asked:
    """Return the same request by another role, or by the account's root user."""
    arn = f"arn:aws:iam::{account}:" + ("root" if name is None else f"role/{name}")
    context = {
        key: value
        for key, value in asked.request.context.items()
        if not key.startswith("aws:PrincipalTag/") and key != "aws:userid"
    }
    context |= {
        "aws:PrincipalArn": arn,
        "aws:PrincipalType": "Account" if name is None else "AssumedRole",
    }
    if "kms:CallerAccount" in context:
        context["kms:CallerAccount"] = account
    if account in {_STRANGER, OPENAI_ACCOUNT}:
        context.pop("aws:PrincipalOrgID", None)
        context.pop("aws:PrincipalOrgPaths", None)
    request = replace(asked.request, principal=arn, context=context)
    return Asked(request, asked.policies, decide(request, asked.policies))


def _with_every_permission(asked: Asked, account: str, name: str | None) -> Asked:
    """Return the same request by somebody whom the own account's IAM allows everything."""
    wide = replace(asked.policies, identity=(ALLOW_ALL,), permissions_boundary=None)
    return _by(Asked(asked.request, wide, asked.decision), account, name)


def _answer(
    snapshot: Snapshot, question: _Question, asked: Asked, key: Key | None, *, others: bool = False
) -> dict[str, Any]:
    request, decision = asked.request, asked.decision
    statements = locate_statements(snapshot, decision.decided_by, key)
    if others:
        # The permissions of a stranger are taken to allow: they are no document of the snapshot.
        statements = tuple(
            each for each in statements if not each.document.startswith("permission_policies")
        )
    return {
        "id": question.id,
        "title": question.title,
        "expected": question.expected,
        "as_expected": decision.allowed == (question.expected == "allowed"),
        "request": {
            "principal": request.principal,
            "action": request.action,
            "resource": request.resource,
            "resource_account": request.resource_account,
            "context": {
                name: value if isinstance(value, str) else list(value)
                for name, value in request.context.items()
            },
        },
        **decision.as_json(),
        "decided_by": [each.as_json() for each in statements],
    }
