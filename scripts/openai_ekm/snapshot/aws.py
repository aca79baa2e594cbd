"""Collect a snapshot from AWS, live, as the customer. It reads and decides nothing.

A member that cannot be read (access denied, not supported) stays unseen, with AWS's reason. It is
never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from botocore.exceptions import BotoCoreError

from openai_ekm.aws_errors import explain_failure, explain_os_error
from openai_ekm.errors import NotReachable
from openai_ekm.policy import Arn, parse_arn
from openai_ekm.policy.arn import is_account
from openai_ekm.snapshot.members import (
    UNSEEN,
    Alias,
    Customer,
    Key,
    NamedPolicy,
    Registration,
    Role,
    UnseenType,
)
from openai_ekm.snapshot.organization import Organization, read_organization
from openai_ekm.snapshot.refusals import Refusals, code_of
from openai_ekm.snapshot.snapshot import Snapshot

__all__ = ["IntentLike", "SessionFactory", "SessionLike", "collect"]

# The partition's one IAM endpoint signs for this Region.
_IAM_REGION: Final = "us-east-1"


class IntentLike(Protocol):
    """Anything that names what is, or is to be, registered."""

    @property
    def role_arn(self) -> str:
        """Return the role that OpenAI assumes."""

    @property
    def kms_arn(self) -> str:
        """Return the key, as a key ARN or an alias ARN."""

    @property
    def external_id(self) -> str:
        """Return the external id that OpenAI sends."""


class SessionLike(Protocol):
    """The one method of a boto3 Session that is used here."""

    def client(self, service_name: Any, region_name: str | None = None) -> Any:
        """Return a client of a service."""


SessionFactory = Callable[[str], SessionLike]


def collect(
    intent: IntentLike,
    session_factory: SessionFactory,
    organizations: Callable[[], Any] | None = None,
) -> Snapshot:
    """Read role, key, policies, aliases, grants, tags and what the organization imposes.

    Args:
        intent: What is registered.
        session_factory: Account id (12 digits) to a boto3 session for it. A customer with one
            set of credentials returns the same session for every account.
        organizations: Makes a client of AWS Organizations with short time-outs; None does not
            ask for the organization and its policies.

    Returns:
        The snapshot; what could not be read is unseen.

    Raises:
        BadInput: There are no credentials, or the AWS configuration is wrong.
        NotReachable: AWS gave no answer.
    """
    registration = Registration(intent.role_arn, intent.kms_arn, intent.external_id)
    role_arn, kms_arn = parse_arn(intent.role_arn), parse_arn(intent.kms_arn)
    refusals = Refusals()
    account = role_arn.account if role_arn is not None else UNSEEN
    above = Organization()
    try:
        role = _role(role_arn, session_factory, refusals)
        around = _KeyAndAround()
        is_kms = kms_arn is not None and kms_arn.service == "kms" and bool(kms_arn.region)
        if kms_arn is not None and is_kms and is_account(kms_arn.account):
            session = session_factory(kms_arn.account)
            kms = session.client("kms", region_name=kms_arn.region)
            around = _key(kms, intent.kms_arn, refusals)
            around = _with_related(around, session, refusals)
        if organizations is not None and isinstance(account, str) and is_account(account):
            key_account = kms_arn.account if kms_arn is not None else account
            above = read_organization(organizations, account, key_account, refusals)
    except BotoCoreError as failure:
        error = explain_failure("reading AWS", failure)
        if isinstance(error, NotReachable):
            raise NotReachable(
                "aws_no_answer", error.message, at_fault=error.at_fault, remedy=error.remedy
            ) from failure
        raise error from failure
    except OSError as failure:
        raise explain_os_error("reading AWS", failure) from failure
    if (failed := refusals.server_error()) is not None:
        raise NotReachable(
            "aws_no_answer",
            f"AWS could answer nothing that was asked: {failed.operation_name} ended with "
            f"{code_of(failed)}.",
            at_fault=failed.operation_name,
            remedy="Try again; https://health.aws.amazon.com says whether AWS has a fault.",
        ) from failed
    return Snapshot(
        registration=registration,
        role=role,
        keys=around.keys,
        aliases=around.aliases,
        grants=around.grants,
        scps=above.scps,
        rcps=above.rcps,
        customer=Customer(account=account, organization=above.id),
        reasons=refusals.reasons,
    )


def _role(
    arn: Arn | None, session_factory: SessionFactory, refusals: Refusals
) -> Role | UnseenType | None:
    """Read the role by its name: the path is not part of it, so the ARN found may differ."""
    is_role = arn is not None and arn.service == "iam" and arn.resource.startswith("role/")
    if arn is None or not is_role or not is_account(arn.account):
        return UNSEEN
    iam = session_factory(arn.account).client("iam", region_name=_IAM_REGION)
    name = arn.resource.rsplit("/", 1)[-1]
    found = refusals.read("role", lambda: iam.get_role(RoleName=name)["Role"])
    if found is None or found is UNSEEN:
        return found
    if f":{arn.account}:" not in found["Arn"]:
        # The credentials are of another account, which has a role of that name.
        refusals.reasons["role"] = f"the credentials are not of account {arn.account}"
        return UNSEEN
    boundary: Any = None
    boundary_arn: str | UnseenType = UNSEEN
    if attached := found.get("PermissionsBoundary"):
        boundary_arn = str(attached["PermissionsBoundaryArn"])
        boundary = _managed_document(iam, boundary_arn, refusals, "permissions_boundary")
    return Role(
        arn=found["Arn"],
        trust_policy=found.get("AssumeRolePolicyDocument", UNSEEN),
        permission_policies=_permission_policies(iam, name, refusals),
        permissions_boundary=boundary,
        permissions_boundary_arn=boundary_arn,
        max_session_duration=found.get("MaxSessionDuration", UNSEEN),
        # GetRole leaves the member out when the role has none.
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", ())},
    )


def _permission_policies(
    iam: Any, role: str, refusals: Refusals
) -> tuple[NamedPolicy, ...] | UnseenType:
    """Read inline and attached policies; one that cannot be read leaves all of them unseen."""
    path = "permission_policies"
    inline = refusals.read_list(path, iam, "list_role_policies", "PolicyNames", RoleName=role)
    attached = refusals.read_list(
        path, iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role
    )
    if inline is UNSEEN or attached is UNSEEN:
        return UNSEEN
    policies = [
        NamedPolicy(name, _inline_document(iam, role, name, refusals), type="inline")
        for name in inline or ()
    ]
    policies += [
        NamedPolicy(
            policy["PolicyName"],
            _managed_document(iam, policy["PolicyArn"], refusals, path),
            type="managed",
            arn=policy["PolicyArn"],
        )
        for policy in attached or ()
    ]
    # A policy that vanished between list and read is gone; one that was refused is unseen.
    present = tuple(policy for policy in policies if policy.document is not None)
    return UNSEEN if any(policy.document is UNSEEN for policy in present) else present


def _inline_document(iam: Any, role: str, name: str, refusals: Refusals) -> Any:
    return refusals.read(
        "permission_policies",
        lambda: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"],
    )


def _managed_document(iam: Any, arn: str, refusals: Refusals, path: str) -> Any:
    """Return the document of a managed policy's default version."""

    def read() -> Any:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    document = refusals.read(path, read)
    return UNSEEN if document is None else document


@dataclass(frozen=True, slots=True)
class _KeyAndAround:
    """The key behind what is registered, and what else bears on its use."""

    keys: tuple[Key, ...] | UnseenType = UNSEEN
    aliases: tuple[Alias, ...] | UnseenType = UNSEEN
    grants: tuple[dict[str, Any], ...] | UnseenType = UNSEEN


def _key(kms: Any, registered: str, refusals: Refusals) -> _KeyAndAround:
    """Read the key behind a key ARN or an alias ARN, its aliases and its grants."""
    found = refusals.read("keys", partial(_metadata, kms, registered))
    if found is UNSEEN:
        return _KeyAndAround()
    if found is None:
        return _KeyAndAround((), (), ())
    arn = found["Arn"]
    key = _describe_key(kms, found, 0, refusals)
    listed = refusals.read_list("aliases", kms, "list_aliases", "Aliases", KeyId=arn)
    aliases = (
        UNSEEN if listed is UNSEEN else tuple(Alias(each["AliasArn"], arn) for each in listed or ())
    )
    return _KeyAndAround((key,), aliases, _grants(kms, arn, refusals))


def _metadata(kms: Any, key: str) -> dict[str, Any]:
    found: dict[str, Any] = kms.describe_key(KeyId=key)["KeyMetadata"]
    return found


def _describe_key(kms: Any, found: dict[str, Any], index: int, refusals: Refusals) -> Key:
    """Return a key from what DescribeKey says, with its policy and tags."""
    arn = found["Arn"]
    # KMS wants the one name there is.
    policy = refusals.read(
        f"keys[{index}].policy",
        lambda: kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"],
    )
    path = f"keys[{index}].tags"
    tags = refusals.read_list(path, kms, "list_resource_tags", "Tags", KeyId=arn)
    return Key(
        arn=arn,
        state=found.get("KeyState", UNSEEN),
        spec=found.get("KeySpec", UNSEEN),
        usage=found.get("KeyUsage", UNSEEN),
        origin=found.get("Origin", UNSEEN),
        multi_region=_multi_region(found),
        policy=policy,
        tags=tags if tags is UNSEEN else {tag["TagKey"]: tag["TagValue"] for tag in tags or ()},
        related=_related_keys(found),
    )


def _grants(kms: Any, arn: str, refusals: Refusals) -> tuple[dict[str, Any], ...] | UnseenType:
    grants = refusals.read_list("grants", kms, "list_grants", "Grants", KeyId=arn)
    return grants if grants is UNSEEN else tuple(_grant(grant, arn) for grant in grants or ())


def _related_keys(metadata: dict[str, Any]) -> tuple[str, ...] | UnseenType:
    """Return the primary and the replicas of a multi-Region key, itself apart.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_MultiRegionConfiguration.html
    """
    if metadata.get("MultiRegion") is False:
        return ()
    configuration = metadata.get("MultiRegionConfiguration")
    if not configuration or "PrimaryKey" not in configuration:
        return UNSEEN
    every = [configuration["PrimaryKey"], *configuration.get("ReplicaKeys", ())]
    return tuple(each["Arn"] for each in every if each["Arn"] != metadata["Arn"])


def _with_related(around: _KeyAndAround, session: SessionLike, refusals: Refusals) -> _KeyAndAround:
    """Add the keys of other Regions with the same material: what one encrypts, they decrypt.

    A Region that gives no answer leaves its key, and the grants on it, unseen.
    """
    keys, grants = list(around.keys or ()), around.grants
    for arn in keys[0].related or () if keys else ():
        place, index = parse_arn(arn), len(keys)
        if place is None:
            continue
        try:
            kms = session.client("kms", region_name=place.region)
            found = refusals.read(f"keys[{index}]", partial(_metadata, kms, arn))
            if found is None:
                continue
            key = Key(arn) if found is UNSEEN else _describe_key(kms, found, index, refusals)
            more = _grants(kms, arn, refusals)
        except BotoCoreError as failure:
            for path in (f"keys[{index}]", "grants"):
                refusals.reasons.setdefault(path, type(failure).__name__)
            key, more = Key(arn), UNSEEN
        keys.append(key)
        grants = UNSEEN if grants is UNSEEN or more is UNSEEN else (*grants, *more)
    return replace(around, keys=tuple(keys) if keys else around.keys, grants=grants)


def _multi_region(metadata: dict[str, Any]) -> str | UnseenType | None:
    if "MultiRegion" not in metadata:
        return UNSEEN
    configuration = metadata.get("MultiRegionConfiguration") or {}
    return configuration.get("MultiRegionKeyType") if metadata["MultiRegion"] else None


def _grant(grant: dict[str, Any], key_arn: str) -> dict[str, Any]:
    """Return a grant in the form of a decision case."""
    members = {
        "grantee_principal": grant.get("GranteePrincipal"),
        "operations": grant.get("Operations", []),
        "key_arn": key_arn,
        "constraints": grant.get("Constraints") or None,
    }
    return {name: value for name, value in members.items() if value is not None}
