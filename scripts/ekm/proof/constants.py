"""Names and documents that a proof rests on, beside those of the snapshot."""

from __future__ import annotations

from typing import Final

from ekm.policy import Document, DocumentKind, parse_document

__all__ = ["ALLOW_ALL", "delegating_key", "delegating_role"]

# Identity policies that are not seen are taken to allow everything.
ALLOW_ALL: Final = parse_document(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    DocumentKind.IDENTITY,
)


def delegating_key(partition: str, account: str) -> Document:
    """The policy of another key: its account decides, and nobody is named."""
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
    """The trust policy of another role: its account decides, and nobody is named."""
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
