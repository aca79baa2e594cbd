"""Requests against the documents that the module writes by default, as decision cases.

The documents are those of modules/key and modules/role, written out: a benchmark plans nothing.
"""

from __future__ import annotations

from typing import Any

__all__ = ["cases"]

ACCOUNT, OPENAI = "111122223333", "790389265272"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/openai-ekm"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/openai-ekm/s"
CALLER = f"arn:aws:sts::{OPENAI}:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service"
ID = "org-0123456789abcdefABCDEF01"
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


def _document(*statements: Any) -> Any:
    return {"Version": "2012-10-17", "Statement": list(statements)}


USE = {"Action": ["kms:Decrypt", "kms:Encrypt"]}
TRUST = _document(
    {
        "Sid": "AllowAssumeRoleByOpenAI",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OPENAI}:role/EnterpriseKeyManagement"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": [ID]}},
    }
)
IDENTITY = _document({"Sid": "AllowEncryptDecrypt", "Effect": "Allow", **USE, "Resource": KEY})
KEY_POLICY = _document(
    {
        "Sid": "AllowAdministration",
        "Effect": "Allow",
        "Principal": {"AWS": [ROOT]},
        "Action": ADMINISTRATION,
        "Resource": "*",
    },
    {
        "Sid": "AllowUseByRole",
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        **USE,
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}},
    },
    {
        "Sid": "DenyKeyDeletion",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:ScheduleKeyDeletion",
        "Resource": "*",
    },
)
ALL = _document({"Effect": "Allow", "Action": "*", "Resource": "*"})


def cases() -> list[Any]:
    """What OpenAI asks, what others ask, and what an administrator does."""
    assume = [
        (CALLER, {"sts:ExternalId": ID}),
        (CALLER, {"sts:ExternalId": "org-of-somebody-else"}),
        (CALLER, {}),
        (f"arn:aws:sts::{OPENAI}:assumed-role/Other/s", {"sts:ExternalId": ID}),
    ]
    made = [_case(who, "sts:AssumeRole", ROLE, context, [ALL], TRUST) for who, context in assume]
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
