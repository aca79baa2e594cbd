"""Warnings about settings that work and are wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openai_ekm.diagnosis import patch
from openai_ekm.diagnosis.result import Outcome
from openai_ekm.diagnosis.warnings import brittle, claims, remedies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from openai_ekm.diagnosis.result import Diagnosis, Warned
    from openai_ekm.snapshot import Snapshot

__all__ = ["warnings_of"]


def warnings_of(
    snapshot: Snapshot,
    verdict: Diagnosis,
    repaired: Snapshot,
    *,
    passes: bool,
    session_name: str | None,
    now: datetime | None,
) -> tuple[tuple[Warned, ...], tuple[str, ...]]:
    """Return what is wrong although it may work.

    Args:
        snapshot: What was collected.
        verdict: How it was judged; a document that is malformed is not warned about.
        repaired: The same with every fix applied. What a fix puts right is no warning.
        passes: Whether OpenAI can then assume the role and use the key.
        session_name: Name of OpenAI's session in the customer's role, where it is known.
        now: From when on something must be possible; None for the clock's time.

    Returns:
        The warnings, about statements as they stand in the snapshot; and the snapshot paths
        without which nobody can say whether there is one more.
    """
    if verdict.outcome is Outcome.POLICY_MALFORMED:
        return tuple(brittle.registered(snapshot)), ()
    broken, gaps = claims.warnings(repaired, passes=passes, now=now)
    found = [
        *broken,
        *brittle.brittle_trust_policy(repaired, passes=passes),
        *brittle.large(snapshot),
        *brittle.brittle_key_policy(repaired),
    ]
    told = _as_collected(_once(found), snapshot, repaired)
    offers = remedies.Remedies(snapshot, repaired, session_name=session_name, now=now)
    return tuple(map(offers.offered, (*told, *brittle.registered(snapshot)))), gaps


def _once(found: list[Warned]) -> list[Warned]:
    """Return each matter of a statement once; one that lets in others lets in the role as well."""
    others = {
        (each.document, each.statement) for each in found if each.id != "permissions_too_broad"
    }
    kept: dict[object, Warned] = {}
    for each in found:
        place = (each.document, each.statement)
        if each.id != "permissions_too_broad" or place not in others:
            kept.setdefault((each.id, each.element, each.found, *place), each)
    return list(kept.values())


def _as_collected(found: list[Warned], snapshot: Snapshot, repaired: Snapshot) -> Iterator[Warned]:
    """Yield warnings about a repaired snapshot, at the statements' places in the first one."""
    if repaired is snapshot:
        yield from found
        return
    before, after = patch.opened(snapshot), patch.opened(repaired)
    for warned in found:
        if warned.statement is None:
            yield warned
            continue
        there = _statements(before, warned.document)
        now = _statements(after, warned.document)
        statement = now[warned.statement]
        if statement in there:
            index = there.index(statement)
            fix = tuple(replace(each, path=(*each.path[:-1], index)) for each in warned.fix)
            yield replace(warned, statement=index, fix=fix)
        elif warned.statement < len(there):
            yield warned  # a fix changed it, and not enough


def _statements(body: dict[str, Any], document: str) -> list[Any]:
    policy: Any = patch.at(body, patch.document_pointer(document))
    found = policy.get("Statement") if isinstance(policy, dict) else None
    return found if isinstance(found, list) else [found]
