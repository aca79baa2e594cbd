"""OpenAI's three calls as requests to be decided, with the policies that bear on each."""

from __future__ import annotations

from typing import Any, Final

from openai_ekm.arns import is_kms_arn
from openai_ekm.evaluation import Policies, Request
from openai_ekm.openai import OPENAI_ROLE_ARN, OPENAI_SESSION_ARN
from openai_ekm.openai_calls.possible_calls import ORGANIZATION, TIMES, Carried, instant_as
from openai_ekm.policy import ALLOW_ALL, Arn, parse_arn
from openai_ekm.snapshot import UNSEEN, Key, Role, Snapshot
from openai_ekm.snapshot.symbols import REGION

__all__ = [
    "ASSUME_ROLE",
    "DECRYPT",
    "ENCRYPT",
    "ENCRYPTION_ALGORITHM",
    "SESSION_NAME",
    "assume_role_request",
    "names_key",
    "role_session_arn",
    "use_request",
]

ASSUME_ROLE: Final = "sts:AssumeRole"
ENCRYPT: Final = "kms:Encrypt"
DECRYPT: Final = "kms:Decrypt"
SESSION_NAME: Final = "sts:RoleSessionName"
ENCRYPTION_ALGORITHM: Final = "SYMMETRIC_DEFAULT"


def assume_role_request(
    snapshot: Snapshot, external_id: str | None, session_name: str | None
) -> tuple[Request, Policies]:
    """Return OpenAI's AssumeRole on the role that was found, to be decided.

    Args:
        snapshot: Role, guardrails and assumptions about the calls.
        external_id: What is sent; `None` sends none.
        session_name: Name of the session in the customer's role; `None` when it is not known.

    Returns:
        The request, and the policies that bear on it.
    """
    role = snapshot.role
    trust = role.trust_policy if isinstance(role, Role) else None
    arn = parse_arn(snapshot.registration.role_arn)
    account = arn.account if arn is not None else None
    context = _common(snapshot)
    context["aws:PrincipalArn"] = OPENAI_ROLE_ARN
    if external_id is not None:
        context["sts:ExternalId"] = external_id
    if session_name is not None:
        context[SESSION_NAME] = session_name
    if snapshot.calls.openai_organization is not None:
        organization = snapshot.calls.openai_organization
        context[ORGANIZATION] = organization
        context["aws:PrincipalOrgPaths"] = [f"{organization}/r-a1b2/ou-a1b2-c3d4e5f6/"]
    context |= _organization("aws:ResourceOrgID", account, snapshot)
    if isinstance(role, Role):
        context |= _tags("aws:ResourceTag", role)
    request = Request(
        principal=OPENAI_SESSION_ARN,
        action=ASSUME_ROLE,
        resource=snapshot.registration.role_arn,
        resource_account=account,
        context=context,
    )
    policies = Policies(
        # What OpenAI's own role may do is OpenAI's business: its side is taken to allow.
        identity=(ALLOW_ALL,),
        resource=None if trust is UNSEEN else trust,
        rcps=_guardrails(snapshot.rcps, account, snapshot),
    )
    return request, policies


def use_request(
    action: str, snapshot: Snapshot, key: Key, *, session_name: str | None
) -> tuple[Request, Policies]:
    """Return Encrypt or Decrypt by a session of the customer's role, to be decided.

    Args:
        action: `kms:Encrypt` or `kms:Decrypt`.
        snapshot: Role, policies and assumptions about the calls.
        key: The key behind the registered ARN.
        session_name: Name of the session; `None` when it is not known.

    Returns:
        The request, whose resource is the key ARN, whatever was registered; and the policies
        that bear on it.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    role = snapshot.role
    assert isinstance(role, Role)  # nosec B101 # narrows the type
    arn, role_arn = parse_arn(key.arn), parse_arn(role.arn)
    account = arn.account if arn is not None else None
    request = Request(
        principal=role_session_arn(role.arn, session_name),
        action=action,
        resource=key.arn,
        resource_account=account,
        context=_use_context(snapshot, role, key, arn),
    )
    boundary = role.permissions_boundary
    own = role_arn.account if role_arn is not None else None
    policies = Policies(
        identity=tuple(policy.document for policy in role.permission_policies or ()),
        resource=None if key.policy is UNSEEN else key.policy,
        permissions_boundary=None if boundary is UNSEEN else boundary,
        scps=_guardrails(snapshot.scps, own, snapshot),
        rcps=_guardrails(snapshot.rcps, account, snapshot),
        grants=snapshot.grants or (),
    )
    return request, policies


def names_key(kms_arn: str) -> bool:
    """Return whether a registered ARN has the form of a key's or an alias's.

    A value that a plan does not know yet has its final form; a Region alone has a name.
    """
    return is_kms_arn(kms_arn, unknown_region=REGION)


def role_session_arn(role_arn: str, session_name: str | None) -> str:
    """Return the session's ARN: it has the role's name without its path.

    Args:
        role_arn: The role's ARN.
        session_name: The session's name; `None` returns the role ARN, which stands for a
            session of it under no particular name.
    """
    arn = parse_arn(role_arn)
    if session_name is None or arn is None:
        return role_arn
    name = arn.resource.rsplit("/", 1)[-1]
    return f"arn:{arn.partition}:sts::{arn.account}:assumed-role/{name}/{session_name}"


def _use_context(snapshot: Snapshot, role: Role, key: Key, arn: Arn | None) -> Carried:
    """Return what the request to KMS carries: facts of the call, the caller and the key."""
    role_arn = parse_arn(role.arn)
    calls = snapshot.calls
    context = _common(snapshot)
    context["aws:PrincipalArn"] = role.arn
    context["kms:EncryptionAlgorithm"] = ENCRYPTION_ALGORITHM
    if role_arn is not None:
        context["kms:CallerAccount"] = role_arn.account
    if arn is not None:
        context["aws:RequestedRegion"] = arn.region
    facts = (
        ("kms:KeySpec", key.spec),
        ("kms:CustomerMasterKeySpec", key.spec),
        ("kms:KeyUsage", key.usage),
        ("kms:CustomerMasterKeyUsage", key.usage),
        ("kms:KeyOrigin", key.origin),
        ("kms:MultiRegionKeyType", key.multi_region),
    )
    context |= {name: fact for name, fact in facts if isinstance(fact, str)}
    if key.multi_region is not UNSEEN:
        context["kms:MultiRegion"] = "false" if key.multi_region is None else "true"
    if snapshot.aliases is not UNSEEN:
        names = [_alias_name(a.arn) for a in snapshot.aliases if a.target == key.arn]
        if names:
            context["kms:ResourceAliases"] = names
    registered = _alias_name(snapshot.registration.kms_arn)
    if registered.startswith("alias/"):
        context["kms:RequestAlias"] = registered
    if calls.via_service is not None:
        context["kms:ViaService"] = calls.via_service
    if calls.encryption_context:
        pairs = calls.encryption_context
        context |= {f"kms:EncryptionContext:{name}": value for name, value in pairs.items()}
        context["kms:EncryptionContextKeys"] = list(pairs)
    for name, holder in ((ORGANIZATION, role_arn), ("aws:ResourceOrgID", arn)):
        context |= _organization(name, holder.account if holder is not None else None, snapshot)
    # A role's tags are those of its sessions; OpenAI passes none of its own.
    return context | _tags("aws:PrincipalTag", role) | _tags("aws:ResourceTag", key)


def _tags(prefix: str, holder: Role | Key) -> Carried:
    if holder.tags is UNSEEN:
        return {}
    return {f"{prefix}/{name}": value for name, value in holder.tags.items()}


def _common(snapshot: Snapshot) -> Carried:
    """Return what every one of OpenAI's calls carries; what is not assumed is missing."""
    calls = snapshot.calls
    context: Carried = {
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "AssumedRole",
    }
    if calls.source_ip is not None:
        context["aws:SourceIp"] = calls.source_ip
    if calls.vpc_endpoint is not None:
        context["aws:SourceVpce"] = calls.vpc_endpoint
    if calls.mfa is not None:
        context["aws:MultiFactorAuthPresent"] = "true" if calls.mfa else "false"
    if calls.time is not None:
        for key in TIMES:
            if (instant := instant_as(key, calls.time)) is not None:
                context[key] = instant
    return context


def _organization(name: str, account: str | None, snapshot: Snapshot) -> Carried:
    """Return the customer's organization, if the resource is of the customer's account."""
    organization = snapshot.organization
    if not isinstance(organization, str) or account != snapshot.customer_account:
        return {}
    return {name: organization}


def _alias_name(arn: str) -> str:
    """Return `alias/x` for `…:alias/x`."""
    return arn.rsplit(":", 1)[-1]


def _guardrails(policies: Any, account: str | None, snapshot: Snapshot) -> tuple[Any, ...]:
    """Return the customer's SCPs or RCPs, for what is of the customer's account."""
    if policies is UNSEEN or account != snapshot.customer_account:
        return ()
    return tuple(policies)
