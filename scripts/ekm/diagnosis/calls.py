"""OpenAI's three calls as requests to be decided, with the policies that bear on each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from ekm.diagnosis.constants import ENCRYPTION_ALGORITHM, OPENAI_ROLE_ARN, OPENAI_SESSION_ARN
from ekm.diagnosis.worlds import worlds
from ekm.evaluation import Decision, Policies, Request, decide
from ekm.policy import Arn, parse_arn
from ekm.snapshot import UNSEEN, Customer, Key, Role, Snapshot

__all__ = [
    "ASSUME_ROLE",
    "DECRYPT",
    "ENCRYPT",
    "Asked",
    "assume_role",
    "lacking",
    "role_session_arn",
    "use",
]

ASSUME_ROLE: Final = "sts:AssumeRole"
ENCRYPT: Final = "kms:Encrypt"
DECRYPT: Final = "kms:Decrypt"

# What OpenAI's own role may do is OpenAI's business: its side is taken to allow.
_OPENAI_SIDE: Final[Mapping[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ASSUME_ROLE, "Resource": "*"}],
}

_ALLOW_ALL: Final[Mapping[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}

# Every session has a name, a unique id and a user agent; one that is not public can match no
# condition but a wildcard.
UNKNOWN_SESSION: Final = "session-name-that-is-not-public"
_NOT_PUBLIC: Final = {
    "aws:userid": f"unique-id-that-is-not-public:{UNKNOWN_SESSION}",
    "aws:UserAgent": "user-agent-that-is-not-public",
}

Context = dict[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as it was decided: the first of the possible ones that is refused, else the first.

    Args:
        request: What is asked.
        policies: What it was decided by.
        decision: The answer.
    """

    request: Request
    policies: Policies
    decision: Decision


def assume_role(snapshot: Snapshot, *, external_id: str | None, session_name: str | None) -> Asked:
    """Decide OpenAI's AssumeRole on the role that was found.

    Args:
        snapshot: Its role must have been seen, and be the registered one.
        external_id: What is sent; `None` sends none.
        session_name: Name of the session in the customer's role; `None` when it is not known.

    Returns:
        The decision. An SCP of the customer never bears on OpenAI's own principal; an RCP does
        bear on the role.
    """
    questions = (
        _assume_role(replace(snapshot, calls=calls), external_id, session_name)
        for calls in worlds(snapshot)
    )
    return _first_refused(questions)


def use(action: str, snapshot: Snapshot, key: Key, *, session_name: str | None) -> Asked:
    """Decide Encrypt or Decrypt by a session of the customer's role.

    Args:
        action: `kms:Encrypt` or `kms:Decrypt`.
        snapshot: Role, policies and assumptions about the calls.
        key: The key behind the registered ARN.
        session_name: Name of the session; `None` when it is not known.
    """
    questions = (
        _use_of(action, replace(snapshot, calls=calls), key, session_name=session_name)
        for calls in worlds(snapshot)
    )
    return _first_refused(questions)


def _first_refused(questions: Iterable[tuple[Request, Policies]]) -> Asked:
    first: Asked | None = None
    for request, policies in questions:
        asked = Asked(request, policies, decide(request, policies))
        if not asked.decision.allowed:
            return asked
        first = first or asked
    assert first is not None  # there is always a possible call
    return first


def _assume_role(
    snapshot: Snapshot, external_id: str | None, session_name: str | None
) -> tuple[Request, Policies]:
    role = snapshot.role
    trust = role.trust_policy if isinstance(role, Role) else None
    arn = parse_arn(snapshot.registration.role_arn)
    context = _common(snapshot)
    context["aws:PrincipalArn"] = OPENAI_ROLE_ARN
    if external_id is not None:
        context["sts:ExternalId"] = external_id
    context["sts:RoleSessionName"] = session_name or UNKNOWN_SESSION
    if snapshot.calls.openai_organization is not None:
        organization = snapshot.calls.openai_organization
        context["aws:PrincipalOrgID"] = organization
        context["aws:PrincipalOrgPaths"] = [f"{organization}/r-a1b2/ou-a1b2-c3d4e5f6/"]
    _add_organization(context, "aws:ResourceOrgID", snapshot)
    if isinstance(role, Role):
        context |= _tags("aws:ResourceTag", role)
    request = Request(
        principal=OPENAI_SESSION_ARN,
        action=ASSUME_ROLE,
        resource=snapshot.registration.role_arn,
        resource_account=arn.account if arn is not None else None,
        context=context,
    )
    policies = Policies(
        identity=(_OPENAI_SIDE,),
        resource=None if trust is UNSEEN else trust,
        rcps=_levels(snapshot.rcps),
    )
    return request, policies


def _use_of(
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

    Source: docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    role = snapshot.role
    assert isinstance(role, Role)
    arn = parse_arn(key.arn)
    request = Request(
        principal=role_session_arn(role.arn, session_name),
        action=action,
        resource=key.arn,
        resource_account=arn.account if arn is not None else None,
        context=_use_context(snapshot, role, key, arn),
    )
    boundary = role.permissions_boundary
    identity = () if role.permission_policies is UNSEEN else role.permission_policies
    policies = Policies(
        identity=tuple(policy.document for policy in identity),
        resource=None if key.policy is UNSEEN else key.policy,
        permissions_boundary=None if boundary is UNSEEN else boundary,
        scps=_levels(snapshot.scps),
        rcps=_levels(snapshot.rcps),
        grants=() if snapshot.grants is UNSEEN else snapshot.grants,
    )
    return request, policies


def lacking(request: Request, policies: Policies) -> str:
    """Name the kind of policy that AWS says does not allow a use of the key.

    AWS looks at organization policies first, then at the key policy, the identity policies and
    the permissions boundary. What is lacking is what, put right, leaves nothing before it.

    Args:
        request: A request that was implicitly denied.
        policies: What it was decided by.

    Returns:
        `rcps`, `scps`, `resource`, `identity` or `permissions_boundary`.
    """
    open_handed = replace(
        policies, identity=(*policies.identity, _ALLOW_ALL), permissions_boundary=None
    )
    key_policy_alone = replace(open_handed, scps=(), rcps=())
    if not decide(request, key_policy_alone).allowed:
        return "resource"
    if not decide(request, replace(open_handed, scps=())).allowed:
        return "rcps"
    if not decide(request, open_handed).allowed:
        return "scps"
    if not decide(request, replace(policies, permissions_boundary=None)).allowed:
        return "identity"
    return "permissions_boundary"


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


def _use_context(snapshot: Snapshot, role: Role, key: Key, arn: Arn | None) -> Context:
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
        ("kms:KeyUsage", key.usage),
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
    _add_organization(context, "aws:PrincipalOrgID", snapshot)
    _add_organization(context, "aws:ResourceOrgID", snapshot)
    # A role's tags are those of its sessions; OpenAI passes none of its own.
    return context | _tags("aws:PrincipalTag", role) | _tags("aws:ResourceTag", key)


def _tags(prefix: str, holder: Role | Key) -> Context:
    if holder.tags is UNSEEN:
        return {}
    return {f"{prefix}/{name}": value for name, value in holder.tags.items()}


def _common(snapshot: Snapshot) -> Context:
    """Return what every one of OpenAI's calls carries; what is not assumed is missing."""
    calls = snapshot.calls
    context: Context = {
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "AssumedRole",
        **_NOT_PUBLIC,
    }
    if calls.source_ip is not None:
        context["aws:SourceIp"] = calls.source_ip
    if calls.vpc_endpoint is not None:
        context["aws:SourceVpce"] = calls.vpc_endpoint
    if calls.mfa is not None:
        context["aws:MultiFactorAuthPresent"] = "true" if calls.mfa else "false"
    if calls.time is not None:
        context["aws:CurrentTime"] = calls.time
        context["aws:TokenIssueTime"] = calls.time
        if (seconds := _epoch(calls.time)) is not None:
            context["aws:EpochTime"] = seconds
    return context


def _epoch(time: str) -> str | None:
    try:
        return str(int(datetime.fromisoformat(time).timestamp()))
    except (ValueError, OverflowError):
        return None


def _add_organization(context: Context, name: str, snapshot: Snapshot) -> None:
    customer = snapshot.customer
    if isinstance(customer, Customer) and isinstance(customer.organization, str):
        context[name] = customer.organization


def _alias_name(arn: str) -> str:
    """`…:alias/x` to `alias/x`."""
    return arn.rsplit(":", 1)[-1]


def _levels(policies: Any) -> tuple[Any, ...]:
    return () if policies is UNSEEN else tuple(policies)
