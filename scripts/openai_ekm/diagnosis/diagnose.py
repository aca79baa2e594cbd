"""The whole diagnosis: all faults in AWS's order, and all warnings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis import faults, patch
from openai_ekm.diagnosis.judge import DENIED, judge, with_assumptions
from openai_ekm.diagnosis.malformed import complaint, malformed
from openai_ekm.diagnosis.repair_search import Question, faults_of, near_misses_of
from openai_ekm.diagnosis.result import Fault, Outcome
from openai_ekm.diagnosis.warnings import organization, warnings_of
from openai_ekm.openai_calls import call_decisions
from openai_ekm.openai_calls.assumed_organization import asked_about
from openai_ekm.openai_calls.call_decisions import document_path
from openai_ekm.snapshot import UNSEEN, Role, Snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from openai_ekm.diagnosis.result import Diagnosis, NearMiss

__all__ = ["Repaired", "diagnose", "find_faults"]

_MOST: Final = 16  # rounds; each cures what the one before left
_ENOUGH: Final = 40  # faults; whoever has more begins with these
_KEY: Final = {Outcome.INVALID_ARN, Outcome.KEY_NOT_FOUND, Outcome.WRONG_REGION}
_DENIED: Final = {outcome: action for action, outcome in DENIED.items()}


@dataclass(frozen=True, slots=True)
class Repaired:
    """The faults of a set-up, and the set-up with every fix applied.

    Attributes:
        first: How the set-up is judged as it is.
        faults: In the order in which AWS meets them.
        snapshot: The set-up with the fixes of all faults.
        last: How that one is judged.
    """

    first: Diagnosis
    faults: tuple[Fault, ...]
    snapshot: Snapshot
    last: Diagnosis


def find_faults(snapshot: Snapshot, *, session_name: str | None = None) -> Repaired:
    """Find what keeps OpenAI out, and repair it round by round.

    Args:
        snapshot: What was collected.
        session_name: Name of OpenAI's session in the customer's role, where it is known.
    """
    first = verdict = judge(snapshot, session_name=session_name)
    faults: list[Fault] = []
    current = snapshot
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
    return Repaired(first, tuple(faults), current, verdict)


def diagnose(
    snapshot: Snapshot, *, session_name: str | None = None, now: datetime | None = None
) -> Diagnosis:
    """Say what OpenAI's validation would answer, what is at fault, and the smallest fix.

    Args:
        snapshot: What was collected.
        session_name: Name of OpenAI's session in the customer's role, where it is known.
        now: The time of OpenAI's calls, where the snapshot has none, and from when on something
            must be possible for a warning; None for the clock's time.

    Returns:
        The diagnosis with its faults and warnings. The fixes, applied in order, each take the
        validation past one fault; every one of them was tried with the evaluator.
    """
    if now is not None and snapshot.calls.time is None:
        snapshot = snapshot.at(now)
    found = find_faults(snapshot, session_name=session_name)
    first, current = found.first, found.snapshot
    passes = found.last.outcome is Outcome.OK
    warnings, gaps = warnings_of(
        snapshot, first, current, passes=passes, session_name=session_name, now=now
    )
    unseen = dict.fromkeys((*snapshot.unseen(), *asked_about(snapshot), *gaps))
    key = snapshot.registered_key
    if first.outcome is Outcome.OK and key is not None and key.state is UNSEEN:
        first = replace(first, outcome=Outcome.UNDECIDED)
    return replace(
        first,
        faults=found.faults,
        warnings=(*warnings, *organization.warnings(snapshot, current, session_name=session_name)),
        unseen=tuple(unseen),
        reasons={path: why for path, why in snapshot.reasons.items() if path in unseen},
    )


def _faults(snapshot: Snapshot, verdict: Diagnosis, session_name: str | None) -> tuple[Fault, ...]:
    outcome = verdict.outcome
    if outcome is Outcome.POLICY_MALFORMED or verdict.open_point is not None:
        return _malformed_faults(snapshot, verdict)
    if outcome in _KEY:
        return faults.key_faults(snapshot, outcome)
    if outcome is Outcome.ASSUME_ROLE_DENIED:
        if found := faults.role_faults(snapshot):
            return found
        question = _assume_role(snapshot, session_name)
        return faults_of(question) or _unexplained_fault(
            verdict, "trust_policy", near_misses_of(question)
        )
    if outcome in _DENIED:
        return _use(snapshot, verdict, _DENIED[outcome], session_name)
    return faults.state_faults(snapshot, outcome)


def _assume_role(snapshot: Snapshot, session_name: str | None) -> Question:
    def ask(changed: Snapshot) -> call_decisions.Asked:
        return call_decisions.assume_role(
            changed, external_id=changed.registration.external_id, session_name=session_name
        )

    return Question(snapshot, ask(snapshot), ask, lambda name: document_path(snapshot, name, None))


def _use(
    snapshot: Snapshot, verdict: Diagnosis, action: str, session_name: str | None
) -> tuple[Fault, ...]:
    key, role = snapshot.registered_key, snapshot.role
    assert key is not None  # nosec B101 # narrows the type
    assert isinstance(role, Role)  # nosec B101 # narrows the type
    if key.policy is UNSEEN:
        name = document_path(snapshot, "resource", key)
        return (faults.unseen_fault(name, "the key policy"),)
    if role.permission_policies is UNSEEN:
        return (faults.unseen_fault("permission_policies", "the role's policies"),)

    def ask(changed: Snapshot) -> call_decisions.Asked | None:
        there = changed.registered_key
        if there is None:
            return None
        return call_decisions.use(action, changed, there, session_name=session_name)

    asked = ask(snapshot)
    assert asked is not None  # nosec B101 # narrows the type
    question = Question(snapshot, asked, ask, lambda name: document_path(snapshot, name, key))
    document = document_path(snapshot, "resource", key)
    return faults_of(question) or _unexplained_fault(verdict, document, near_misses_of(question))


def _malformed_faults(snapshot: Snapshot, verdict: Diagnosis) -> tuple[Fault, ...]:
    if verdict.error is not None and verdict.error.code == "LimitExceeded":
        return faults.too_large(snapshot)
    document, _, rest = (verdict.open_point or verdict.message).partition(": ")
    place, colon, message = rest.partition(": ")
    if not colon:
        place, message = "", rest
    said = (place, message)
    found: Fault | None = None
    for candidate in malformed(document, place, message, snapshot):
        found = candidate
        if not candidate.fix:
            break
        try:
            changed = patch.apply(snapshot, candidate.fix)
        except (KeyError, IndexError, TypeError):
            continue
        left = complaint(changed, document)
        if left is None or (left.place != "Statement" and (left.place, left.message) != said):
            break
    return () if found is None else (found,)


def _unexplained_fault(
    verdict: Diagnosis, document: str, near: tuple[NearMiss, ...]
) -> tuple[Fault, ...]:
    """Return the fault for a refusal that no small change of one statement cures."""
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
            near_misses=near,
        ),
    )
