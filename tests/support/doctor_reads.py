"""What the doctor may call: docs/permissions.md and the golden stories are held to it."""

from __future__ import annotations

from typing import Final

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
