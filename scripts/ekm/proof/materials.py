"""A snapshot read for proving: every document once, what is malformed, what is not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ekm.errors import BadInput
from ekm.evaluation.grants import Grant, parse_grant
from ekm.policy import Document, DocumentKind, MalformedPolicy, Statement, parse_arn, parse_document
from ekm.snapshot import UNSEEN, Customer, Key, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RELATED", "Materials", "Part", "read"]

# Twice the largest document that AWS keeps (a key policy of 32 KB).
# Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
LARGEST: Final = 65_536
MOST_STATEMENTS: Final = 1_000
RELATED: Final = "related to the key: "


@dataclass(frozen=True, slots=True)
class Part:
    """One document and where it stands in the snapshot.

    Args:
        path: `trust_policy`, `permission_policies[0]`, `keys[0].policy`, `scps[0][1]`, …
        document: The document.
    """

    path: str
    document: Document


@dataclass(frozen=True, slots=True)
class Materials:
    """What a proof goes by.

    Args:
        snapshot: As it was collected.
        role: The role that was found; None when it was not, or was not looked up.
        key: The registered key; None likewise.
        trust: The role's trust policy.
        identity: The role's permission policies.
        boundary: Its permissions boundary.
        key_policy: The key's policy.
        related: The keys that share its material, its primary and replicas in other Regions, with
            their policies.
        scps: One tuple a level.
        rcps: Likewise.
        grants: On the key.
        faults: What is malformed, by path.
        missing: What a judgement cannot do without and that was not collected, by path.
        beside: Documents that are in force nowhere here, and that classes must tell apart too.
    """

    snapshot: Snapshot
    role: Role | None
    key: Key | None
    trust: Part | None
    identity: tuple[Part, ...]
    boundary: Part | None
    key_policy: Part | None
    scps: tuple[tuple[Part, ...], ...]
    rcps: tuple[tuple[Part, ...], ...]
    grants: tuple[Grant, ...]
    faults: Mapping[str, str]
    missing: frozenset[str]
    related: tuple[tuple[Key, Part], ...] = ()
    beside: tuple[Part, ...] = ()

    @property
    def parts(self) -> Iterator[Part]:
        """Every document."""
        yield from (each for each in (self.trust, self.boundary, self.key_policy) if each)
        yield from (*self.identity, *(part for _, part in self.related), *self.beside)
        for level in (*self.scps, *self.rcps):
            yield from level

    @property
    def statements(self) -> Iterator[Statement]:
        """Every statement of every document."""
        for part in self.parts:
            yield from part.document.statements

    @property
    def partition(self) -> str:
        """Of role and key."""
        arn = parse_arn(self.role.arn if self.role else self.snapshot.registration.role_arn)
        return arn.partition if arn is not None else "aws"

    @property
    def customer(self) -> str:
        """The customer's account; empty when nothing says it."""
        customer = self.snapshot.customer
        if isinstance(customer, Customer) and isinstance(customer.account, str):
            return customer.account
        arn = parse_arn(self.role.arn if self.role else self.snapshot.registration.role_arn)
        return arn.account if arn is not None else ""

    @property
    def key_account(self) -> str:
        """The key's account; empty when there is no key."""
        arn = parse_arn(self.key.arn) if self.key else None
        return arn.account if arn is not None else ""


class _Reader:
    """Reads documents one by one and keeps what is wrong with them."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self.missing: set[str] = set()

    def part(self, raw: Any, path: str, kind: DocumentKind) -> Part | None:
        """One document; None when it is not there, not seen, or malformed."""
        if raw is None or raw is UNSEEN:
            return None
        _check_size(raw, path)
        try:
            return Part(path, parse_document(raw, kind))
        except MalformedPolicy as fault:
            self.faults[path] = str(fault)
        except RecursionError:
            raise _too_large(path, "is nested too deeply") from None
        return None

    def needed(self, raw: Any, path: str, kind: DocumentKind) -> Part | None:
        """One document that no judgement can do without."""
        if raw is UNSEEN:
            self.missing.add(path)
        return self.part(raw, path, kind)

    def levels(self, raw: Any, path: str, kind: DocumentKind) -> tuple[tuple[Part, ...], ...]:
        """Guardrails, one inner list a level."""
        if raw is UNSEEN:
            return ()
        found: list[tuple[Part, ...]] = []
        for index, level in enumerate(raw):
            place = f"{path}[{index}]"
            if not isinstance(level, list | tuple):
                self.faults[place] = f"{place}: must be a list, one a level"
                continue
            parts = [self.part(each, f"{place}[{at}]", kind) for at, each in enumerate(level)]
            found.append(tuple(each for each in parts if each is not None))
        return tuple(found)

    def grants(self, raw: Any) -> tuple[Grant, ...]:
        """Grants on the key."""
        if raw is UNSEEN:
            return ()
        found: list[Grant] = []
        for index, each in enumerate(raw):
            try:
                found.append(parse_grant(each, index))
            except MalformedPolicy as fault:
                self.faults[f"grants[{index}]"] = str(fault)
        return tuple(found)


def read(snapshot: Snapshot) -> Materials:
    """Read a snapshot's documents.

    Args:
        snapshot: What was collected.

    Returns:
        The materials; a malformed document is a finding, not an error.

    Raises:
        BadInput: `document_too_large`.
    """
    reader = _Reader()
    role = snapshot.role if isinstance(snapshot.role, Role) else None
    key = _registered_key(snapshot)
    if snapshot.role is UNSEEN:
        reader.missing.add("role")
    if snapshot.keys is UNSEEN:
        reader.missing.add("keys")
    trust = boundary = key_policy = None
    identity: list[Part] = []
    related: tuple[tuple[Key, Part], ...] = ()
    if role is not None:
        trust = reader.needed(role.trust_policy, "trust_policy", DocumentKind.TRUST)
        boundary = reader.part(
            role.permissions_boundary, "permissions_boundary", DocumentKind.IDENTITY
        )
        if role.permission_policies is UNSEEN:
            reader.missing.add("permission_policies")
        else:
            for index, each in enumerate(role.permission_policies):
                path = f"permission_policies[{index}]"
                part = reader.needed(each.document, path, DocumentKind.IDENTITY)
                identity += [] if part is None else [part]
    if key is not None and snapshot.keys is not UNSEEN:
        path = f"keys[{snapshot.keys.index(key)}].policy"
        key_policy = reader.needed(key.policy, path, DocumentKind.KEY)
        related = tuple(_related(snapshot, key, reader))
    return Materials(
        snapshot=snapshot,
        role=role,
        key=key,
        trust=trust,
        identity=tuple(identity),
        boundary=boundary,
        key_policy=key_policy,
        scps=reader.levels(snapshot.scps, "scps", DocumentKind.SCP),
        rcps=reader.levels(snapshot.rcps, "rcps", DocumentKind.RCP),
        grants=reader.grants(snapshot.grants),
        faults=reader.faults,
        missing=frozenset(reader.missing),
        related=related,
    )


def _related(snapshot: Snapshot, key: Key, reader: _Reader) -> Iterator[tuple[Key, Part]]:
    """The other keys of a multi-Region key: what one encrypts, each of them decrypts.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
    """
    own = parse_arn(key.arn)
    if own is None or not own.resource.startswith("key/mrk-") or snapshot.keys is UNSEEN:
        return
    for index, each in enumerate(snapshot.keys):
        arn = parse_arn(each.arn)
        if arn is None or each.arn == key.arn:
            continue
        if (arn.partition, arn.account, arn.resource) != (own.partition, own.account, own.resource):
            continue
        path = f"keys[{index}].policy"
        if each.policy is UNSEEN:
            reader.missing.add(f"{RELATED}{path}")
        part = reader.part(each.policy, path, DocumentKind.KEY)
        if part is not None:
            yield each, part


def _registered_key(snapshot: Snapshot) -> Key | None:
    """The key behind what is registered, or None when it was not found."""
    if snapshot.keys is UNSEEN:
        return None
    target = snapshot.registration.kms_arn
    if ":alias/" in target:
        if snapshot.aliases is UNSEEN:
            # Keys are what was looked up for this registration: a single one is the alias's.
            return snapshot.keys[0] if len(snapshot.keys) == 1 else None
        target = next((each.target for each in snapshot.aliases if each.arn == target), "")
    return next((each for each in snapshot.keys if each.arn == target), None)


def _check_size(raw: Any, path: str) -> None:
    """Refuse what AWS could never hold, so that time and memory stay bounded."""
    try:
        size = len(raw) if isinstance(raw, str) else len(json.dumps(raw))
    except RecursionError:
        raise _too_large(path, "is nested too deeply") from None
    except (TypeError, ValueError):
        return
    statements = raw.get("Statement") if isinstance(raw, Mapping) else None
    many = isinstance(statements, list) and len(statements) > MOST_STATEMENTS
    if size > LARGEST or many:
        raise _too_large(path, f"has {size} characters, and AWS holds none above {LARGEST}")


def _too_large(path: str, reason: str) -> BadInput:
    return BadInput(
        "document_too_large",
        f"The document at {path} {reason}.",
        at_fault=path,
        remedy="Check that the snapshot holds the policy document itself, as AWS returned it.",
    )
