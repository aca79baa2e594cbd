"""The calls that OpenAI may make: what a snapshot leaves open about them, at its corners.

No assumed address means any, no assumed time any from now on: a condition on one of them holds
only when it holds at every address, at every time. It changes its mind at a literal alone, so the
literals that the documents hold are the corners.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ekm.diagnosis.constants import STRANGE_ORGANIZATION
from ekm.snapshot import UNSEEN, Calls, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["text_of", "worlds"]

_TIMES: Final = ("aws:currenttime", "aws:epochtime", "aws:tokenissuetime")
_DATE: Final = re.compile(r'"(\d{4}-\d\d-\d\d(?:[Tt][0-9:.]+(?:[Zz]|[+-]\d\d:?\d\d)?)?)"')
_NETWORK: Final = re.compile(r'"(\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?)"')
_END_OF_TIME: Final = datetime(9000, 1, 1, tzinfo=UTC)
# Addresses set aside for documentation, and two plain ones: of these one is in no network named.
_ELSEWHERE: Final = ("203.0.113.77", "198.51.100.77", "192.0.2.77", "52.95.110.1", "20.102.1.1")
_MOST: Final = 40  # corners of one kind; a policy that names more is judged at the first ones


def worlds(
    snapshot: Snapshot, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> tuple[Calls, ...]:
    """Return the possible calls that documents may tell apart.

    Args:
        snapshot: What was collected.
        clock: Returns the time from which on a call may be made.

    Returns:
        At least one: the calls as the snapshot assumes them, with what it leaves open filled in
        where a document asks for it.
    """
    calls = snapshot.calls
    text = text_of(snapshot)
    lower = text.lower()
    times: list[str | None] = [calls.time]
    if calls.time is None and any(key in lower for key in _TIMES):
        times = list(_times(text, clock()))
    addresses: list[str | None] = [calls.source_ip]
    if calls.source_ip is None and calls.vpc_endpoint is None and "aws:sourceip" in lower:
        addresses = list(_addresses(text))
    organizations: list[str | None] = [calls.openai_organization]
    if calls.openai_organization is None and "aws:principalorg" in lower:
        organizations.append(STRANGE_ORGANIZATION)
    return tuple(
        replace(calls, time=time, source_ip=address, openai_organization=organization)
        for organization in organizations
        for time in times
        for address in addresses
    )


def _times(text: str, now: datetime) -> list[str]:
    found = {now, _END_OF_TIME}
    for literal in _DATE.findall(text):
        try:
            time = datetime.fromisoformat(literal.upper())
        except ValueError:
            continue
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        if time > now and len(found) < _MOST:
            found.add(time)
    return [time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for time in sorted(found)]


def _addresses(text: str) -> list[str]:
    from ipaddress import IPv4Network, ip_address  # noqa: PLC0415 - most snapshots name none

    networks: list[IPv4Network] = []
    for literal in _NETWORK.findall(text)[:_MOST]:
        try:
            networks.append(IPv4Network(literal, strict=False))
        except ValueError:
            continue
    inside = [str(network.network_address) for network in networks]
    outside = next(
        (
            address
            for address in _ELSEWHERE
            if not any(ip_address(address) in network for network in networks)
        ),
        None,
    )
    return [outside, *inside] if outside is not None else inside


def text_of(snapshot: Snapshot) -> str:
    """Every document that bears on the calls, as text."""
    documents: list[Any] = [snapshot.scps, snapshot.rcps]
    if isinstance(snapshot.role, Role):
        role = snapshot.role
        documents += [role.trust_policy, role.permissions_boundary]
        if role.permission_policies is not UNSEEN:
            documents += [policy.document for policy in role.permission_policies]
    if snapshot.keys is not UNSEEN:
        documents += [key.policy for key in snapshot.keys]
    return " ".join(
        each if isinstance(each, str) else json.dumps(each, default=str)
        for each in documents
        if each is not UNSEEN
    ).replace('\\"', '"')
