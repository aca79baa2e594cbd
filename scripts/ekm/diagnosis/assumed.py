"""What documents ask about, and what was not collected of it: the organization, tags.

The account's own organization cannot be told from its documents, and a policy of an organization
that names one mostly means itself. So a judgement takes an organization that was not collected to
be the one that a document names, where that decides; and says so.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
(aws:PrincipalOrgID, aws:ResourceOrgID, aws:PrincipalTag, aws:ResourceTag).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ekm.diagnosis import calls
from ekm.diagnosis.worlds import text_of
from ekm.snapshot import UNSEEN, Customer, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.snapshot import Key

__all__ = ["ORGANIZATION", "asked_about", "assumed"]

ORGANIZATION: Final = "customer.organization"
_ABOUT_ORGANIZATION: Final = ("aws:principalorg", "aws:resourceorg")
_ID: Final = re.compile(r'"(o-[a-z0-9]{1,32})(?:/[^"]*)?"')
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
    if _organization_seen(snapshot):
        return snapshot
    text = text_of(snapshot)
    if not any(name in text.lower() for name in _ABOUT_ORGANIZATION):
        return snapshot
    best, most = snapshot, _allowed(snapshot, key, session_name)
    for named in dict.fromkeys(_ID.findall(text)[:_MOST]):
        customer = snapshot.customer if isinstance(snapshot.customer, Customer) else Customer()
        candidate = replace(snapshot, customer=replace(customer, organization=named))
        if (allowed := _allowed(candidate, key, session_name)) > most:
            best, most = candidate, allowed
    return best


def asked_about(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the snapshot paths of what a document asks for and was not collected.

    Args:
        snapshot: What was collected.
    """
    return tuple(_asked_about(snapshot, text_of(snapshot).lower()))


def _asked_about(snapshot: Snapshot, text: str) -> Iterator[str]:
    if not _organization_seen(snapshot) and any(name in text for name in _ABOUT_ORGANIZATION):
        yield ORGANIZATION
    role = snapshot.role
    tagged = "aws:principaltag" in text or "aws:resourcetag" in text
    if isinstance(role, Role) and role.tags is UNSEEN and tagged:
        yield "role.tags"
    if snapshot.keys is not UNSEEN and "aws:resourcetag" in text:
        for index, key in enumerate(snapshot.keys):
            if key.tags is UNSEEN:
                yield f"keys[{index}].tags"


def _organization_seen(snapshot: Snapshot) -> bool:
    customer = snapshot.customer
    return isinstance(customer, Customer) and customer.organization is not UNSEEN


def _allowed(snapshot: Snapshot, key: Key | None, session_name: str | None) -> int:
    """How many of OpenAI's calls pass."""
    role = snapshot.role
    if not isinstance(role, Role):
        return 0
    sent = snapshot.registration.external_id
    asked = [calls.assume_role(snapshot, external_id=sent, session_name=session_name)]
    if key is not None:
        asked += [
            calls.use(action, snapshot, key, session_name=session_name)
            for action in (calls.ENCRYPT, calls.DECRYPT)
        ]
    return sum(each.decision.allowed for each in asked)
