"""Collect a snapshot from AWS, live, as the customer. It reads and decides nothing.

What could not be read (access denied, not supported) is left unseen with AWS's reason, never
guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ekm.errors import BadInput, NotReachable
from ekm.policy import Arn, parse_arn
from ekm.policy.arn import is_account
from ekm.snapshot.members import Alias, Customer, Key, NamedPolicy, Registration, Role
from ekm.snapshot.organization import Organization, read_organization
from ekm.snapshot.refusals import Refusals
from ekm.snapshot.unseen import UNSEEN, UnseenType
from ekm.snapshot.value import Snapshot

__all__ = ["IntentLike", "SessionFactory", "SessionLike", "collect"]

# The partition's one IAM endpoint signs for this Region.
_IAM_REGION: Final = "us-east-1"


class IntentLike(Protocol):
    """Anything that names what is, or is to be, registered."""

    @property
    def role_arn(self) -> str:
        """The role that OpenAI assumes."""

    @property
    def kms_arn(self) -> str:
        """The key, as a key ARN or an alias ARN."""

    @property
    def external_id(self) -> str:
        """The external id that OpenAI sends."""


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
        BadInput: The AWS configuration names a program or file that cannot be used.
        NotReachable: AWS gave no answer.
    """
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - boto3 only where used

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
            kms = session_factory(kms_arn.account).client("kms", region_name=kms_arn.region)
            around = _key(kms, intent.kms_arn, refusals)
        if organizations is not None and isinstance(account, str) and is_account(account):
            key_account = kms_arn.account if kms_arn is not None else account
            above = read_organization(organizations, account, key_account, refusals)
    except BotoCoreError as failure:
        raise NotReachable(
            "aws_no_answer",
            f"AWS could not be read: {failure}",
            remedy="Check the network, the AWS credentials, and AWS_ENDPOINT_URL if it is set.",
        ) from failure
    except OSError as failure:  # a credential_process or a CA bundle that is not there
        raise BadInput(
            "aws_configuration",
            f"Something that the AWS configuration names cannot be used: {failure}.",
            at_fault="AWS configuration",
            remedy="Correct credential_process or ca_bundle.",
        ) from failure
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
    if attached := found.get("PermissionsBoundary"):
        boundary = _managed_document(
            iam, attached["PermissionsBoundaryArn"], refusals, "permissions_boundary"
        )
    return Role(
        arn=found["Arn"],
        trust_policy=found.get("AssumeRolePolicyDocument", UNSEEN),
        permission_policies=_permission_policies(iam, name, refusals),
        permissions_boundary=boundary,
        max_session_duration=found.get("MaxSessionDuration", UNSEEN),
        # GetRole leaves the member out when the role has none.
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", ())},
    )


def _permission_policies(
    iam: Any, role: str, refusals: Refusals
) -> tuple[NamedPolicy, ...] | UnseenType:
    """Read inline and attached policies; one that cannot be read leaves all of them unseen."""
    path = "permission_policies"
    inline = refusals.read(
        path, lambda: list(_pages(iam, "list_role_policies", "PolicyNames", RoleName=role))
    )
    attached = refusals.read(
        path,
        lambda: list(_pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role)),
    )
    if inline is UNSEEN or attached is UNSEEN:
        return UNSEEN
    policies = [
        NamedPolicy(name, _inline_document(iam, role, name, refusals)) for name in inline or ()
    ]
    policies += [
        NamedPolicy(
            policy["PolicyName"], _managed_document(iam, policy["PolicyArn"], refusals, path)
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
    found = refusals.read("keys", lambda: kms.describe_key(KeyId=registered)["KeyMetadata"])
    if found is UNSEEN:
        return _KeyAndAround()
    if found is None:
        return _KeyAndAround((), (), ())
    arn = found["Arn"]
    # KMS wants the one name there is.
    policy = refusals.read(
        "keys[0].policy", lambda: kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
    )
    tags = refusals.read(
        "keys[0].tags", lambda: list(_pages(kms, "list_resource_tags", "Tags", KeyId=arn))
    )
    key = Key(
        arn=arn,
        state=found.get("KeyState", UNSEEN),
        spec=found.get("KeySpec", UNSEEN),
        usage=found.get("KeyUsage", UNSEEN),
        origin=found.get("Origin", UNSEEN),
        multi_region=_multi_region(found),
        policy=policy,
        tags=tags if tags is UNSEEN else {tag["TagKey"]: tag["TagValue"] for tag in tags or ()},
    )
    aliases = refusals.read(
        "aliases", lambda: list(_pages(kms, "list_aliases", "Aliases", KeyId=arn))
    )
    grants = refusals.read("grants", lambda: list(_pages(kms, "list_grants", "Grants", KeyId=arn)))
    return _KeyAndAround(
        (key,),
        aliases
        if aliases is UNSEEN
        else tuple(Alias(alias["AliasArn"], arn) for alias in aliases or ()),
        grants if grants is UNSEEN else tuple(_grant(grant, arn) for grant in grants or ()),
    )


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


def _pages(client: Any, operation: str, member: str, **arguments: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[member]
