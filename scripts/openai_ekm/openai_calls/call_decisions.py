"""OpenAI's three calls, decided in every form that documents may tell apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from openai_ekm.evaluation import Decision, Outcome, Policies, Request, decide
from openai_ekm.openai_calls.possible_calls import (
    ADDRESS,
    ORGANIZATION,
    USER_ID,
    Carried,
    possible_contexts,
)
from openai_ekm.openai_calls.requests import (
    SESSION_NAME,
    assume_role_request,
    role_session_arn,
    use_request,
)
from openai_ekm.policy import MalformedPolicy, PrincipalForm
from openai_ekm.snapshot import UNSEEN, Key, Role, Snapshot
from openai_ekm.value_classes import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from openai_ekm.evaluation import StatementRef
    from openai_ekm.evaluation.policies import PreparedPolicies
    from openai_ekm.policy import Statement

__all__ = [
    "Asked",
    "assume_role",
    "document_path",
    "every_assume_role",
    "every_use",
    "locate_statements",
    "use",
]

# Every session has a name, a unique id and a user agent. Where no document asks for them, these
# stand for them.
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


def assume_role(snapshot: Snapshot, *, external_id: str | None, session_name: str | None) -> Asked:
    """Decide OpenAI's AssumeRole on the role that was found.

    Args:
        snapshot: Its role must have been seen, and be the registered one.
        external_id: What is sent; `None` sends none.
        session_name: Name of the session in the customer's role; `None` when it is not known.

    Returns:
        The first of the possible calls that is refused, else the first.
    """
    return _first_refused(
        every_assume_role(snapshot, external_id=external_id, session_name=session_name)
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
        now: From when on a call may be made (ISO 8601); `None` for the clock's time.

    Returns:
        The decisions. An SCP of the customer never bears on OpenAI's own principal; an RCP does
        bear on the role.
    """
    request, policies = assume_role_request(snapshot, external_id, session_name)
    unknown = _unknown_keys(snapshot)
    if session_name is None:
        unknown[SESSION_NAME] = _UNKNOWN_SESSION
    if snapshot.calls.openai_organization is None:
        unknown[ORGANIZATION] = ""
    return _every(snapshot, (request,), policies, unknown, now)


def use(action: str, snapshot: Snapshot, key: Key, *, session_name: str | None) -> Asked:
    """Decide Encrypt or Decrypt by a session of the customer's role.

    Args:
        action: `kms:Encrypt` or `kms:Decrypt`.
        snapshot: Role, policies and assumptions about the calls.
        key: The key behind the registered ARN.
        session_name: Name of the session; `None` when it is not known.

    Returns:
        The first of the possible calls that is refused, else the first.
    """
    return _first_refused(every_use(action, snapshot, key, session_name=session_name))


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
        now: As for `every_assume_role`.

    Returns:
        The decisions.
    """
    request, policies = use_request(action, snapshot, key, session_name=session_name)
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


def document_path(snapshot: Snapshot, document: str, key: Key | None) -> str:
    """Return the snapshot path of a document that a decision names.

    Args:
        snapshot: The snapshot.
        document: The document as the decision names it, such as `resource` or `identity[0]`.
        key: The key that the call uses; None for AssumeRole.
    """
    if key is None:
        return "trust_policy" if document == "resource" else document
    if document == "resource" and snapshot.keys is not UNSEEN:
        return f"keys[{snapshot.keys.index(key)}].policy"
    return document.replace("identity", "permission_policies", 1)


def locate_statements(
    snapshot: Snapshot, statements: Iterable[StatementRef], key: Key | None
) -> tuple[StatementRef, ...]:
    """Return the statements that decide a call, by snapshot path.

    The result leaves out the policies that OpenAI's own role has when it assumes the role.

    Args:
        snapshot: The snapshot.
        statements: The statements as a decision names them.
        key: The key that the call uses; None for AssumeRole.
    """
    return tuple(
        statement.at(document_path(snapshot, statement.document, key))
        for statement in statements
        if key is not None or not statement.document.startswith("identity")
    )
