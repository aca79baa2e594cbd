"""Names that OpenAI documents and that a judgement rests on."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ENCRYPTION_ALGORITHM",
    "OPENAI_ACCOUNT",
    "OPENAI_ROLE_ARN",
    "OPENAI_SESSION_ARN",
    "STRANGE_ORGANIZATION",
]

OPENAI_ACCOUNT: Final = "790389265272"
# Source: help.openai.com/en/articles/20000947 (the role), 20000955 (its own session).
OPENAI_ROLE_ARN: Final = f"arn:aws:iam::{OPENAI_ACCOUNT}:role/EnterpriseKeyManagement"
OPENAI_SESSION_ARN: Final = (
    f"arn:aws:sts::{OPENAI_ACCOUNT}:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service"
)
ENCRYPTION_ALGORITHM: Final = "SYMMETRIC_DEFAULT"
# OpenAI's account is in no organization, or in one that no customer names.
STRANGE_ORGANIZATION: Final = "o-notpublic00"
