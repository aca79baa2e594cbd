"""Requests against the documents that the module writes by default, as decision cases.

The documents are tests/support's copy of what the module makes: a benchmark plans nothing.
"""

from __future__ import annotations

from typing import Any

from tests.constants import ACCOUNT, KEY, ROLE
from tests.support.module_policies import (
    ADMINISTER,
    DELEGATE_USE,
    PROTECT,
    ROOT,
    TRUST,
    USE,
    document,
)

__all__ = ["cases"]

OPENAI = "790389265272"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/openai-ekm/s"
CALLER = f"arn:aws:sts::{OPENAI}:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service"
ID = "org-abc123"
TRUST_POLICY = document(TRUST)
IDENTITY = document(USE)
KEY_POLICY = document(ADMINISTER, DELEGATE_USE, PROTECT)
ALL = document({"Effect": "Allow", "Action": "*", "Resource": "*"})


def cases() -> list[Any]:
    """What OpenAI asks, what others ask, and what an administrator does."""
    assume = [
        (CALLER, {"sts:ExternalId": ID}),
        (CALLER, {"sts:ExternalId": "org-of-somebody-else"}),
        (CALLER, {}),
        (f"arn:aws:sts::{OPENAI}:assumed-role/Other/s", {"sts:ExternalId": ID}),
    ]
    made = [
        _case(who, "sts:AssumeRole", ROLE, context, [ALL], TRUST_POLICY) for who, context in assume
    ]
    encryption = {"kms:EncryptionContext:project": "p", "aws:SecureTransport": "true"}
    made += [
        _case(SESSION, action, KEY, encryption, [IDENTITY], KEY_POLICY)
        for action in ("kms:Encrypt", "kms:Decrypt")
    ]
    made += [
        _case(who, action, KEY, {}, [ALL], KEY_POLICY)
        for who in (f"arn:aws:iam::{ACCOUNT}:role/admin", f"arn:aws:iam::{ACCOUNT}:user/u", ROOT)
        for action in ("kms:Decrypt", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")
    ]
    made.append(_case(SESSION, "kms:DescribeKey", KEY, {}, [IDENTITY], KEY_POLICY))
    return made


def _case(  # noqa: PLR0917 - the members of a case
    who: str, action: str, resource: str, context: Any, identity: list[Any], policy: Any
) -> Any:
    request = {"principal": who, "action": action, "resource": resource, "context": context}
    policies = {"identity": identity, "resource": policy}
    return {"id": f"{action} by {who}", "request": request, "policies": policies}
