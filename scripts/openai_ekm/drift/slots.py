"""The places of documents: each with the one that was meant and the one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.drift.compare_policies import BOUNDARY, KEY_POLICY, TRUST_POLICY, Slot
from openai_ekm.drift.difference import canonical, decoded
from openai_ekm.policy import DocumentKind
from openai_ekm.snapshot import UNSEEN, NamedPolicy, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.drift.intended import Intended
    from openai_ekm.drift.observed import Observed

__all__ = ["slots_of"]


def slots_of(meant: Intended, observed: Observed) -> list[Slot]:
    """Return every place of a document of the role and the key that are there.

    Args:
        meant: What was meant.
        observed: What is there.
    """
    return [*_of_role(meant, observed), *_of_key(meant, observed)]


def _of_role(meant: Intended, observed: Observed) -> Iterator[Slot]:
    role, wanted = observed.snapshot.role, meant.snapshot.role
    if role is None:
        return
    if role is UNSEEN:
        for check, subject, kind in (
            ("trust_policy", TRUST_POLICY, DocumentKind.TRUST),
            ("permission_policies", "role's policies", DocumentKind.IDENTITY),
            ("permissions_boundary", BOUNDARY, DocumentKind.IDENTITY),
        ):
            yield Slot(check, subject, kind, UNSEEN, UNSEEN, reason=observed.reason("role"))
        return
    said = isinstance(wanted, Role)
    yield Slot(
        "trust_policy",
        TRUST_POLICY,
        DocumentKind.TRUST,
        wanted.trust_policy if isinstance(wanted, Role) else UNSEEN,
        role.trust_policy,
        reason=_reason(meant, observed, "trust_policy", said=said),
    )
    yield from _permissions(meant, observed, role)
    yield from _boundary(meant, observed, role)


def _reason(meant: Intended, observed: Observed, path: str, *, said: bool) -> str:
    if said and path in meant.snapshot.reasons:
        return meant.snapshot.reasons[path]
    return observed.reason(path)


def _permissions(meant: Intended, observed: Observed, role: Role) -> Iterator[Slot]:
    """Yield the permission policies in pairs, by name; a renamed one by its document."""
    path, wanted = "permission_policies", meant.snapshot.role
    planned = wanted.permission_policies if isinstance(wanted, Role) else UNSEEN
    if planned is UNSEEN or role.permission_policies is UNSEEN:
        reason = _reason(meant, observed, path, said=planned is UNSEEN)
        yield Slot(path, "role's policies", DocumentKind.IDENTITY, UNSEEN, UNSEEN, reason=reason)
        return
    missing = list(planned)
    added: list[NamedPolicy] = []
    for each in role.permission_policies:
        twin = next((one for one in missing if _is_same(one, each)), None)
        if twin is None:
            added.append(each)
            continue
        missing.remove(twin)
        yield _permission(twin, each, meant, observed)
    for each in list(added):
        twin = next((one for one in missing if _says_same(one, each)), None)
        if twin is not None:
            missing.remove(twin)
            added.remove(each)
            yield _permission(twin, each, meant, observed)
    yield from (_permission(None, each, meant, observed) for each in added)
    yield from (_permission(each, None, meant, observed) for each in missing)


def _is_same(one: NamedPolicy, other: NamedPolicy) -> bool:
    """Return whether two policies have one name: managed ones by their ARN."""
    if one.arn is not UNSEEN or other.arn is not UNSEEN:
        return one.arn == other.arn
    return one.name == other.name


def _says_same(one: NamedPolicy, other: NamedPolicy) -> bool:
    if one.document is UNSEEN or other.document is UNSEEN:
        return False
    return bool(canonical(decoded(one.document)) == canonical(decoded(other.document)))


def _permission(
    wanted: NamedPolicy | None, found: NamedPolicy | None, meant: Intended, observed: Observed
) -> Slot:
    known = found or wanted
    assert known is not None  # nosec B101 # narrows the type
    kind = "managed policy" if known.arn is not UNSEEN else "policy"
    name = known.arn if known.arn is not UNSEEN else known.name
    document: Any = None if wanted is None else wanted.document
    # A plan names a managed policy that it does not write: nothing says its document.
    made = wanted is None or document is not UNSEEN
    return Slot(
        "permission_policies",
        f"{kind} {name} of the role",
        DocumentKind.IDENTITY,
        document if made else None,
        None if found is None else found.document,
        made=made,
        reason=_reason(meant, observed, "permission_policies", said=False),
    )


def _boundary(meant: Intended, observed: Observed, role: Role) -> Iterator[Slot]:
    """Yield the boundary's document: no document where no boundary was meant."""
    document = role.permissions_boundary
    if document is None and meant.boundary_arn is not UNSEEN:
        return  # as it was meant, or told by its ARN
    if document is UNSEEN and role.permissions_boundary_arn is UNSEEN and meant.boundary_arn:
        return  # told by its ARN
    # Also of another boundary than was meant: its ARN may be accepted, its document changes.
    yield Slot(
        "permissions_boundary",
        BOUNDARY,
        DocumentKind.IDENTITY,
        None,
        document,
        made=meant.boundary_arn is None,
        reason=observed.reason("permissions_boundary"),
    )


def _of_key(meant: Intended, observed: Observed) -> Iterator[Slot]:
    snapshot = observed.snapshot
    key = snapshot.registered_key
    if snapshot.keys is not UNSEEN and key is None:
        return
    wanted = meant.snapshot.keys[0].policy if meant.snapshot.keys else UNSEEN
    yield Slot(
        "key_policy",
        KEY_POLICY,
        DocumentKind.KEY,
        wanted if meant.makes_key else None,
        UNSEEN if key is None else key.policy,
        made=meant.makes_key,
        reason=_reason(meant, observed, "keys[0].policy", said=wanted is UNSEEN)
        if key is not None
        else observed.reason("keys"),
    )
