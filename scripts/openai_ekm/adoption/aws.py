"""Read a key and a role that were made by hand. It reads, and decides nothing.

Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html,
https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
(and ListRolePolicies, ListAttachedRolePolicies, GetKeyPolicy, GetKeyRotationStatus, ListAliases,
ListResourceTags beside them).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_ekm.arns import region_of
from openai_ekm.aws_session import client, list_items, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3

    from openai_ekm.registration.intent import Intent

__all__ = ["KeyFound", "RoleFound", "SetUp", "read"]

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeyFound:
    """A KMS key as it is.

    Args:
        multi_region: `PRIMARY`, `REPLICA`, or None for a single-Region key.
        rotation_days: Days between two rotations, None where rotation is off.
        aliases: Names, `alias/` included, sorted.
    """

    arn: str
    state: str
    spec: str
    usage: str
    origin: str
    manager: str
    multi_region: str | None
    description: str
    rotation_days: int | None
    policy: Document
    tags: Mapping[str, str]
    aliases: tuple[str, ...]

    @property
    def id(self) -> str:
        """Return the key's id, the last part of its ARN."""
        return self.arn.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class RoleFound:
    """An IAM role as it is.

    Args:
        inline: Name of each inline policy -> document.
        attached: Name of each attached policy -> its ARN.
        boundary: ARN of the permissions boundary, or None.
    """

    arn: str
    name: str
    path: str
    description: str
    trust_policy: Document
    inline: Mapping[str, Document]
    attached: Mapping[str, str]
    boundary: str | None
    max_session_duration: int
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetUp:
    """Key and role of one registration."""

    key: KeyFound
    role: RoleFound


def read(intent: Intent, session: boto3.Session) -> SetUp:
    """Read what a registration names.

    Raises:
        AwsRefused: The role or the key is not there, or may not be read.
        NotReachable: AWS gave no answer.
    """
    region = region_of(intent.kms_arn)
    return SetUp(_key(client(session, "kms", region), intent.kms_arn), _role(session, intent))


def _key(kms: Any, arn: str) -> KeyFound:
    with translated("kms:DescribeKey"):
        found = kms.describe_key(KeyId=arn)["KeyMetadata"]
    arn = found["Arn"]
    with translated("kms:GetKeyPolicy"):
        policy = json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    with translated("kms:ListAliases"):
        aliases = sorted(
            alias["AliasName"] for alias in list_items(kms, "list_aliases", "Aliases", KeyId=arn)
        )
    with translated("kms:ListResourceTags"):
        tags = {
            tag["TagKey"]: tag["TagValue"]
            for tag in list_items(kms, "list_resource_tags", "Tags", KeyId=arn)
        }
    return KeyFound(
        arn=arn,
        state=found["KeyState"],
        spec=found["KeySpec"],
        usage=found["KeyUsage"],
        origin=found["Origin"],
        manager=found["KeyManager"],
        multi_region=(found.get("MultiRegionConfiguration") or {}).get("MultiRegionKeyType")
        if found.get("MultiRegion")
        else None,
        description=found.get("Description", ""),
        rotation_days=_rotation(kms, found),
        policy=policy,
        tags=tags,
        aliases=tuple(aliases),
    )


def _rotation(kms: Any, found: Mapping[str, Any]) -> int | None:
    """Return the days between two rotations; only a key with material of KMS's own has any."""
    if found["Origin"] != "AWS_KMS" or found["KeySpec"] != "SYMMETRIC_DEFAULT":
        return None
    with translated("kms:GetKeyRotationStatus"):
        status = kms.get_key_rotation_status(KeyId=found["Arn"])
    days: int = status.get("RotationPeriodInDays") or 365
    return days if status.get("KeyRotationEnabled") else None


def _role(session: boto3.Session, intent: Intent) -> RoleFound:
    iam = client(session, "iam", "us-east-1")  # the partition's one IAM signs for this Region
    name = intent.role_arn.rsplit("/", 1)[-1]
    with translated("iam:GetRole"):
        found = iam.get_role(RoleName=name)["Role"]
    with translated("iam:ListRolePolicies"):
        names = list(list_items(iam, "list_role_policies", "PolicyNames", RoleName=name))
    with translated("iam:GetRolePolicy"):
        policies = {
            inline: iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"]
            for inline in sorted(names)
        }
    with translated("iam:ListAttachedRolePolicies"):
        attached = {
            policy["PolicyName"]: policy["PolicyArn"]
            for policy in list_items(
                iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name
            )
        }
    boundary = found.get("PermissionsBoundary") or {}
    return RoleFound(
        arn=found["Arn"],
        name=found["RoleName"],
        path=found["Path"],
        description=found.get("Description", ""),
        trust_policy=found["AssumeRolePolicyDocument"],
        inline=policies,
        attached=attached,
        boundary=boundary.get("PermissionsBoundaryArn"),
        max_session_duration=found.get("MaxSessionDuration", 3600),
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", ())},
    )
