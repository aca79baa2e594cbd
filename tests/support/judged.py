"""A snapshot in which OpenAI can use the key, changes to it, and how it is judged."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from openai_ekm.diagnosis import Diagnosis, judge
from openai_ekm.snapshot import Snapshot
from tests.constants import ACCOUNT, KEY, ROLE

ALIAS = f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/openai"
OPENAI = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/openai-ekm/openai-ekm-emulated"
ASSUME_DENIED = (
    "User: arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service "
    f"is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
)
RESOURCE_TAIL = (
    "on this resource because the resource does not exist in this Region, no resource-based "
    "policies allow access, or a resource-based policy explicitly denies access"
)

ANYTHING = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
NOTHING = {"Effect": "Allow", "Principal": {"AWS": OPENAI}, "Action": "sts:TagSession"}

Change = Callable[[dict[str, Any]], object]


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def good() -> dict[str, Any]:
    """A snapshot in which OpenAI can use the key."""
    return {
        "registration": {"role_arn": ROLE, "kms_arn": KEY, "external_id": "org-abc"},
        "role": {
            "arn": ROLE,
            "trust_policy": document(
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": OPENAI},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": ["org-abc"]}},
                }
            ),
            "permission_policies": [
                {
                    "name": "use",
                    "document": document(
                        {
                            "Sid": "AllowEncryptDecrypt",
                            "Effect": "Allow",
                            "Action": ["kms:Decrypt", "kms:Encrypt"],
                            "Resource": KEY,
                        }
                    ),
                }
            ],
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
                "policy": document(
                    {
                        "Sid": "Use",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                        "Action": ["kms:Encrypt", "kms:Decrypt"],
                        "Resource": "*",
                        "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}},
                    }
                ),
            }
        ],
        "aliases": [{"arn": ALIAS, "target": KEY}],
        "grants": [],
        "scps": [],
        "rcps": [],
        "customer": {"account": ACCOUNT},
    }


def judged(*changes: Change, session_name: str | None = "openai-ekm-emulated") -> Diagnosis:
    """Judge the good snapshot after some changes."""
    return judge(changed_snapshot(*changes), session_name=session_name)


def changed_snapshot(*changes: Change) -> Snapshot:
    """Return the good snapshot after some changes."""
    raw = copy.deepcopy(good())
    for change in changes:
        change(raw)
    return Snapshot.from_json(raw)


def put(path: str, value: Any) -> Change:
    """A change that sets a member, such as `keys.0.state`."""

    def change(snapshot: dict[str, Any]) -> None:
        *steps, last = path.split(".")
        target: Any = snapshot
        for step in steps:
            target = target[int(step)] if isinstance(target, list) else target[step]
        target[last] = value

    return change


def lose(path: str) -> Change:
    """A change that removes a member."""

    def change(snapshot: dict[str, Any]) -> None:
        *steps, last = path.split(".")
        target: Any = snapshot
        for step in steps:
            target = target[int(step)] if isinstance(target, list) else target[step]
        del target[last]

    return change


IDENTITY = "role.permission_policies.0.document"
STATEMENT = f"{IDENTITY}.Statement.0"
DENY_ENCRYPT = {"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}
ENCRYPT_ONLY = document({"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"})
