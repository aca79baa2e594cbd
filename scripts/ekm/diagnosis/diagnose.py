"""The whole diagnosis: all that is at fault, in AWS's order, and what is wrong besides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ekm.diagnosis import calls, looked_up, patch
from ekm.diagnosis.assumed import asked_about
from ekm.diagnosis.judge import document_path, judge, registered_key, with_assumptions
from ekm.diagnosis.malformed import malformed
from ekm.diagnosis.search import Question, faults_of
from ekm.diagnosis.value import Outcome
from ekm.diagnosis.warnings import organization, warnings_of
from ekm.snapshot import UNSEEN, Role, Snapshot

if TYPE_CHECKING:
    from ekm.diagnosis.value import Diagnosis, Fault

__all__ = ["diagnose"]

_MOST: Final = 16  # rounds; each cures what the one before left
_ENOUGH: Final = 40  # faults; whoever has more begins with these
_KEY: Final = {Outcome.INVALID_ARN, Outcome.KEY_NOT_FOUND, Outcome.WRONG_REGION}
_DENIED: Final = {Outcome.ENCRYPT_DENIED: calls.ENCRYPT, Outcome.DECRYPT_DENIED: calls.DECRYPT}


def diagnose(snapshot: Snapshot, *, session_name: str | None = None) -> Diagnosis:
    """Say what OpenAI's validation would answer, what is at fault, and the smallest fix.

    Args:
        snapshot: What was collected.
        session_name: Name of OpenAI's session in the customer's role, where it is known.

    Returns:
        The diagnosis with its faults and warnings. The fixes, applied in order, each take the
        validation past one fault; every one of them was tried with the evaluator.
    """
    first = judge(snapshot, session_name=session_name)
    faults: list[Fault] = []
    current, verdict = snapshot, first
    for _ in range(_MOST):
        if verdict.outcome is Outcome.OK or len(faults) >= _ENOUGH:
            break
        there = with_assumptions(current, session_name=session_name)
        found = _faults(there, verdict, session_name)
        faults += found
        if not found or not all(fault.fix for fault in found):
            break
        current = patch.apply(current, [change for fault in found for change in fault.fix])
        verdict = judge(current, session_name=session_name)
    warnings = warnings_of(snapshot, first, current, session_name=session_name)
    unseen = dict.fromkeys((*snapshot.unseen(), *asked_about(snapshot)))
    return replace(
        first,
        faults=tuple(faults),
        warnings=(*warnings, *organization.warnings(snapshot, current, session_name=session_name)),
        unseen=tuple(unseen),
        reasons={path: why for path, why in snapshot.reasons.items() if path in unseen},
    )


def _faults(snapshot: Snapshot, verdict: Diagnosis, session_name: str | None) -> tuple[Fault, ...]:
    outcome = verdict.outcome
    if outcome is Outcome.POLICY_MALFORMED:
        return _malformed(snapshot, verdict, session_name)
    if outcome in _KEY:
        return looked_up.key_faults(snapshot, outcome)
    if outcome is Outcome.ASSUME_ROLE_DENIED:
        return (
            looked_up.role_faults(snapshot)
            or faults_of(_assume_role(snapshot, session_name))
            or _unexplained(verdict, "trust_policy")
        )
    if outcome in _DENIED:
        return _use(snapshot, verdict, _DENIED[outcome], session_name)
    return looked_up.state_faults(snapshot, outcome)


def _assume_role(snapshot: Snapshot, session_name: str | None) -> Question:
    def ask(changed: Snapshot) -> calls.Asked:
        return calls.assume_role(
            changed, external_id=changed.registration.external_id, session_name=session_name
        )

    return Question(snapshot, ask(snapshot), ask, lambda name: document_path(snapshot, name, None))


def _use(
    snapshot: Snapshot, verdict: Diagnosis, action: str, session_name: str | None
) -> tuple[Fault, ...]:
    key, role = registered_key(snapshot), snapshot.role
    assert key is not None
    assert isinstance(role, Role)
    if key.policy is UNSEEN:
        name = document_path(snapshot, "resource", key)
        return (looked_up.unseen(name, "the key policy"),)
    if role.permission_policies is UNSEEN:
        return (looked_up.unseen("permission_policies", "the role's policies"),)

    def ask(changed: Snapshot) -> calls.Asked | None:
        there = registered_key(changed)
        if there is None:
            return None
        return calls.use(action, changed, there, session_name=session_name)

    asked = ask(snapshot)
    assert asked is not None
    question = Question(snapshot, asked, ask, lambda name: document_path(snapshot, name, key))
    return faults_of(question) or _unexplained(verdict, document_path(snapshot, "resource", key))


def _malformed(
    snapshot: Snapshot, verdict: Diagnosis, session_name: str | None
) -> tuple[Fault, ...]:
    large = looked_up.too_large(snapshot)
    if verdict.error is not None and verdict.error.code == "LimitExceeded":
        return large
    document, _, rest = verdict.message.partition(": ")
    place, colon, message = rest.partition(": ")
    if not colon:
        place, message = "", rest
    found: Fault | None = None
    for candidate in malformed(document, place, message, snapshot):
        found = candidate
        if not candidate.fix:
            break
        try:
            after = judge(patch.apply(snapshot, candidate.fix), session_name=session_name)
        except (KeyError, IndexError, TypeError):
            continue
        if after.outcome is not Outcome.POLICY_MALFORMED or after.message != verdict.message:
            break
    return () if found is None else (found,)


def _unexplained(verdict: Diagnosis, document: str) -> tuple[Fault, ...]:
    """A refusal that no small change of one statement cures."""
    from ekm.diagnosis.value import Fault  # noqa: PLC0415 - the one place that makes one here

    why = "; ".join(verdict.missing) or verdict.message
    return (
        Fault(
            "not_allowed",
            document,
            None,
            None,
            None,
            None,
            None,
            f"The call is refused: {why}",
            "Compare the policies with those of the module (docs/permissions.md).",
        ),
    )
