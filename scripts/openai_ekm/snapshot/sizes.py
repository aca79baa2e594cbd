"""How large a policy may be; a larger one cannot be saved, so a plan that has one fails.

There is no limit for a policy of unknown type, and for AWS's own: AWS publishes managed policies of
more than 150,000 characters.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (white space is not
counted)
https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html (32 KB)
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.policy.arn import is_account, parse_arn
from openai_ekm.snapshot.members import UNSEEN, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.snapshot.snapshot import Snapshot

__all__ = ["TRUST_BY_DEFAULT", "TooLarge", "size", "too_large_documents"]

TRUST_BY_DEFAULT: Final = 2048  # characters
TRUST_AT_MOST: Final = 4096  # characters, by quota increase
INLINE_AT_MOST: Final = 10240  # characters: the inline policies of a role, together
MANAGED_AT_MOST: Final = 6144  # characters: each managed policy of a customer
KEY_POLICY_AT_MOST: Final = 32768  # bytes


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A document, its size (of a role's inline policies: up to this one), and the most there is."""

    document: str
    found: int
    most: int
    quota: str

    def __str__(self) -> str:
        return f"{self.document}: Cannot exceed quota for {self.quota}: {self.most}"


def size(document: Any, *, spaces: bool = False) -> int:
    """Return how large a document is, in characters without white space, or in bytes with it."""
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    return len(text.encode()) if spaces else len("".join(text.split()))


def too_large_documents(snapshot: Snapshot, operation: str) -> Iterator[TooLarge]:
    """Yield the documents that are larger than any quota lets them be.

    Args:
        snapshot: What was collected.
        operation: `AssumeRole` or `Encrypt`: the call that needs them.
    """
    for found in _sizes(snapshot, operation):
        if found.found > found.most:
            yield found


def _sizes(snapshot: Snapshot, operation: str) -> Iterator[TooLarge]:
    role = snapshot.role if isinstance(snapshot.role, Role) else None
    if operation == "AssumeRole":
        if role is not None:
            trust = _size(role.trust_policy)
            yield TooLarge("trust_policy", trust, TRUST_AT_MOST, "ACLSizePerRole")
        return
    if role is not None:
        together = 0
        for index, policy in enumerate(role.permission_policies or ()):
            name = f"permission_policies[{index}]"
            if policy.type == "inline":
                together += _size(policy.document)
                yield TooLarge(name, together, INLINE_AT_MOST, "PolicySizePerRole")
            elif _of_customer(policy.arn):
                yield TooLarge(name, _size(policy.document), MANAGED_AT_MOST, "PolicySize")
        if _of_customer(role.permissions_boundary_arn):
            boundary = _size(role.permissions_boundary)
            yield TooLarge("permissions_boundary", boundary, MANAGED_AT_MOST, "PolicySize")
    for index, key in enumerate(snapshot.keys or ()):
        policy_size = _size(key.policy, spaces=True)
        yield TooLarge(f"keys[{index}].policy", policy_size, KEY_POLICY_AT_MOST, "KeyPolicySize")


def _size(document: Any, *, spaces: bool = False) -> int:
    return 0 if document is UNSEEN or document is None else size(document, spaces=spaces)


def _of_customer(arn: object) -> bool:
    """Return whether a managed policy's ARN is of an account: AWS's own have `aws` in its place."""
    parsed = parse_arn(arn) if isinstance(arn, str) else None
    return parsed is not None and is_account(parsed.account)
