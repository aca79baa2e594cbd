"""What would OpenAI's validation answer? The first thing at fault, in the order AWS meets it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from ekm.diagnosis import wording
from ekm.diagnosis.assumed import assumed
from ekm.diagnosis.calls import (
    ASSUME_ROLE,
    DECRYPT,
    ENCRYPT,
    Asked,
    assume_role,
    lacking,
    role_session_arn,
    use,
)
from ekm.diagnosis.sizes import too_large
from ekm.diagnosis.value import AwsError, DecidingStatement, Diagnosis, Outcome
from ekm.evaluation import Decision
from ekm.evaluation import Outcome as DecisionOutcome
from ekm.policy import parse_arn
from ekm.snapshot import UNSEEN, Key, Role, Snapshot, UnseenType

__all__ = [
    "EXTERNAL_ID",
    "KMS_ARN",
    "ROLE_ARN",
    "document_path",
    "judge",
    "judge_assume_role",
    "judge_use",
    "registered_key",
    "with_assumptions",
]

# Source: help.openai.com/en/articles/20000947 names the three forms; no pattern is published.
KMS_ARN: Final = re.compile(
    r"arn:aws:kms:[a-z]{2}(?:-[a-z]+)+-\d:\d{12}:"
    r"(?:key/(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
    r"|alias/[a-zA-Z0-9/_-]{1,250})",
)
# Source: wire contract 1.1 (the pattern of role_arn), docs.aws.amazon.com/STS/latest/APIReference.
ROLE_ARN: Final = re.compile(r"arn:aws:iam::[0-9]{12}:role/(?:[!-~]+/)?[\w+=,.@-]{1,64}", re.ASCII)
EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_DENIED: Final = {ENCRYPT: Outcome.ENCRYPT_DENIED, DECRYPT: Outcome.DECRYPT_DENIED}


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
    return assumed(snapshot, registered_key(snapshot), session_name=session_name)


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
    if not ROLE_ARN.fullmatch(registration.role_arn):
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
    if decision.allowed and (large := too_large(snapshot, "AssumeRole")):
        return _fault(snapshot, Outcome.POLICY_MALFORMED, large, decisions)
    if decision.allowed:
        return _ok(snapshot, decisions)
    if decision.outcome is DecisionOutcome.ERROR:
        error = wording.malformed("AssumeRole", _place(snapshot, decision, None))
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
    if not KMS_ARN.fullmatch(kms_arn):
        error = AwsError("Encrypt", "NotFoundException", f"Invalid arn {kms_arn}")
        return _fault(snapshot, Outcome.INVALID_ARN, error)
    key = registered_key(snapshot)
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
    if large := too_large(snapshot, "Encrypt"):
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


def registered_key(snapshot: Snapshot) -> Key | None:
    """Return the key behind the registered ARN, or `None` when it was not found."""
    if snapshot.keys is UNSEEN:
        return None
    target = snapshot.registration.kms_arn
    if ":alias/" in target:
        if snapshot.aliases is UNSEEN:
            # Keys are what was looked up for this registration: a single one is the alias's.
            return snapshot.keys[0] if len(snapshot.keys) == 1 else None
        target = next((a.target for a in snapshot.aliases if a.arn == target), "")
    return next((key for key in snapshot.keys if key.arn == target), None)


def _elsewhere(snapshot: Snapshot) -> bool:
    """Whether the registered key was found in another Region."""
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
    snapshot: Snapshot,
    key: Key,
    action: str,
    asked: Asked,
    decisions: dict[str, Decision],
) -> Diagnosis:
    decision, operation = decisions[action], action.removeprefix("kms:")
    if decision.outcome is DecisionOutcome.ERROR:
        error = wording.malformed(operation, _place(snapshot, decision, key))
        return _fault(snapshot, Outcome.POLICY_MALFORMED, error, decisions, decision, key=key)
    role = snapshot.role
    assert isinstance(role, Role)
    caller, key_arn = parse_arn(asked.request.principal), parse_arn(key.arn)
    # AWS names the session; under no particular name it is the role's ARN that was asked about.
    session = asked.request.principal
    if session == role.arn:
        session = role_session_arn(role.arn, "<session>")
    same = caller is not None and key_arn is not None and caller.account == key_arn.account
    if decision.outcome is DecisionOutcome.EXPLICITLY_DENIED:
        tail = wording.explicit_deny(decision, same_account=same)
    else:
        tail = wording.nothing_allows(operation, lacking(asked.request, asked.policies))
    error = wording.use_denied(operation, session, key.arn, tail=tail)
    curable = UNSEEN in (role.permission_policies, role.permissions_boundary, key.policy)
    return _fault(snapshot, _DENIED[action], error, decisions, decision, key=key, curable=curable)


def _ok(snapshot: Snapshot, decisions: dict[str, Decision]) -> Diagnosis:
    """Nothing that was read refuses: if OpenAI still does, IAM has not settled."""
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
        deciding=_deciding(snapshot, decision, key),
        missing=decision.missing if decision is not None else (),
        unseen=snapshot.unseen(),
        curable_by_waiting=curable,
    )


def _deciding(
    snapshot: Snapshot, decision: Decision | None, key: Key | None
) -> tuple[DecidingStatement, ...]:
    """Name the deciding statements by snapshot path; OpenAI's own side is none of them."""
    if decision is None:
        return ()
    return tuple(
        DecidingStatement(
            document_path(snapshot, reference.document, key),
            reference.statement,
            reference.sid,
            reference.effect,
        )
        for reference in decision.decided_by
        if key is not None or not reference.document.startswith("identity")
    )


def _place(snapshot: Snapshot, decision: Decision, key: Key | None) -> str:
    """Return what is malformed, and where, by snapshot path."""
    document, colon, rest = (decision.message or "").partition(": ")
    return f"{document_path(snapshot, document, key)}{colon}{rest}"


def document_path(snapshot: Snapshot, document: str, key: Key | None) -> str:
    """Return the snapshot path of a document that a decision names."""
    if key is None:
        return "trust_policy" if document == "resource" else document
    if document == "resource" and snapshot.keys is not UNSEEN:
        return f"keys[{snapshot.keys.index(key)}].policy"
    return document.replace("identity", "permission_policies", 1)
