"""How large a policy may be; a larger one cannot be saved, so a plan that has one fails.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (white space is not
counted); docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html (32 KB).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ekm.diagnosis.value import AwsError
from ekm.snapshot import UNSEEN, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TRUST_BY_DEFAULT", "TooLarge", "size", "too_large", "too_large_documents"]

TRUST_BY_DEFAULT: Final = 2048  # characters
TRUST_AT_MOST: Final = 4096  # characters, by quota increase
IDENTITY_AT_MOST: Final = 10240  # characters: the inline policies of a role, together
BOUNDARY_AT_MOST: Final = 6144  # characters: a managed policy
KEY_POLICY_AT_MOST: Final = 32768  # bytes


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A document, its size, and the most there is."""

    document: str
    found: int
    most: int
    quota: str


def size(document: Any, *, spaces: bool = False) -> int:
    """Return how large a document is, in characters without white space, or in bytes with it."""
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    return len(text.encode()) if spaces else len("".join(text.split()))


def too_large(snapshot: Snapshot, operation: str) -> AwsError | None:
    """Return what AWS says to saving a document that a call needs and that is too large.

    Args:
        snapshot: What was collected.
        operation: `AssumeRole` or `Encrypt`.
    """
    for found in too_large_documents(snapshot, operation):
        message = f"Cannot exceed quota for {found.quota}: {found.most}"
        return AwsError(operation, "LimitExceeded", f"{found.document}: {message}")
    return None


def too_large_documents(snapshot: Snapshot, operation: str) -> Iterator[TooLarge]:
    """Yield the documents that are larger than any quota lets them be."""
    for document, content, most, quota in _documents(snapshot, operation):
        if content is UNSEEN or content is None:
            continue
        found = size(content, spaces=quota == "KeyPolicySize")
        if found > most:
            yield TooLarge(document, found, most, quota)


def _documents(snapshot: Snapshot, operation: str) -> Iterator[tuple[str, Any, int, str]]:
    role = snapshot.role
    if isinstance(role, Role) and operation == "AssumeRole":
        yield "trust_policy", role.trust_policy, TRUST_AT_MOST, "ACLSizePerRole"
    if operation == "AssumeRole":
        return
    if isinstance(role, Role):
        if role.permission_policies is not UNSEEN:
            for index, policy in enumerate(role.permission_policies):
                name = f"permission_policies[{index}]"
                yield name, policy.document, IDENTITY_AT_MOST, "PolicySizePerRole"
        boundary = role.permissions_boundary
        yield "permissions_boundary", boundary, BOUNDARY_AT_MOST, "PolicySize"
    if snapshot.keys is not UNSEEN:
        for index, key in enumerate(snapshot.keys):
            yield f"keys[{index}].policy", key.policy, KEY_POLICY_AT_MOST, "KeyPolicySize"
