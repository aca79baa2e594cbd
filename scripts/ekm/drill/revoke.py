"""The drill: look, note, cut, see the refusal, hold, give back, see recovery. Pure.

Source: wire contract 1.5 and 3.3 (validate asks the cloud now; data keys are cached for an hour);
design section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ekm.admin_api.refusals import Kind, kind_of
from ekm.drill import document, targets
from ekm.drill.diary import Diary, Mark
from ekm.drill.note import Method, Note
from ekm.drill.restore import SETTLES, ask_again_in, ended, recovered
from ekm.drill.safety import Cut, checked
from ekm.drill.steps import (
    DeleteNote,
    DisableKey,
    EnableKey,
    FetchKey,
    Interrupted,
    ListKeys,
    ListProjects,
    LookAtAws,
    Now,
    PutPolicy,
    ReadNote,
    ReadPolicy,
    ReadRecord,
    ReadState,
    Say,
    Shield,
    ValidateKey,
    Wait,
    WriteNote,
)
from ekm.errors import CheckFailed, Conflict, EkmError
from ekm.registrar.patience import claimed

if TYPE_CHECKING:
    from ekm.admin_api.objects import ExternalKey
    from ekm.drill.safety import Sight
    from ekm.drill.steps import Protocol
    from ekm.drill.targets import Target
    from ekm.registrar.record import Record

__all__ = ["CACHE", "Order", "Plan", "look", "revoke"]

CACHE: Final = 3600.0  # seconds for which OpenAI keeps data keys. Source: wire contract 3.3
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
    """What a run of `revoke` is asked for.

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
    """What a drill would do, every check but the confirmation passed.

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


def look(order: Order, diary: Diary) -> Protocol[Plan]:
    """Look at everything that a drill depends on, and change nothing.

    Raises:
        EkmError: There is a reason not to cut, whatever was confirmed.
    """
    record, known = targets.check_record(order.place, (yield ReadRecord()))
    key: ExternalKey = yield FetchKey(known)
    diary.external_key_id = key.id
    targets.check_registration(order.place, record, key)
    listed: tuple[ExternalKey, ...] = yield ListKeys()
    projects = targets.targets(key, (yield ListProjects()))
    diary.projects = projects
    sight: Sight = yield LookAtAws(record.intent)
    cut = checked(sight, record.intent, order.method)
    targets.check_others(key, listed, cut.key_arn, cut.aliases)
    diary.method = order.method
    diary.key_arn = cut.key_arn
    diary.role_arn = record.intent.role_arn
    diary.caller = sight.caller
    diary.unseen = cut.unseen
    if cut.statement is not None:
        diary.policy_before = document.digest(cut.former)
    return Plan(record, key, projects, cut, sight.caller)


def revoke(order: Order, diary: Diary) -> Protocol[None]:
    """Rehearse the kill switch.

    Whatever happens after the note was written, access is given back before this ends; where
    that fails, the note stands.

    Raises:
        Conflict: Not confirmed, or a reason not to cut; nothing was changed.
        CheckFailed: OpenAI did not refuse; somebody undid the cut; access is not back.
        EkmError: Anything else; access is back unless the error is `drill_not_restored` or
            `drill_policy_stuck`.
        Interrupted: After access was given back.
    """
    yield from claimed(order.place, order.wait)
    begun = yield Now()
    diary.add(Mark.BEGUN, begun, "The drill began.")
    standing: Note | None = yield ReadNote()
    if standing is not None:
        yield from _end_standing(standing, diary, order)
    plan = yield from look(order, diary)
    targets.check_confirmed(plan.key, plan.projects, order.confirm, order.interrupt)
    yield ValidateKey(plan.key.id)
    diary.add(Mark.VALIDATED, (yield Now()), "OpenAI can use the key before the drill.")
    note = _note(order, plan, begun.at)
    diary.drill_id = order.id
    yield from _noted(note, diary)
    sent = [False]
    trouble: BaseException | None = None
    try:
        yield from _cut(plan, diary, sent)
        yield from _refused(plan.key.id, order, note, diary)
        yield from _held(plan.key.id, order, note, diary)
    except GeneratorExit:
        raise
    except BaseException as failure:  # noqa: BLE001 - access is given back whatever it was
        trouble = failure
    yield from _finished(note, plan, order, diary, trouble, cut_was_sent=sent[0])


def _finished(
    note: Note,
    plan: Plan,
    order: Order,
    diary: Diary,
    trouble: BaseException | None,
    *,
    cut_was_sent: bool,
) -> Protocol[None]:
    if trouble is not None:
        yield Shield(on=True)
        mark = Mark.INTERRUPTED if isinstance(trouble, Interrupted) else Mark.FAILED
        diary.add(mark, (yield Now()), str(trouble) or type(trouble).__name__)
    if cut_was_sent:
        yield from ended(note, diary, former=plan.cut.former)
    else:
        yield DeleteNote(note.id)
        diary.note_stands = False
    if trouble is None:
        yield from recovered(plan.key.id, diary, order.wait)
        return
    if cut_was_sent and isinstance(trouble, EkmError):
        try:
            yield from recovered(plan.key.id, diary, order.wait)
        except EkmError as failure:
            yield Say(failure.message)
    raise trouble


def _end_standing(note: Note, diary: Diary, order: Order) -> Protocol[None]:
    """A drill that did not end itself is ended, and nothing else is done in this run."""
    diary.drill_id, diary.method = note.id, note.method
    diary.external_key_id, diary.key_arn = note.external_key_id, note.key_arn
    diary.role_arn, diary.policy_before = note.role_arn, note.policy_digest
    diary.note_stands = True
    yield Say(f"A drill of {note.begun_at} (by {note.caller}, on {note.host}) has not ended.")
    yield from ended(note, diary, former=note.policy)
    yield from recovered(note.external_key_id, diary, order.wait)
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
        policy_digest=document.digest(cut.former) if cut.statement is not None else None,
        policy=cut.former if cut.statement is not None else None,
    )


def _noted(note: Note, diary: Diary) -> Protocol[None]:
    """Write the note; when that is unclear it is taken back, since nothing was cut yet."""
    try:
        yield WriteNote(note)
    except EkmError:
        try:
            yield DeleteNote(note.id)
        except EkmError as failure:
            diary.note_stands = True
            yield Say(f"The note of the drill may stand, and nothing was cut: {failure.message}")
        raise
    diary.note_stands = True
    diary.add(Mark.NOTED, (yield Now()), "The note stands: from here on a next run gives back.")


def _cut(plan: Plan, diary: Diary, sent: list[bool]) -> Protocol[None]:
    """Take access away, if everything is still as it was checked."""
    cut = plan.cut
    now: ExternalKey = yield FetchKey(plan.key.id)
    if (now.api_project_ids, now.workspace_id) != (plan.key.api_project_ids, ""):
        raise _moved(f"The projects on {now.id} changed while the drill was being prepared.")
    if cut.text is not None:
        if (yield ReadPolicy(cut.key_arn)) != cut.former:
            raise _moved("The key policy was changed while the drill was being prepared.")
        sent[0] = True
        yield PutPolicy(cut.key_arn, cut.text, cuts=True)
        said = f"The statement {document.SID} is in the key policy."
    else:
        if (yield ReadState(cut.key_arn)) != "Enabled":
            raise _moved("The key's state was changed while the drill was being prepared.")
        # It changes nothing on an enabled key, and is the surest test of the way back.
        yield EnableKey(cut.key_arn)
        sent[0] = True
        yield DisableKey(cut.key_arn)
        said = "The key is disabled."
    diary.add(Mark.CUT, (yield Now()), said)
    yield Say(f"Cut. {said} Ctrl-C gives access back at once.")


def _refused(id: str, order: Order, note: Note, diary: Diary) -> Protocol[None]:
    """Ask OpenAI until it refuses because of the cut."""
    until = (yield Now()).seconds + order.wait
    attempt = 0
    while True:
        refusal = yield from _asked(id, order.method, diary)
        if refusal is not None:
            diary.refusal = refusal.message
            diary.refusal_request_id = refusal.request_id
            diary.add(Mark.REFUSED, (yield Now()), "OpenAI is refused, by the cut.")
            yield Say("OpenAI is refused, as it should be.")
            return
        left = until - (yield Now()).seconds
        if left <= 0:
            yield from _check_cut_stands(note, diary)
            diary.add(Mark.NOT_REFUSED, (yield Now()), "OpenAI was not refused.")
            raise CheckFailed(
                "drill_not_refused",
                f"The cut stood for {order.wait:.0f} s, and OpenAI could still use the key.",
                at_fault=note.key_arn,
                remedy="This kill switch does not work: look with `ekm diagnose` at what still "
                "allows it, and rehearse with the other --by. KMS may take some minutes (--wait).",
            )
        yield Wait(ask_again_in(attempt, left), "OpenAI is not refused yet; asking again.")
        attempt += 1


def _held(id: str, order: Order, note: Note, diary: Diary) -> Protocol[None]:
    """Keep the cut for as long as was asked, looking now and then, and at the end."""
    if order.hold <= 0:
        return
    until = (yield Now()).seconds + order.hold
    while True:
        left = until - (yield Now()).seconds
        if left <= 0:
            break
        yield Wait(min(left, LOOK_EVERY), f"Holding the cut for {left:.0f} s more; Ctrl-C ends it.")
        yield from _check_cut_stands(note, diary)
    if (yield from _asked(id, order.method, diary)) is None:
        yield from _check_cut_stands(note, diary)
        diary.add(Mark.NOT_REFUSED, (yield Now()), "OpenAI could use the key during the cut.")
        raise CheckFailed(
            "drill_not_refused",
            f"OpenAI was refused at first, and after {order.hold:.0f} s it was not.",
            at_fault=note.key_arn,
            remedy="`ekm diagnose` shows what allows it now.",
        )
    text = f"After {order.hold:.0f} s OpenAI is still refused."
    diary.add(Mark.HELD, (yield Now()), text)
    yield Say(text)


def _asked(id: str, method: Method, diary: Diary) -> Protocol[EkmError | None]:
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
        diary.refusal = failure.message
        raise
    return None


def _is_kms(failure: EkmError, method: Method) -> bool:
    """Whether the words are about the key's use, and not about assuming the role."""
    return method is Method.DISABLE_KEY or "sts:AssumeRole" not in failure.message


def _check_cut_stands(note: Note, diary: Diary) -> Protocol[None]:
    """Raise when somebody else gave access back: a `terraform apply` does."""
    what = f"The statement {document.SID} is not in the key policy any more."
    if note.method is Method.DISABLE_KEY:
        what = "The key is enabled again."
    for delay in (SETTLES, 0.0):
        if note.method is Method.KEY_POLICY:
            stands = document.holds_statement((yield ReadPolicy(note.key_arn)))
        else:
            stands = (yield ReadState(note.key_arn)) != "Enabled"
        if stands:
            return
        if delay:  # KMS may show a change late: the cut of a moment ago as well
            yield Wait(delay, f"{what} Looking again.")
    diary.add(Mark.UNDONE, (yield Now()), what)
    raise CheckFailed(
        "drill_undone_by_others",
        f"{what} Somebody else gave access back during the drill.",
        at_fault=note.key_arn,
        remedy="A `terraform apply` does that: see that none runs, then repeat the drill. "
        "CloudTrail names who (PutKeyPolicy, EnableKey).",
    )


def _moved(what: str) -> Conflict:
    return Conflict(
        "drill_key_changed",
        f"{what} Nothing was cut.",
        at_fault="KMS key",
        remedy="See that nobody else changes the key, then run again.",
    )
