"""OpenAI's three calls as requests to be decided, with the policies that bear on each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evaluation import Decision, Outcome, Policies, Request, decide
from openai_ekm.openai import OPENAI_ROLE_ARN, OPENAI_SESSION_ARN
from openai_ekm.openai_calls.constants import ENCRYPTION_ALGORITHM
from openai_ekm.openai_calls.possible_calls import (
    ADDRESS,
    ORGANIZATION,
    TIMES,
    USER_ID,
    Carried,
    instant_as,
    possible_contexts,
)
from openai_ekm.policy import ALLOW_ALL, Arn, MalformedPolicy, PrincipalForm, parse_arn
from openai_ekm.snapshot import UNSEEN, Customer, Key, Role, Snapshot
from openai_ekm.value_classes import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from openai_ekm.evaluation.policies import PreparedPolicies
    from openai_ekm.policy import Statement

__all__ = [
    "ASSUME_ROLE",
    "DECRYPT",
    "ENCRYPT",
    "Asked",
    "assume_role",
    "every_assume_role",
    "every_use",
    "lacking",
    "role_session_arn",
    "use",
]

ASSUME_ROLE: Final = "sts:AssumeRole"
ENCRYPT: Final = "kms:Encrypt"
DECRYPT: Final = "kms:Decrypt"

# Every session has a name, a unique id and a user agent. Where no document asks for them, these
# stand for them.
_SESSION_NAME: Final = "sts:RoleSessionName"
_UNKNOWN_SESSION: Final = "session-name-that-is-not-public"
_UNKNOWN: Final = {
    USER_ID: f"unique-id-that-is-not-public:{_UNKNOWN_SESSION}",
    "aws:UserAgent": "user-agent-that-is-not-public",
}
# An address set aside for documentation.
_UNKNOWN_ADDRESS: Final = "203.0.113.77"


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as it was decided.

    Args:
        request: What is asked.
        policies: What it was decided by.
        decision: The answer.
    """

    request: Request
    policies: Policies
    decision: Decision


def assume_role(
    snapshot: Snapshot,
    *,
    external_id: str | None,
    session_name: str | None,
    now: str | None = None,
) -> Asked:
    """Decide OpenAI's AssumeRole on the role that was found.

    Args:
        snapshot: Its role must have been seen, and be the registered one.
        external_id: What is sent; `None` sends none.
        session_name: Name of the session in the customer's role; `None` when it is not known.
        now: From when on a call may be made (ISO 8601); `None` for the clock's time.

    Returns:
        The first of the possible calls that is refused, else the first.
    """
    return _first_refused(
        every_assume_role(snapshot, external_id=external_id, session_name=session_name, now=now)
    )


def every_assume_role(
    snapshot: Snapshot,
    *,
    external_id: str | None,
    session_name: str | None,
    now: str | None = None,
) -> Iterator[Asked]:
    """Decide every form of OpenAI's AssumeRole that documents may tell apart.

    Args:
        snapshot: As for `assume_role`.
        external_id: Likewise.
        session_name: Likewise.
        now: Likewise.

    Returns:
        The decisions. An SCP of the customer never bears on OpenAI's own principal; an RCP does
        bear on the role.
    """
    request, policies = _assume_role(snapshot, external_id, session_name)
    unknown = _unknown_keys(snapshot)
    if session_name is None:
        unknown[_SESSION_NAME] = _UNKNOWN_SESSION
    if snapshot.calls.openai_organization is None:
        unknown[ORGANIZATION] = ""
    return _every(snapshot, (request,), policies, unknown, now)


def use(
    action: str,
    snapshot: Snapshot,
    key: Key,
    *,
    session_name: str | None,
    now: str | None = None,
) -> Asked:
    """Decide Encrypt or Decrypt by a session of the customer's role.

    Args:
        action: `kms:Encrypt` or `kms:Decrypt`.
        snapshot: Role, policies and assumptions about the calls.
        key: The key behind the registered ARN.
        session_name: Name of the session; `None` when it is not known.
        now: From when on a call may be made (ISO 8601); `None` for the clock's time.

    Returns:
        The first of the possible calls that is refused, else the first.
    """
    return _first_refused(every_use(action, snapshot, key, session_name=session_name, now=now))


def every_use(
    action: str,
    snapshot: Snapshot,
    key: Key,
    *,
    session_name: str | None,
    now: str | None = None,
) -> Iterator[Asked]:
    """Decide every form of Encrypt or Decrypt that documents may tell apart.

    Args:
        action: As for `use`.
        snapshot: Likewise.
        key: Likewise.
        session_name: Likewise. A session that a document names may be OpenAI's.
        now: Likewise.

    Returns:
        The decisions.
    """
    request, policies = _use_of(action, snapshot, key, session_name=session_name)
    role = snapshot.role
    assert isinstance(role, Role)  # nosec B101 # narrows the type
    requests = [request]
    if session_name is None:
        prepared = _prepare(policies, action)
        named = _named_sessions(prepared, role) if prepared is not None else ()
        requests += [replace(request, principal=each) for each in named]
    return _every(snapshot, requests, policies, _unknown_keys(snapshot), now)


def _unknown_keys(snapshot: Snapshot) -> dict[str, str]:
    """Return what every call carries with a value that nothing says."""
    calls = snapshot.calls
    if calls.source_ip is None and calls.vpc_endpoint is None:
        return {**_UNKNOWN, ADDRESS: _UNKNOWN_ADDRESS}
    return dict(_UNKNOWN)


def _every(
    snapshot: Snapshot,
    requests: Sequence[Request],
    policies: Policies,
    unknown: Mapping[str, str],
    now: str | None,
) -> Iterator[Asked]:
    plain = requests[0]
    prepared = _prepare(policies, plain.action)
    if prepared is None:
        yield Asked(plain, policies, decide(plain, policies))
        return
    instant = now or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    statements = tuple(_about(prepared, plain.action))
    known: Carried = dict(plain.context)
    try:
        contexts = list(possible_contexts(known, unknown, statements, snapshot.calls, instant))
    except Undecidable as found:
        # What stays open never allows.
        opened = Decision(Outcome.IMPLICITLY_DENIED, missing=(found.reason,), message=found.reason)
        yield Asked(plain, policies, opened)
        return
    for request in requests:
        for context in contexts:
            asked = replace(request, context=context)
            yield Asked(asked, policies, decide(asked, prepared))


def _prepare(policies: Policies, action: str) -> PreparedPolicies | None:
    """Return the documents, read; None when one is malformed."""
    try:
        return policies.prepare(action)
    except MalformedPolicy:
        return None


def _about(policies: PreparedPolicies, action: str) -> Iterator[Statement]:
    """Yield every statement that covers an action."""
    view = policies.about(action.lower())
    layers = (view.identity, view.resource, view.boundary, view.session)
    for layer in (*layers, *(each.statements for each in view.guardrails)):
        yield from (statement for statement, _ in layer or ())


def _named_sessions(policies: PreparedPolicies, role: Role) -> tuple[str, ...]:
    """Return the sessions of the role that documents name."""
    own = role_session_arn(role.arn, "")
    principals = [grant.grantee for grant in policies.grants]
    if policies.resource is not None:
        for statement in policies.resource.document.statements:
            principals += statement.principals or ()
    named = (each.text for each in principals if each.form is PrincipalForm.SESSION)
    return tuple(dict.fromkeys(text for text in named if text.startswith(own)))


def _first_refused(every: Iterable[Asked]) -> Asked:
    first: Asked | None = None
    for asked in every:
        if not asked.decision.allowed:
            return asked
        first = first or asked
    assert first is not None  # nosec B101 # narrows the type: there is always a possible call
    return first


def _assume_role(
    snapshot: Snapshot, external_id: str | None, session_name: str | None
) -> tuple[Request, Policies]:
    role = snapshot.role
    trust = role.trust_policy if isinstance(role, Role) else None
    arn = parse_arn(snapshot.registration.role_arn)
    account = arn.account if arn is not None else None
    context = _common(snapshot)
    context["aws:PrincipalArn"] = OPENAI_ROLE_ARN
    if external_id is not None:
        context["sts:ExternalId"] = external_id
    if session_name is not None:
        context[_SESSION_NAME] = session_name
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
    identity = () if role.permission_policies is UNSEEN else role.permission_policies
    own = role_arn.account if role_arn is not None else None
    policies = Policies(
        identity=tuple(policy.document for policy in identity),
        resource=None if key.policy is UNSEEN else key.policy,
        permissions_boundary=None if boundary is UNSEEN else boundary,
        scps=_guardrails(snapshot.scps, own, snapshot),
        rcps=_guardrails(snapshot.rcps, account, snapshot),
        grants=() if snapshot.grants is UNSEEN else snapshot.grants,
    )
    return request, policies


def lacking(request: Request, policies: Policies) -> str:
    """Name the kind of policy that AWS says does not allow a use of the key.

    AWS looks at organization policies first, then at the key policy, the identity policies and
    the permissions boundary. A kind is lacking if nothing is left before it once it is put right.

    Args:
        request: A request that was implicitly denied.
        policies: What it was decided by.

    Returns:
        `rcps`, `scps`, `resource`, `identity` or `permissions_boundary`.
    """
    open_handed = replace(
        policies, identity=(*policies.identity, ALLOW_ALL), permissions_boundary=None
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
    customer = snapshot.customer
    if not isinstance(customer, Customer) or account != snapshot.customer_account:
        return {}
    return {name: customer.organization} if isinstance(customer.organization, str) else {}


def _alias_name(arn: str) -> str:
    """Return `alias/x` for `…:alias/x`."""
    return arn.rsplit(":", 1)[-1]


def _guardrails(policies: Any, account: str | None, snapshot: Snapshot) -> tuple[Any, ...]:
    """Return the customer's SCPs or RCPs, for what is of the customer's account."""
    if policies is UNSEEN or account != snapshot.customer_account:
        return ()
    return tuple(policies)
