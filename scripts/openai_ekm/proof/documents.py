"""Read a snapshot's documents for the proof, and note which are malformed or not there.

The tags of role and key count for requests that must be possible. A request that must be
impossible must be so under any tags, because a principal who may tag changes them without a change
of a policy.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import BadInput
from openai_ekm.evaluation.grants import Grant, parse_grant
from openai_ekm.policy import (
    ALLOW_ALL,
    Document,
    DocumentKind,
    MalformedPolicy,
    Statement,
    parse_arn,
    parse_document,
)
from openai_ekm.policy.arn import account_in
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.snapshot import UNSEEN, Key, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ALLOWING_IDENTITY",
    "PRINCIPAL_TAG",
    "RESOURCE_TAG",
    "DocumentPart",
    "Documents",
    "KeyAndPolicy",
    "delegating",
    "is_related",
    "read_documents",
    "tags_of",
]

# Twice the largest document that AWS keeps (a key policy of 32 KB); of identity policies more
# than three times the largest of those that AWS publishes.
# Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
LARGEST: Final = 65_536
LARGEST_IDENTITY: Final = 524_288
MOST_STATEMENTS: Final = 1_000
# Identity policies that are not seen are taken to allow everything.
ALLOWING_IDENTITY: Final = parse_document(ALLOW_ALL, DocumentKind.IDENTITY)


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """One document and where it stands in the snapshot.

    Args:
        path: `trust_policy`, `permission_policies[0]`, `keys[0].policy`, `scps[0][1]`, …
        document: The document.
    """

    path: str
    document: Document


KeyAndPolicy = tuple[Key, DocumentPart | None]


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents that a proof goes by.

    Args:
        snapshot: As it was collected.
        role: The role that was found; None when it was not, or was not looked up.
        key: The registered key; None likewise.
        trust: The role's trust policy.
        identity: The role's permission policies.
        boundary: Its permissions boundary.
        key_policy: The key's policy.
        related: The keys that share its material, its primary and replicas in other Regions, with
            their policies; None where the policy was not collected.
        scps: One tuple a level.
        rcps: Likewise.
        grants: On the key.
        faults: What is malformed, by path.
        disputed: Those of which AWS's pages do not agree whether it saves them.
        granting: Whether grants that nobody saw let everybody do what a grant can.
        other_keys: Further keys of the snapshot with their policies, which may name the role.
        beside: Documents that are in force nowhere here, and that classes must tell apart too.
    """

    snapshot: Snapshot
    role: Role | None
    key: Key | None
    trust: DocumentPart | None
    identity: tuple[DocumentPart, ...]
    boundary: DocumentPart | None
    key_policy: DocumentPart | None
    scps: tuple[tuple[DocumentPart, ...], ...]
    rcps: tuple[tuple[DocumentPart, ...], ...]
    grants: tuple[Grant, ...]
    faults: Mapping[str, str]
    disputed: frozenset[str]
    granting: bool = False
    related: tuple[KeyAndPolicy, ...] = ()
    other_keys: tuple[KeyAndPolicy, ...] = ()
    beside: tuple[DocumentPart, ...] = ()

    @property
    def parts(self) -> Iterator[DocumentPart]:
        """Yield every document."""
        yield from (each for each in (self.trust, self.boundary, self.key_policy) if each)
        yield from (*self.identity, *(part for _, part in self.further_keys if part))
        yield from self.beside
        for level in (*self.scps, *self.rcps):
            yield from level

    @property
    def further_keys(self) -> tuple[KeyAndPolicy, ...]:
        """Return every key but the registered one, with its policy."""
        return (*self.related, *self.other_keys)

    @property
    def statements(self) -> Iterator[Statement]:
        """Yield every statement of every document."""
        for part in self.parts:
            yield from part.document.statements

    @property
    def role_arn(self) -> str:
        """Return the role's ARN, as it was found or else as it is registered."""
        return self.role.arn if self.role else self.snapshot.registration.role_arn

    @property
    def partition(self) -> str:
        """Return the partition of role and key."""
        arn = parse_arn(self.role_arn)
        return arn.partition if arn is not None else "aws"

    @property
    def customer(self) -> str:
        """Return the customer's account; empty when nothing says it."""
        return self.snapshot.customer_account

    @property
    def key_account(self) -> str:
        """Return the key's account; empty when there is no key."""
        return account_in(self.key.arn) if self.key else ""

    @property
    def root(self) -> str:
        """Return the ARN of the root user of the key's account."""
        return f"arn:{self.partition}:iam::{self.key_account}:root"


class _Reader:
    """Reads documents one by one and keeps what is wrong with them."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self.disputed: set[str] = set()

    def part(self, raw: Any, path: str, kind: DocumentKind) -> DocumentPart | None:
        """Return one document; None when it is not there, not seen, or malformed."""
        if raw is None or raw is UNSEEN:
            return None
        _check_size(raw, path, LARGEST_IDENTITY if kind is DocumentKind.IDENTITY else LARGEST)
        try:
            return DocumentPart(path, parse_document(raw, kind))
        except MalformedPolicy as fault:
            self.faults[path] = str(fault)
            if fault.disputed:
                self.disputed.add(path)
        except RecursionError:
            raise _too_large(path, "is nested too deeply") from None
        return None

    def levels(
        self, raw: Any, path: str, kind: DocumentKind
    ) -> tuple[tuple[DocumentPart, ...], ...]:
        """Return the guardrails, one inner list a level."""
        if raw is UNSEEN:
            return ()
        found: list[tuple[DocumentPart, ...]] = []
        for index, level in enumerate(raw):
            place = f"{path}[{index}]"
            if not isinstance(level, list | tuple):
                self.faults[place] = f"{place}: must be a list, one a level"
                continue
            parts = [self.part(each, f"{place}[{at}]", kind) for at, each in enumerate(level)]
            found.append(tuple(each for each in parts if each is not None))
        return tuple(found)

    def grants(self, raw: Any) -> tuple[Grant, ...]:
        """Return the grants on the key."""
        if raw is UNSEEN:
            return ()
        found: list[Grant] = []
        for index, each in enumerate(raw):
            try:
                found.append(parse_grant(each, index))
            except MalformedPolicy as fault:
                self.faults[f"grants[{index}]"] = str(fault)
        return tuple(found)


def read_documents(snapshot: Snapshot, *, granting: bool = False) -> Documents:
    """Read a snapshot's documents.

    Args:
        snapshot: What was collected; a document that was not counts as empty here.
        granting: Take it that grants let everybody do what a grant can.

    Returns:
        The documents; a malformed document is a finding, not an error.

    Raises:
        BadInput: `document_too_large`.
    """
    reader = _Reader()
    role = snapshot.role if isinstance(snapshot.role, Role) else None
    key = snapshot.registered_key
    trust = boundary = key_policy = None
    identity: list[DocumentPart] = []
    related: tuple[KeyAndPolicy, ...] = ()
    grants = reader.grants(snapshot.grants)
    if role is not None:
        trust = reader.part(role.trust_policy, "trust_policy", DocumentKind.TRUST)
        boundary = reader.part(
            role.permissions_boundary, "permissions_boundary", DocumentKind.IDENTITY
        )
        for index, each in enumerate(role.permission_policies or ()):
            path = f"permission_policies[{index}]"
            part = reader.part(each.document, path, DocumentKind.IDENTITY)
            identity += [] if part is None else [part]
    if key is not None and snapshot.keys is not UNSEEN:
        path = f"keys[{snapshot.keys.index(key)}].policy"
        key_policy = reader.part(key.policy, path, DocumentKind.KEY)
        related = tuple(_related_keys(snapshot, key, reader, grants))
    return Documents(
        snapshot=snapshot,
        role=role,
        key=key,
        trust=trust,
        identity=tuple(identity),
        boundary=boundary,
        key_policy=key_policy,
        scps=reader.levels(snapshot.scps, "scps", DocumentKind.SCP),
        rcps=reader.levels(snapshot.rcps, "rcps", DocumentKind.RCP),
        grants=grants,
        faults=reader.faults,
        disputed=frozenset(reader.disputed),
        granting=granting,
        related=related,
        other_keys=tuple(_other_keys(snapshot, key)) if key is not None else (),
    )


def is_related(arn: str, own: str) -> bool:
    """Return whether two ARNs are of one multi-Region key in two Regions.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
    """
    one, other = parse_arn(arn), parse_arn(own)
    if one is None or other is None or arn == own or not other.resource.startswith("key/mrk-"):
        return False
    return (one.partition, one.account, one.resource) == (
        other.partition,
        other.account,
        other.resource,
    )


def _related_keys(
    snapshot: Snapshot, key: Key, reader: _Reader, grants: tuple[Grant, ...]
) -> Iterator[KeyAndPolicy]:
    """Yield the other keys of a multi-Region key: what one encrypts, each of them decrypts.

    One that only a grant names is there, too, though its policy was not collected.
    """
    met: set[str] = set()
    for index, each in enumerate(snapshot.keys or ()):
        if is_related(each.arn, key.arn):
            met.add(each.arn)
            yield each, reader.part(each.policy, f"keys[{index}].policy", DocumentKind.KEY)
    for grant in grants:
        if grant.key_arn not in met and is_related(grant.key_arn, key.arn):
            met.add(grant.key_arn)
            yield Key(grant.key_arn), None


def _other_keys(snapshot: Snapshot, key: Key) -> Iterator[KeyAndPolicy]:
    """Yield the keys that share nothing with the registered one.

    A policy that AWS would not have saved is in force nowhere, and no fault of this key.
    """
    reader = _Reader()
    for index, each in enumerate(snapshot.keys or ()):
        if each.arn != key.arn and not is_related(each.arn, key.arn):
            yield each, reader.part(each.policy, f"keys[{index}].policy", DocumentKind.KEY)


def _check_size(raw: Any, path: str, largest: int) -> None:
    """Refuse what AWS could never hold, so that time and memory stay bounded."""
    try:
        size = len(raw) if isinstance(raw, str) else len(json.dumps(raw))
    except RecursionError:
        raise _too_large(path, "is nested too deeply") from None
    except (TypeError, ValueError):
        return
    statements = raw.get("Statement") if isinstance(raw, Mapping) else None
    many = isinstance(statements, list) and len(statements) > MOST_STATEMENTS
    if size > largest or many:
        raise _too_large(path, f"has {size} characters, and AWS holds none above {largest}")


def _too_large(path: str, reason: str) -> BadInput:
    return BadInput(
        "document_too_large",
        f"The document at {path} {reason}.",
        at_fault=path,
        remedy="Check that the snapshot holds the policy document itself, as AWS returned it.",
    )


def delegating(kind: DocumentKind, partition: str, account: str) -> Document:
    """Return the policy of another key or role at worst: its account decides, nobody is named.

    Args:
        kind: `KEY`, or `TRUST` of a role.
        partition: Of the account.
        account: The account.
    """
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"}}
    about = {"Action": "kms:*", "Resource": "*"}
    if kind is DocumentKind.TRUST:
        about = {"Action": "sts:*"}
    return parse_document({"Version": "2012-10-17", "Statement": [statement | about]}, kind)


PRINCIPAL_TAG: Final = "aws:principaltag"
RESOURCE_TAG: Final = "aws:resourcetag"


def tags_of(holder: Role | Key, prefix: str) -> dict[str, str]:
    """Return the tags of a role or key; none when they were not collected.

    Args:
        holder: The role or key.
        prefix: `PRINCIPAL_TAG` of a role's sessions, `RESOURCE_TAG` of what is asked about.

    Returns:
        Tags by condition key in lower case.
    """
    if holder.tags is UNSEEN:
        return {}
    return {lower_ascii(f"{prefix}/{name}"): value for name, value in holder.tags.items()}
