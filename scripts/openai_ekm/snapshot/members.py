"""The values a snapshot is made of; policy documents stay as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

__all__ = [
    "UNSEEN",
    "Alias",
    "Calls",
    "Customer",
    "Key",
    "NamedPolicy",
    "Registration",
    "Role",
    "Unseen",
    "UnseenType",
]


class Unseen(Enum):
    """Stands for a member that was not collected; `None` stands for one that is not there."""

    UNSEEN = "unseen"

    def __bool__(self) -> Literal[False]:
        """Read as false: nothing was seen."""
        return False


UNSEEN: Final = Unseen.UNSEEN
UnseenType: TypeAlias = Literal[Unseen.UNSEEN]

Extra = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Registration:
    """The values that are registered with OpenAI.

    Args:
        role_arn: The role that OpenAI assumes.
        kms_arn: The key, as a key ARN or an alias ARN.
        external_id: The external id that OpenAI sends.
        external_ids: All ids that may be used; `None` means the one.
    """

    role_arn: str
    kms_arn: str
    external_id: str
    external_ids: tuple[str, ...] | None = None
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """One permission policy of a role: inline, or the default version of a managed one.

    Args:
        name: Its name.
        document: As it was read, or unseen.
        type: `inline` or `managed`, or unseen: AWS holds managed policies to other quotas.
        arn: Of a managed policy, or unseen. AWS's own (account `aws`) have no quota.
    """

    name: str
    document: Any
    type: str | UnseenType = UNSEEN
    arn: str | UnseenType = UNSEEN
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it was looked up; its ARN may differ from the registered one.

    Args:
        arn: Full ARN, with its path.
        trust_policy: The document as read, or unseen.
        permission_policies: Inline and attached policies, or unseen.
        permissions_boundary: The boundary's document, `None` when the role has none, or unseen.
        permissions_boundary_arn: Of the policy that is the boundary, or unseen.
        max_session_duration: Seconds, or unseen.
        tags: Of the role; they are `aws:PrincipalTag` of its sessions and `aws:ResourceTag` of
            AssumeRole.
    """

    arn: str
    trust_policy: Any = UNSEEN
    permission_policies: tuple[NamedPolicy, ...] | UnseenType = UNSEEN
    permissions_boundary: Any = UNSEEN
    permissions_boundary_arn: str | UnseenType = UNSEEN
    max_session_duration: int | UnseenType = UNSEEN
    tags: Mapping[str, str] | UnseenType = UNSEEN
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Key:
    """A KMS key as it was looked up.

    Args:
        arn: Full key ARN, never an alias.
        state: `KeyState` as KMS spells it.
        spec: `KeySpec`, such as `SYMMETRIC_DEFAULT`.
        usage: `KeyUsage`, such as `ENCRYPT_DECRYPT`.
        origin: `Origin`, such as `AWS_KMS`.
        multi_region: `PRIMARY`, `REPLICA`, or `None` for a single-Region key.
        policy: The key policy as read (JSON text or object), `None` when there is none.
        tags: Of the key; `aws:ResourceTag` of its use.
        related: ARNs of the other keys with the same material: a multi-Region key's primary and
            replicas, as DescribeKey lists them.
    """

    arn: str
    state: str | UnseenType = UNSEEN
    spec: str | UnseenType = UNSEEN
    usage: str | UnseenType = UNSEEN
    origin: str | UnseenType = UNSEEN
    multi_region: str | UnseenType | None = UNSEEN
    policy: Any = UNSEEN
    tags: Mapping[str, str] | UnseenType = UNSEEN
    related: tuple[str, ...] | UnseenType = UNSEEN
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias and the ARN of the key it points to."""

    arn: str
    target: str
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer's account, and the organization its principals belong to."""

    account: str | UnseenType = UNSEEN
    organization: str | UnseenType | None = UNSEEN
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calls:
    """The assumptions about OpenAI's calls; what is not assumed is not in the request.

    Args:
        source_ip: An address; `None` means any.
        vpc_endpoint: `aws:SourceVpce`; `None` means the key is missing from the request.
        via_service: `kms:ViaService`; `None` means the key is missing from the request.
        mfa: `aws:MultiFactorAuthPresent`; `None` means the key is missing from the request.
        encryption_context: Pairs sent with Encrypt and Decrypt.
        openai_organization: `aws:PrincipalOrgID` of OpenAI's caller.
        time: ISO 8601; `None` means any time from now on.
    """

    source_ip: str | None = None
    vpc_endpoint: str | None = None
    via_service: str | None = None
    mfa: bool | None = None
    encryption_context: Mapping[str, str] = field(default_factory=dict)
    openai_organization: str | None = None
    time: str | None = None
    extra: Extra = field(default_factory=dict)
