"""The drill: look, note, cut, see the refusal, hold, give back, see recovery. Pure.

Sources: docs/reference/openai-api.md#cache-and-revocation (validate asks the cloud now; data
keys are cached for an hour), docs/drill.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openai_ekm.drill import key_policy, targets
from openai_ekm.drill.log import DrillLog, Mark
from openai_ekm.drill.note import Method, Note
from openai_ekm.drill.preflight import Cut, check_preconditions
from openai_ekm.drill.restore import SETTLES, ask_again_in, copy_note, end_drill, wait_for_recovery
from openai_ekm.drill.steps import (
    DeferInterrupts,
    DeleteNote,
    DisableKey,
    EnableKey,
    FetchKey,
    Interrupted,
    ListKeys,
    ListProjects,
    Now,
    PutPolicy,
    ReadAws,
    ReadNote,
    ReadPolicy,
    ReadRecord,
    ReadState,
    Say,
    ValidateKey,
    Wait,
    WriteNote,
)
from openai_ekm.errors import CheckFailed, Conflict, EkmError
from openai_ekm.openai_api import Kind, kind_of
from openai_ekm.registration.iam_wait import take_claim

if TYPE_CHECKING:
    from openai_ekm.drill.preflight import AwsView
    from openai_ekm.drill.steps import Procedure
    from openai_ekm.drill.targets import Target
    from openai_ekm.openai_api.objects import ExternalKey
    from openai_ekm.registration.record import Record

__all__ = ["CACHE", "Order", "Plan", "look", "revoke"]

# How long OpenAI keeps data keys. Source: docs/reference/openai-api.md#cache-and-revocation
CACHE: Final = 3600.0  # seconds
LOOK_EVERY: Final = 30.0  # seconds between two looks while the cut is held
_REFUSED_BY: Final = {
    Method.KEY_POLICY: frozenset({Kind.AWS_DENIED}),
    Method.DISABLE_KEY: frozenset({Kind.AWS_KEY_UNUSABLE}),
}
# An answer that says nothing about the key: asked again.
_NO_ANSWER: Final = frozenset(
    {Kind.AMBIGUOUS, Kind.UNREACHABLE, Kind.RATE_LIMITED, Kind.AWS_TRANSIENT}
)


@dataclass(frozen=True, slots=True)
class Order:
    """The options of a run of `revoke`.

    Args:
        place: Where the record is.
        method: How to cut.
        id: A new name for this drill; the note carries it.
        host: This machine, for the note.
        confirm: The external key's id; without it nothing is cut.
        interrupt: Projects that are not marked for drills and may be interrupted all the same.
        hold: Seconds that the cut lasts after OpenAI's refusal.
        wait: Seconds to wait for another run, for the refusal, and for recovery.
    """

    place: str
    method: Method
    id: str
    host: str
    confirm: str | None = None
    interrupt: tuple[str, ...] = ()
    hold: float = 0.0
    wait: float = 180.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions of a drill that passed every check but the confirmation.

    Args:
        record: As read.
        key: As OpenAI shows it now.
        projects: The active projects on it.
        cut: What is changed in AWS.
        caller: Who changes it.
    """

    record: Record
    key: ExternalKey
    projects: tuple[Target, ...]
    cut: Cut
    caller: str


def look(order: Order, log: DrillLog) -> Procedure[Plan]:
    """Look at everything that a drill depends on, and change nothing.

    Raises:
        EkmError: There is a reason not to cut, whatever was confirmed.
    """
    record, known = targets.check_record(order.place, (yield ReadRecord()))
    key: ExternalKey = yield FetchKey(known)
    log.external_key_id = key.id
    targets.check_registration(order.place, record, key)
    listed: tuple[ExternalKey, ...] = yield ListKeys()
    projects = targets.targets(key, (yield ListProjects()))
    log.projects = projects
    aws_view: AwsView = yield ReadAws(record.intent)
    cut = check_preconditions(aws_view, record.intent, order.method)
    targets.check_others(key, listed, cut.key_arn, cut.aliases)
    log.method = order.method
    log.key_arn = cut.key_arn
    log.role_arn = record.intent.role_arn
    log.caller = aws_view.caller
    log.unseen = cut.unseen
    if cut.statement is not None:
        log.policy_before = key_policy.digest(cut.former)
    return Plan(record, key, projects, cut, aws_view.caller)


def revoke(order: Order, log: DrillLog) -> Procedure[None]:
    """Rehearse the kill switch.

    Access is given back before this ends, whatever happens after the note was written; where
    that fails, the note stands.

    Raises:
        Conflict: Not confirmed, or a reason not to cut; nothing was changed.
        CheckFailed: OpenAI did not refuse; somebody undid the cut; access is not back.
        EkmError: Anything else; access is back unless the error is `drill_not_restored` or
            `drill_policy_stuck`.
        Interrupted: After access was given back.
    """
    yield from take_claim(order.place, order.wait)
    begun = yield Now()
    log.add(Mark.BEGUN, begun, "The drill began.")
    standing: Note | None = yield ReadNote()
    if standing is not None:
        yield from _end_standing(standing, log, order)
    plan = yield from look(order, log)
    targets.check_confirmed(plan.key, plan.projects, order.confirm, order.interrupt)
    yield ValidateKey(plan.key.id)
    log.add(Mark.VALIDATED, (yield Now()), "OpenAI can use the key before the drill.")
    note = _note(order, plan, begun.at)
    log.drill_id = order.id
    yield from _write_note(note, log)
    sent = [False]
    trouble: BaseException | None = None
    try:
        yield from _cut(plan, log, sent)
        yield from _refusal(plan.key.id, order, note, log)
        yield from _hold(plan.key.id, order, note, log)
    except GeneratorExit:
        raise
    except BaseException as failure:  # noqa: BLE001 - access is given back whatever it was
        trouble = failure
    yield from _finish(note, plan, order, log, trouble, cut_was_sent=sent[0])


def _finish(
    note: Note,
    plan: Plan,
    order: Order,
    log: DrillLog,
    trouble: BaseException | None,
    *,
    cut_was_sent: bool,
) -> Procedure[None]:
    if trouble is not None:
        yield DeferInterrupts(on=True)
        mark = Mark.INTERRUPTED if isinstance(trouble, Interrupted) else Mark.FAILED
        log.add(mark, (yield Now()), str(trouble) or type(trouble).__name__)
    if cut_was_sent:
        yield from end_drill(note, log, former=plan.cut.former)
    else:
        yield DeleteNote(note.id)
        log.note_stands = False
    if trouble is None:
        yield from wait_for_recovery(plan.key.id, log, order.wait)
        return
    if cut_was_sent and isinstance(trouble, EkmError):
        try:
            yield from wait_for_recovery(plan.key.id, log, order.wait)
        except EkmError as failure:
            yield Say(failure.message)
    raise trouble


def _end_standing(note: Note, log: DrillLog, order: Order) -> Procedure[None]:
    """End a drill that did not end itself, and do nothing else in this run."""
    copy_note(note, log)
    log.note_stands = True
    yield Say(f"A drill of {note.begun_at} (by {note.caller}, on {note.host}) has not ended.")
    yield from end_drill(note, log, former=note.policy)
    yield from wait_for_recovery(note.external_key_id, log, order.wait)
    raise CheckFailed(
        "drill_was_standing",
        f"A drill of {note.begun_at} had not ended. Access was given back just now; no new drill "
        "was made.",
        at_fault=order.place,
        remedy="Run the drill again, if it is still wanted.",
    )


def _note(order: Order, plan: Plan, begun_at: str) -> Note:
    cut = plan.cut
    return Note(
        id=order.id,
        begun_at=begun_at,
        method=order.method,
        caller=plan.caller,
        host=order.host,
        external_key_id=plan.key.id,
        key_arn=cut.key_arn,
        role_arn=plan.record.intent.role_arn,
        statement=dict(cut.statement) if cut.statement is not None else None,
        policy_digest=key_policy.digest(cut.former) if cut.statement is not None else None,
        policy=cut.former if cut.statement is not None else None,
    )


def _write_note(note: Note, log: DrillLog) -> Procedure[None]:
    """Write the note; when that is unclear it is taken back, since nothing was cut yet."""
    try:
        yield WriteNote(note)
    except EkmError:
        try:
            yield DeleteNote(note.id)
        except EkmError as failure:
            log.note_stands = True
            yield Say(f"The note of the drill may stand, and nothing was cut: {failure.message}")
        raise
    log.note_stands = True
    log.add(Mark.NOTED, (yield Now()), "The note stands: from here on a next run gives back.")


def _cut(plan: Plan, log: DrillLog, sent: list[bool]) -> Procedure[None]:
    """Take access away, if everything is still as it was checked."""
    cut = plan.cut
    now: ExternalKey = yield FetchKey(plan.key.id)
    if (now.api_project_ids, now.workspace_id) != (plan.key.api_project_ids, ""):
        raise _move(f"The projects on {now.id} changed while the drill was being prepared.")
    if cut.text is not None:
        if (yield ReadPolicy(cut.key_arn)) != cut.former:
            raise _move("The key policy was changed while the drill was being prepared.")
        sent[0] = True
        yield PutPolicy(cut.key_arn, cut.text, cuts=True)
        said = f"The statement {key_policy.SID} is in the key policy."
    else:
        if (yield ReadState(cut.key_arn)) != "Enabled":
            raise _move("The key's state was changed while the drill was being prepared.")
        # It changes nothing on an enabled key, and is the surest test of the way back.
        yield EnableKey(cut.key_arn)
        sent[0] = True
        yield DisableKey(cut.key_arn)
        said = "The key is disabled."
    log.add(Mark.CUT, (yield Now()), said)
    yield Say(f"Cut. {said} Ctrl-C gives access back at once.")


def _refusal(id: str, order: Order, note: Note, log: DrillLog) -> Procedure[None]:
    """Ask OpenAI until it refuses because of the cut."""
    until = (yield Now()).seconds + order.wait
    attempt = 0
    while True:
        refusal = yield from _ask_openai(id, order.method, log)
        if refusal is not None:
            log.refusal = refusal.message
            log.refusal_request_id = refusal.request_id
            log.add(Mark.REFUSED, (yield Now()), "OpenAI is refused, by the cut.")
            yield Say("OpenAI is refused, as it should be.")
            return
        left = until - (yield Now()).seconds
        if left <= 0:
            yield from _check_cut_stands(note, log)
            log.add(Mark.NOT_REFUSED, (yield Now()), "OpenAI was not refused.")
            raise CheckFailed(
                "drill_not_refused",
                f"The cut stood for {order.wait:.0f} s, and OpenAI could still use the key.",
                at_fault=note.key_arn,
                remedy="This kill switch does not work: look with `ekm diagnose` at what still "
                "allows it, and rehearse with the other --by. KMS may take some minutes (--wait).",
            )
        yield Wait(ask_again_in(attempt, left), "OpenAI is not refused yet; asking again.")
        attempt += 1


def _hold(id: str, order: Order, note: Note, log: DrillLog) -> Procedure[None]:
    """Keep the cut for as long as was asked, looking now and then, and at the end."""
    if order.hold <= 0:
        return
    until = (yield Now()).seconds + order.hold
    while True:
        left = until - (yield Now()).seconds
        if left <= 0:
            break
        yield Wait(min(left, LOOK_EVERY), f"Holding the cut for {left:.0f} s more; Ctrl-C ends it.")
        yield from _check_cut_stands(note, log)
    if (yield from _ask_openai(id, order.method, log)) is None:
        yield from _check_cut_stands(note, log)
        log.add(Mark.NOT_REFUSED, (yield Now()), "OpenAI could use the key during the cut.")
        raise CheckFailed(
            "drill_not_refused",
            f"OpenAI was refused at first, and after {order.hold:.0f} s it was not.",
            at_fault=note.key_arn,
            remedy="`ekm diagnose` shows what allows it now.",
        )
    text = f"After {order.hold:.0f} s OpenAI is still refused."
    log.add(Mark.HELD, (yield Now()), text)
    yield Say(text)


def _ask_openai(id: str, method: Method, log: DrillLog) -> Procedure[EkmError | None]:
    """Return OpenAI's refusal because of the cut; None when it was none.

    Raises:
        EkmError: A refusal for another reason.
    """
    try:
        yield ValidateKey(id)
    except EkmError as failure:
        kind = kind_of(failure)
        if kind in _REFUSED_BY[method] and _is_kms(failure, method):
            return failure
        if kind in _NO_ANSWER:
            return None
        log.refusal = failure.message
        raise
    return None


def _is_kms(failure: EkmError, method: Method) -> bool:
    """Return whether the words are about the key's use, and not about assuming the role."""
    return method is Method.DISABLE_KEY or "sts:AssumeRole" not in failure.message


def _check_cut_stands(note: Note, log: DrillLog) -> Procedure[None]:
    """Raise when somebody else gave access back: a `terraform apply` does."""
    what = f"The statement {key_policy.SID} is not in the key policy any more."
    if note.method is Method.DISABLE_KEY:
        what = "The key is enabled again."
    for delay in (SETTLES, 0.0):
        if note.method is Method.KEY_POLICY:
            stands = key_policy.holds_statement((yield ReadPolicy(note.key_arn)))
        else:
            stands = (yield ReadState(note.key_arn)) != "Enabled"
        if stands:
            return
        if delay:  # KMS may show a change late: the cut of a moment ago as well
            yield Wait(delay, f"{what} Looking again.")
    log.add(Mark.UNDONE, (yield Now()), what)
    raise CheckFailed(
        "drill_undone_by_others",
        f"{what} Somebody else gave access back during the drill.",
        at_fault=note.key_arn,
        remedy="A `terraform apply` does that: see that none runs, then repeat the drill. "
        "CloudTrail names who (PutKeyPolicy, EnableKey).",
    )


def _move(what: str) -> Conflict:
    return Conflict(
        "drill_key_changed",
        f"{what} Nothing was cut.",
        at_fault="KMS key",
        remedy="See that nobody else changes the key, then run again.",
    )
