"""Find the first fault of OpenAI's validation, in the order in which AWS meets it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from openai_ekm.arns import is_role_arn
from openai_ekm.diagnosis import wording
from openai_ekm.diagnosis.refusing_layer import refusing_kind
from openai_ekm.diagnosis.result import AwsError, Diagnosis, Outcome
from openai_ekm.evaluation import Decision
from openai_ekm.evaluation import Outcome as DecisionOutcome
from openai_ekm.openai import EXTERNAL_ID
from openai_ekm.openai_calls.assumed_organization import assumed
from openai_ekm.openai_calls.call_decisions import (
    Asked,
    assume_role,
    document_path,
    locate_statements,
    use,
)
from openai_ekm.openai_calls.requests import (
    ASSUME_ROLE,
    DECRYPT,
    ENCRYPT,
    names_key,
    role_session_arn,
)
from openai_ekm.policy import parse_arn
from openai_ekm.snapshot import UNSEEN, Key, Role, Snapshot, UnseenType
from openai_ekm.snapshot.sizes import too_large_documents

__all__ = ["DENIED", "judge", "judge_assume_role", "judge_use", "with_assumptions"]

DENIED: Final = {ENCRYPT: Outcome.ENCRYPT_DENIED, DECRYPT: Outcome.DECRYPT_DENIED}


def judge(snapshot: Snapshot, *, session_name: str | None = None) -> Diagnosis:
    """Say what OpenAI's validation would answer.

    The order is AWS's: AssumeRole; then the form of `kms_arn`, whether the key exists in that
    Region, authorization, state, type; Encrypt before Decrypt; for each call a malformed
    document before a denial.

    Args:
        snapshot: What was collected.
        session_name: Name of OpenAI's session in the customer's role, where it is known.

    Returns:
        The diagnosis; it never refuses a snapshot for a value that it is there to judge.
    """
    snapshot = with_assumptions(snapshot, session_name=session_name)
    first = judge_assume_role(snapshot, session_name=session_name)
    second = judge_use(snapshot, session_name=session_name)
    at_fault = first if first.outcome is not Outcome.OK else second
    return replace(at_fault, decisions={**first.decisions, **second.decisions})


def with_assumptions(snapshot: Snapshot, *, session_name: str | None = None) -> Snapshot:
    """Return the snapshot with what a judgement takes of what was not collected.

    Args:
        snapshot: What was collected.
        session_name: Name of OpenAI's session in the customer's role, where it is known.
    """
    return assumed(snapshot, snapshot.registered_key, session_name=session_name)


def judge_assume_role(  # noqa: PLR0911 - one return for each thing AWS checks
    snapshot: Snapshot,
    *,
    session_name: str | None = None,
    external_id: str | UnseenType | None = UNSEEN,
) -> Diagnosis:
    """Say what AWS answers to OpenAI's AssumeRole alone.

    Args:
        snapshot: What was collected.
        session_name: Name of OpenAI's session in the customer's role, where it is known.
        external_id: Sent instead of the registered one (unseen: that one); `None` sends none.
    """
    snapshot = with_assumptions(snapshot, session_name=session_name)
    registration, role = snapshot.registration, snapshot.role
    denied = wording.assume_role_denied(registration.role_arn)
    sent = registration.external_id if external_id is UNSEEN else external_id
    if not is_role_arn(registration.role_arn):
        return _fault(snapshot, Outcome.ASSUME_ROLE_DENIED, denied)
    if not isinstance(role, Role) or role.arn != registration.role_arn:
        # A role that does not exist answers exactly as one that does not trust. One that was
        # made a moment ago may not be there yet; one of another path will never be the one.
        curable = not isinstance(role, Role)
        return _fault(snapshot, Outcome.ASSUME_ROLE_DENIED, denied, curable=curable)
    decision = assume_role(snapshot, external_id=sent, session_name=session_name).decision
    decisions = {ASSUME_ROLE: decision}
    if decision.allowed and sent is not None and not EXTERNAL_ID.fullmatch(sent):
        # STS checks the form before any policy, whatever the policy says.
        return _fault(snapshot, Outcome.ASSUME_ROLE_DENIED, denied)
    if decision.allowed and (large := _too_large(snapshot, "AssumeRole")):
        return _fault(snapshot, Outcome.POLICY_MALFORMED, large, decisions)
    if decision.allowed:
        return _ok(snapshot, decisions)
    if decision.outcome is DecisionOutcome.ERROR:
        error = wording.malformed("AssumeRole", _malformed_place(snapshot, decision, None))
        return _fault(snapshot, Outcome.POLICY_MALFORMED, error, decisions, decision)
    curable = role.trust_policy is UNSEEN
    return _fault(
        snapshot, Outcome.ASSUME_ROLE_DENIED, denied, decisions, decision, curable=curable
    )


def judge_use(snapshot: Snapshot, *, session_name: str | None = None) -> Diagnosis:
    """Say what KMS answers to Encrypt and Decrypt by a session of the role.

    Args:
        snapshot: What was collected.
        session_name: Name of the session, where it is known.
    """
    snapshot = with_assumptions(snapshot, session_name=session_name)
    kms_arn = snapshot.registration.kms_arn
    if not names_key(kms_arn):
        error = AwsError("Encrypt", "NotFoundException", f"Invalid arn {kms_arn}")
        return _fault(snapshot, Outcome.INVALID_ARN, error)
    key = snapshot.registered_key
    if key is None:
        outcome = Outcome.WRONG_REGION if _elsewhere(snapshot) else Outcome.KEY_NOT_FOUND
        curable = snapshot.keys is UNSEEN
        return _fault(snapshot, outcome, wording.key_not_found(kms_arn), curable=curable)
    if not isinstance(snapshot.role, Role):
        return _ok(snapshot, {})
    asked = {
        action: use(action, snapshot, key, session_name=session_name)
        for action in (ENCRYPT, DECRYPT)
    }
    decisions = {action: found.decision for action, found in asked.items()}
    denied = next((action for action in asked if not decisions[action].allowed), None)
    if denied is not None:
        return _use_fault(snapshot, key, denied, asked[denied], decisions)
    if large := _too_large(snapshot, "Encrypt"):
        return _fault(snapshot, Outcome.POLICY_MALFORMED, large, decisions)
    return _judge_key(snapshot, key, decisions)


def _judge_key(snapshot: Snapshot, key: Key, decisions: dict[str, Decision]) -> Diagnosis:
    """Say what the key's own state and type allow, once the caller may use it."""
    if refused := wording.unusable_state(key):
        outcome, error = refused
        return _fault(snapshot, outcome, error, decisions, curable=key.state == "Creating")
    if mistyped := wording.not_symmetric(key):
        return _fault(snapshot, Outcome.NOT_SYMMETRIC, mistyped, decisions)
    return _ok(snapshot, decisions)


def _too_large(snapshot: Snapshot, operation: str) -> AwsError | None:
    """Return AWS's answer to a document that a call needs and that is too large to be saved."""
    found = next(too_large_documents(snapshot, operation), None)
    return None if found is None else AwsError(operation, "LimitExceeded", str(found))


def _elsewhere(snapshot: Snapshot) -> bool:
    """Return whether the registered key was found in another Region."""
    registered = parse_arn(snapshot.registration.kms_arn)
    if registered is None or snapshot.keys is UNSEEN:
        return False
    found = [parse_arn(key.arn) for key in snapshot.keys]
    if snapshot.aliases is not UNSEEN:
        found += [parse_arn(alias.arn) for alias in snapshot.aliases]
    return any(
        arn is not None
        and (arn.account, arn.resource) == (registered.account, registered.resource)
        and arn.region != registered.region
        for arn in found
    )


def _use_fault(
    snapshot: Snapshot, key: Key, action: str, asked: Asked, decisions: dict[str, Decision]
) -> Diagnosis:
    decision, operation = decisions[action], action.removeprefix("kms:")
    if decision.outcome is DecisionOutcome.ERROR:
        error = wording.malformed(operation, _malformed_place(snapshot, decision, key))
        return _fault(snapshot, Outcome.POLICY_MALFORMED, error, decisions, decision, key=key)
    role = snapshot.role
    assert isinstance(role, Role)  # nosec B101 # narrows the type
    caller, key_arn = parse_arn(asked.request.principal), parse_arn(key.arn)
    # AWS names the session; under no particular name it is the role's ARN that was asked about.
    session = asked.request.principal
    if session == role.arn:
        session = role_session_arn(role.arn, "<session>")
    same = caller is not None and key_arn is not None and caller.account == key_arn.account
    if decision.outcome is DecisionOutcome.EXPLICITLY_DENIED:
        tail = wording.explicit_deny(decision, same_account=same)
    else:
        tail = wording.nothing_allows(operation, refusing_kind(asked.request, asked.policies))
    error = wording.use_denied(operation, session, key.arn, tail=tail)
    curable = UNSEEN in (role.permission_policies, role.permissions_boundary, key.policy)
    return _fault(snapshot, DENIED[action], error, decisions, decision, key=key, curable=curable)


def _ok(snapshot: Snapshot, decisions: dict[str, Decision]) -> Diagnosis:
    """Return the diagnosis when nothing refuses: if OpenAI is refused, IAM has not settled."""
    return Diagnosis(
        Outcome.OK, decisions=decisions, unseen=snapshot.unseen(), curable_by_waiting=True
    )


def _fault(
    snapshot: Snapshot,
    outcome: Outcome,
    error: AwsError,
    decisions: dict[str, Decision] | None = None,
    decision: Decision | None = None,
    *,
    key: Key | None = None,
    curable: bool = False,
) -> Diagnosis:
    return Diagnosis(
        outcome,
        decisions=decisions or {},
        error=error,
        deciding=() if decision is None else locate_statements(snapshot, decision.decided_by, key),
        missing=decision.missing if decision is not None else (),
        open_point=_disputed_place(snapshot, decision, key),
        unseen=snapshot.unseen(),
        curable_by_waiting=curable,
    )


def _disputed_place(snapshot: Snapshot, decision: Decision | None, key: Key | None) -> str | None:
    """Return which document AWS may not save, and where, when that alone leaves the call open."""
    if decision is None or decision.outcome is not DecisionOutcome.IMPLICITLY_DENIED:
        return None
    document, colon, _ = (decision.message or "").partition(": ")
    if not colon or not _DOCUMENT.fullmatch(document):
        return None
    return _malformed_place(snapshot, decision, key)


# How a decision names a document, where that is all that its message begins with.
_DOCUMENT: Final = re.compile(
    r"resource|permissions_boundary|identity\[\d+\]|[sr]cps\[\d+\]\[\d+\]"
)


def _malformed_place(snapshot: Snapshot, decision: Decision, key: Key | None) -> str:
    """Return what is malformed, and where, by snapshot path."""
    document, colon, rest = (decision.message or "").partition(": ")
    return f"{document_path(snapshot, document, key)}{colon}{rest}"
