"""A snapshot of what the module makes, and ways to change one member of it."""

from __future__ import annotations

import copy
from typing import Any

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/openai-ekm"
PATHED = f"arn:aws:iam::{ACCOUNT}:role/team/openai-ekm"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = KEY.replace("/1", "/9")
ALIAS = f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/openai"
OPENAI = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def healthy() -> dict[str, Any]:
    """What the module makes."""
    trust = {
        "Sid": "AllowAssumeRoleByOpenAI",
        "Effect": "Allow",
        "Principal": {"AWS": OPENAI},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": ["org-abc"]}},
    }
    use = {
        "Sid": "AllowEncryptDecrypt",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:Encrypt"],
        "Resource": KEY,
    }
    administer = {
        "Sid": "AllowAdministration",
        "Effect": "Allow",
        "Principal": {"AWS": [ROOT]},
        "Action": ["kms:DescribeKey", "kms:PutKeyPolicy"],
        "Resource": "*",
    }
    by_role = {
        "Sid": "AllowUseByRole",
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        "Action": ["kms:Decrypt", "kms:Encrypt"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}},
    }
    return {
        "registration": {"role_arn": ROLE, "kms_arn": KEY, "external_id": "org-abc"},
        "role": {
            "arn": ROLE,
            "trust_policy": document(trust),
            "permission_policies": [{"name": "use", "document": document(use)}],
            "permissions_boundary": None,
        },
        "keys": [
            {
                "arn": KEY,
                "state": "Enabled",
                "spec": "SYMMETRIC_DEFAULT",
                "usage": "ENCRYPT_DECRYPT",
                "origin": "AWS_KMS",
                "multi_region": None,
                "policy": document(administer, by_role),
            }
        ],
        "aliases": [{"arn": ALIAS, "target": KEY}],
        "grants": [],
        "scps": [],
        "rcps": [],
        "customer": {"account": ACCOUNT},
    }


def put(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of a snapshot with one member set; `...` removes it."""
    body = copy.deepcopy(body)
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    target: Any = body
    for step in steps:
        target = target[step]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return body


TRUST = "role/trust_policy/Statement/0"
USE = "role/permission_policies/0/document/Statement/0"
KEY_USE = "keys/0/policy/Statement/1"
ID = f"{TRUST}/Condition"


def equals(key: str, value: Any, operator: str = "StringEquals") -> dict[str, Any]:
    """The documented condition of the trust policy and one more."""
    block: dict[str, Any] = {"StringEquals": {"sts:ExternalId": ["org-abc"]}}
    block.setdefault(operator, {})[key] = value
    return block
