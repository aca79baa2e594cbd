"""The organization that is assumed where documents name one and nobody collected it.

Documents do not say which organization the account is in, and a policy that names an organization
mostly means its own. If it decides a judgement, the judgement takes an organization that was not
collected to be the one that a document names, and says so.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
(aws:PrincipalOrgID, aws:ResourceOrgID, aws:PrincipalTag, aws:ResourceTag).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.openai_calls import call_decisions
from openai_ekm.openai_calls.possible_calls import keys_asked
from openai_ekm.openai_calls.requests import DECRYPT, ENCRYPT
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from openai_ekm.snapshot import UNSEEN, Customer, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.policy import Statement
    from openai_ekm.snapshot import Key

__all__ = ["ORGANIZATION", "asked_about", "assumed"]

ORGANIZATION: Final = "customer.organization"
_ABOUT_ORGANIZATION: Final = ("aws:principalorg", "aws:resourceorg")
_ID: Final = re.compile(r"o-[a-z0-9]{1,32}")
_MOST: Final = 8  # organizations that are tried; a policy names one, or a partner's as well


def assumed(snapshot: Snapshot, key: Key | None, *, session_name: str | None) -> Snapshot:
    """Return the snapshot with the organization that lets most of OpenAI's calls pass.

    Args:
        snapshot: What was collected.
        key: The key behind the registered ARN, if it was found.
        session_name: Name of OpenAI's session in the customer's role, where it is known.

    Returns:
        The same snapshot when its organization was collected, no document asks for it, or no
        organization that one names makes a difference.
    """
    if snapshot.organization is not UNSEEN:
        return snapshot
    named = [
        value.partition("/")[0]
        for statement in _statements(snapshot)
        for condition in statement.conditions
        if condition.lookup.startswith(_ABOUT_ORGANIZATION)
        for value in condition.values
    ]
    best, most = snapshot, _count_allowed(snapshot, key, session_name)
    for organization in list(dict.fromkeys(filter(_ID.fullmatch, named)))[:_MOST]:
        customer = snapshot.customer if isinstance(snapshot.customer, Customer) else Customer()
        candidate = replace(snapshot, customer=replace(customer, organization=organization))
        if (allowed := _count_allowed(candidate, key, session_name)) > most:
            best, most = candidate, allowed
    return best


def asked_about(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the snapshot paths of what a document asks for and was not collected.

    Args:
        snapshot: What was collected.
    """
    conditions, variables, _ = keys_asked(_statements(snapshot))
    return tuple(_asked_about(snapshot, {*conditions, *variables}))


def _asked_about(snapshot: Snapshot, asked: set[str]) -> Iterator[str]:
    def about(*prefixes: str) -> bool:
        return any(key.startswith(prefixes) for key in asked)

    if snapshot.organization is UNSEEN and about(*_ABOUT_ORGANIZATION):
        yield ORGANIZATION
    role = snapshot.role
    tagged = about("aws:principaltag/", "aws:resourcetag/")
    if isinstance(role, Role) and role.tags is UNSEEN and tagged:
        yield "role.tags"
    if about("aws:resourcetag/"):
        for index, key in enumerate(snapshot.keys or ()):
            if key.tags is UNSEEN:
                yield f"keys[{index}].tags"


def _statements(snapshot: Snapshot) -> Iterator[Statement]:
    """Yield every statement that bears on the calls, of documents that can be read."""
    for raw, kind in _documents(snapshot):
        if raw is None or raw is UNSEEN:
            continue
        try:
            yield from parse_document(raw, kind).statements
        except MalformedPolicy:
            continue


def _documents(snapshot: Snapshot) -> Iterator[tuple[Any, DocumentKind]]:
    role = snapshot.role
    if isinstance(role, Role):
        yield role.trust_policy, DocumentKind.TRUST
        yield role.permissions_boundary, DocumentKind.IDENTITY
        for policy in role.permission_policies or ():
            yield policy.document, DocumentKind.IDENTITY
    for key in snapshot.keys or ():
        yield key.policy, DocumentKind.KEY
    for levels, kind in ((snapshot.scps, DocumentKind.SCP), (snapshot.rcps, DocumentKind.RCP)):
        for level in levels or ():
            yield from ((each, kind) for each in (level if isinstance(level, list | tuple) else ()))


def _count_allowed(snapshot: Snapshot, key: Key | None, session_name: str | None) -> int:
    """Return how many of OpenAI's calls pass."""
    role = snapshot.role
    if not isinstance(role, Role):
        return 0
    sent = snapshot.registration.external_id
    asked = [call_decisions.assume_role(snapshot, external_id=sent, session_name=session_name)]
    if key is not None:
        asked += [
            call_decisions.use(action, snapshot, key, session_name=session_name)
            for action in (ENCRYPT, DECRYPT)
        ]
    return sum(each.decision.allowed for each in asked)
