"""Names that many tests share: one account, role, key and organization, and an admin key."""

from __future__ import annotations

from typing import Final

__all__ = ["ACCOUNT", "KEY", "REGION", "ROLE", "SECRET"]

ACCOUNT: Final = "111122223333"  # AWS's own account id for examples
REGION: Final = "eu-west-1"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/openai-ekm"
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
SECRET: Final = "sk-admin-AbCdEf0123456789"  # the form of an admin key, and none that exists
