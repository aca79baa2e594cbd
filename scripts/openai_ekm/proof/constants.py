"""Names and documents that a proof uses beside those of the snapshot."""

from __future__ import annotations

from typing import Final

from openai_ekm.policy import ALLOW_ALL, Document, DocumentKind, parse_document

__all__ = ["ALLOWING_IDENTITY", "delegating_key", "delegating_role"]

# Identity policies that are not seen are taken to allow everything.
ALLOWING_IDENTITY: Final = parse_document(ALLOW_ALL, DocumentKind.IDENTITY)


def delegating_key(partition: str, account: str) -> Document:
    """Return the policy of another key at worst: the role's account decides, nobody is named."""
    return parse_document(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        },
        DocumentKind.KEY,
    )


def delegating_role(partition: str, account: str) -> Document:
    """Return the trust policy of another role at worst: the role's account decides."""
    return parse_document(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                    "Action": "sts:*",
                }
            ],
        },
        DocumentKind.TRUST,
    )
