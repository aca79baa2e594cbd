"""Read a key and a role that were made by hand. It reads, and decides nothing.

Source: IAM GetRole, ListRolePolicies, ListAttachedRolePolicies; KMS DescribeKey, GetKeyPolicy,
GetKeyRotationStatus, ListAliases, ListResourceTags.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ekm.registrar.aws import client, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import boto3

    from ekm.registrar.intent import Intent

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
        """The key's id, the last part of its ARN."""
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
    region = intent.kms_arn.split(":")[3]
    return SetUp(_key(client(session, "kms", region), intent.kms_arn), _role(session, intent))


def _key(kms: Any, arn: str) -> KeyFound:
    with translated("kms:DescribeKey"):
        found = kms.describe_key(KeyId=arn)["KeyMetadata"]
    arn = found["Arn"]
    with translated("kms:GetKeyPolicy"):
        policy = json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    with translated("kms:ListAliases"):
        aliases = sorted(
            alias["AliasName"] for alias in _pages(kms, "list_aliases", "Aliases", arn)
        )
    with translated("kms:ListResourceTags"):
        tags = {
            tag["TagKey"]: tag["TagValue"] for tag in _pages(kms, "list_resource_tags", "Tags", arn)
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
    """Days between two rotations; only a key whose material is KMS's own can have any."""
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
        names = [
            inline
            for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
            for inline in page["PolicyNames"]
        ]
    with translated("iam:GetRolePolicy"):
        policies = {
            inline: iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"]
            for inline in sorted(names)
        }
    with translated("iam:ListAttachedRolePolicies"):
        attached = {
            policy["PolicyName"]: policy["PolicyArn"]
            for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            for policy in page["AttachedPolicies"]
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


def _pages(kms: Any, operation: str, member: str, arn: str) -> Iterator[Any]:
    for page in kms.get_paginator(operation).paginate(KeyId=arn):
        yield from page[member]
