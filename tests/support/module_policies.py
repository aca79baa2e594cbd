"""The documents that the module makes by default, built in Python, and a snapshot of them.

tests/integration/test_module_documents.py compares them with what Terraform really makes.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.constants import ACCOUNT, KEY, ROLE

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OPENAI = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"
ADMINISTRATION = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
Json = Any


def document(*statements: Json) -> Json:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": [copy.deepcopy(each) for each in statements]}


TRUST = {
    "Sid": "AllowAssumeRoleByOpenAI",
    "Effect": "Allow",
    "Principal": {"AWS": OPENAI},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": ["org-abc123"]}},
}
USE = {
    "Sid": "AllowEncryptDecrypt",
    "Effect": "Allow",
    "Action": ["kms:Decrypt", "kms:Encrypt"],
    "Resource": KEY,
}
ADMINISTER = {
    "Sid": "AllowAdministration",
    "Effect": "Allow",
    "Principal": {"AWS": [ROOT]},
    "Action": ADMINISTRATION,
    "Resource": "*",
}
DELEGATE_USE = {
    "Sid": "AllowUseByRole",
    "Effect": "Allow",
    "Principal": {"AWS": ROOT},
    "Action": ["kms:Decrypt", "kms:Encrypt"],
    "Resource": "*",
    "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}},
}
DELEGATE_ALL = {
    "Sid": "DelegateToAccount",
    "Effect": "Allow",
    "Principal": {"AWS": ROOT},
    "Action": "kms:*",
    "Resource": "*",
}
PROTECT = {
    "Sid": "DenyKeyDeletion",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "kms:ScheduleKeyDeletion",
    "Resource": "*",
}


def snapshot() -> Json:
    """The module's default mode."""
    return {
        "schema": "ekm-snapshot/1",
        "registration": {"role_arn": ROLE, "kms_arn": KEY, "external_id": "org-abc123"},
        "role": {
            "arn": ROLE,
            "trust_policy": document(TRUST),
            "permission_policies": [{"name": "use", "document": document(USE)}],
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
                "policy": document(ADMINISTER, DELEGATE_USE, PROTECT),
            }
        ],
        "aliases": [],
        "grants": [],
        "scps": [],
        "rcps": [],
        "customer": {"account": ACCOUNT},
    }
