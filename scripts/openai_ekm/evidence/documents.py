"""The policy documents of a snapshot, each by its path and with a title. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.evidence.pack import Document
from openai_ekm.snapshot import UNSEEN, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.snapshot import Snapshot

__all__ = ["documents_of"]


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
