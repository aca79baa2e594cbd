"""A pack of evidence as a value: every member, parsed, and what is not in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_ekm.snapshot import UNSEEN, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai_ekm.evidence.controls import Control
    from openai_ekm.snapshot import Snapshot

__all__ = ["Document", "NotSeen", "Pack", "documents_of"]


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document of the snapshot.

    Args:
        path: Its path in the snapshot: `trust_policy`, `keys[0].policy`, `scps[0][1]`, …
        title: What it is, in words.
        body: The document as AWS has it: an object, or the text of one that is malformed.
    """

    path: str
    title: str
    body: Any


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Something that the pack does not hold, or that a member of it did not see.

    Args:
        member: The member that is missing or has the gap: `drift`, `usage`, `snapshot`, …
        what: What was not seen: a path of the snapshot, a call, or the member itself.
        why: Why not, in a sentence or in AWS's words.
    """

    member: str
    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Everything that a pack shows; text that came from outside is not escaped yet.

    Args:
        generated_at: When the pack was made (`2026-11-29T10:00:00Z`), by the clock of who made it.
        redacted: Whether account ids, names and addresses are stand-ins.
        versions: Name of a program to its version: `ekm`, `python`, `boto3`, ….
        snapshot: The JSON of `ekm snapshot`.
        documents: The policy documents of the snapshot.
        decisions: Single requests, each as `ekm decide` answers it, with what is expected.
        proof: The JSON of `ekm prove`.
        diagnosis: The JSON of `ekm diagnose`.
        validation: OpenAI's answer, with time and request id; None where it was not asked.
        usage: The JSON of `ekm usage`; None where there is none.
        drift: The JSON of `ekm drift`; None where there is none.
        drills: The reports of `ekm drill`, each as JSON.
        rotation: The rotations of each key; None where AWS did not say.
        audit_events: OpenAI's events about the external key and its projects; None where OpenAI
            did not say.
        controls: The rows of the table of controls.
        not_seen: What is not there, and why.
    """

    generated_at: str
    redacted: bool
    versions: Mapping[str, str]
    snapshot: Mapping[str, Any]
    documents: tuple[Document, ...]
    decisions: tuple[Mapping[str, Any], ...]
    proof: Mapping[str, Any]
    diagnosis: Mapping[str, Any]
    validation: Mapping[str, Any] | None = None
    usage: Mapping[str, Any] | None = None
    drift: Mapping[str, Any] | None = None
    drills: tuple[Mapping[str, Any], ...] = ()
    rotation: Mapping[str, Any] | None = None
    audit_events: Mapping[str, Any] | None = None
    controls: tuple[Control, ...] = ()
    not_seen: tuple[NotSeen, ...] = ()


def documents_of(snapshot: Snapshot) -> tuple[Document, ...]:
    """Return every document that was seen, in the order in which AWS applies them to OpenAI."""
    return tuple(each for each in _documents(snapshot) if each.body is not UNSEEN and each.body)


def _documents(snapshot: Snapshot) -> Iterator[Document]:
    role = snapshot.role
    if isinstance(role, Role):
        yield Document("trust_policy", "Trust policy of the role", role.trust_policy)
        if role.permission_policies is not UNSEEN:
            for index, policy in enumerate(role.permission_policies):
                path = f"permission_policies[{index}]"
                yield Document(path, f"Identity policy {policy.name} of the role", policy.document)
        yield Document(
            "permissions_boundary", "Permissions boundary of the role", role.permissions_boundary
        )
    if snapshot.keys is not UNSEEN:
        for index, key in enumerate(snapshot.keys):
            yield Document(f"keys[{index}].policy", f"Key policy of {key.arn}", key.policy)
    yield from _guardrails("scps", "Service control policy", snapshot.scps)
    yield from _guardrails("rcps", "Resource control policy", snapshot.rcps)


def _guardrails(name: str, kind: str, levels: Any) -> Iterator[Document]:
    """Yield the policies of an organization, level by level as AWS applies them."""
    for place, level in enumerate(() if levels is UNSEEN else levels):
        if not isinstance(level, list | tuple):
            yield Document(f"{name}[{place}]", kind, level)
            continue
        for index, policy in enumerate(level):
            title = f"{kind} {index + 1} of level {place + 1}"
            yield Document(f"{name}[{place}][{index}]", title, policy)
