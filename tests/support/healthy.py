"""A snapshot of what the module makes, and ways to change one member of it."""

from __future__ import annotations

import copy
from typing import Any

from tests.constants import ACCOUNT, KEY, ROLE
from tests.support.module_policies import ADMINISTER, DELEGATE_USE, OPENAI, ROOT, document
from tests.support.module_policies import TRUST as LET_OPENAI_ASSUME
from tests.support.module_policies import USE as LET_ROLE_USE

__all__ = [
    "ACCOUNT",
    "ALIAS",
    "ID",
    "KEY",
    "KEY_USE",
    "OPENAI",
    "OTHER_KEY",
    "PATHED",
    "ROLE",
    "ROOT",
    "TRUST",
    "USE",
    "document",
    "equals",
    "healthy",
    "put",
]

PATHED = f"arn:aws:iam::{ACCOUNT}:role/team/openai-ekm"
OTHER_KEY = KEY.replace("/1", "/9")
ALIAS = f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/openai"


def healthy() -> dict[str, Any]:
    """What the module makes, the protection from deletion apart."""
    trust = {**LET_OPENAI_ASSUME, "Condition": {"StringEquals": {"sts:ExternalId": ["org-abc"]}}}
    return {
        "registration": {"role_arn": ROLE, "kms_arn": KEY, "external_id": "org-abc"},
        "role": {
            "arn": ROLE,
            "trust_policy": document(trust),
            "permission_policies": [{"name": "use", "document": document(LET_ROLE_USE)}],
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
                "policy": document(ADMINISTER, DELEGATE_USE),
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
