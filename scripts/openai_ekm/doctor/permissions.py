"""The permissions of docs/permissions.md as data: identity, resource, actions.

A test holds this table to the policies of the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NEEDED", "READS"]

_KEY: Final = "arn:aws:kms:REGION:ACCOUNT:key/*"
_ALIAS: Final = "arn:aws:kms:REGION:ACCOUNT:alias/NAME"
_ROLE: Final = "arn:aws:iam::ACCOUNT:role/NAME"
_ANY_ROLE: Final = "arn:aws:iam::ACCOUNT:role/*"
_ANY_POLICY: Final = "arn:aws:iam::*:policy/*"
_RECORD: Final = "arn:aws:ssm:REGION:ACCOUNT:parameter/openai-ekm/NAME"
_KEEP_RECORD: Final = ("ssm:DeleteParameter", "ssm:GetParametersByPath", "ssm:PutParameter")
_READ_ROLE: Final = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
)
_READ_POLICY: Final = ("iam:GetPolicy", "iam:GetPolicyVersion")

# Task -> resource -> actions.
NEEDED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "apply": {
        "*": ("kms:CreateKey", "kms:ListAliases"),
        _KEY: (
            "kms:CreateAlias",
            "kms:DeleteAlias",
            "kms:DescribeKey",
            "kms:EnableKeyRotation",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
            "kms:PutKeyPolicy",
            "kms:ScheduleKeyDeletion",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:UpdateKeyDescription",
        ),
        _ALIAS: ("kms:CreateAlias", "kms:DeleteAlias"),
        _ROLE: (
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePermissionsBoundary",
            "iam:DeleteRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListInstanceProfilesForRole",
            "iam:ListRolePolicies",
            "iam:PutRolePermissionsBoundary",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
            "iam:UpdateRoleDescription",
        ),
        _RECORD: ("ssm:GetParametersByPath",),
    },
    "register": {
        _RECORD: _KEEP_RECORD,
        f"{_RECORD}/*": _KEEP_RECORD,
        _ROLE: _READ_ROLE,
        _ANY_POLICY: _READ_POLICY,
        _KEY: ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"),
        "*": ("kms:ListAliases",),
    },
    "drill": {
        _RECORD: _KEEP_RECORD,
        f"{_RECORD}/*": _KEEP_RECORD,
        _KEY: (
            "kms:DescribeKey",
            "kms:DisableKey",
            "kms:EnableKey",
            "kms:GetKeyPolicy",
            "kms:ListGrants",
            "kms:PutKeyPolicy",
        ),
        "*": ("kms:ListAliases",),
        _ANY_ROLE: (*_READ_ROLE, *_READ_POLICY),
        _ANY_POLICY: (*_READ_ROLE, *_READ_POLICY),
    },
}

# Every action of AWS that the doctor itself uses. All of them only read.
READS: Final = frozenset(
    {
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetEventSelectors",
        "cloudtrail:GetTrailStatus",
        "events:ListRules",
        "events:ListTargetsByRule",
        "iam:GetGroupPolicy",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:GetUser",
        "iam:GetUserPolicy",
        "iam:ListAttachedGroupPolicies",
        "iam:ListAttachedRolePolicies",
        "iam:ListAttachedUserPolicies",
        "iam:ListGroupPolicies",
        "iam:ListGroupsForUser",
        "iam:ListRolePolicies",
        "iam:ListUserPolicies",
        "kms:GetKeyPolicy",
        "organizations:DescribeOrganization",
        "organizations:DescribePolicy",
        "organizations:ListParents",
        "organizations:ListPoliciesForTarget",
        "organizations:ListRoots",
        "secretsmanager:GetSecretValue",
        "sns:ListSubscriptionsByTopic",
        "ssm:GetParameter",
        "ssm:GetParametersByPath",
        "sts:GetCallerIdentity",
    }
)
