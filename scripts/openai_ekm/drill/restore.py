"""Giving access back: at the end of a drill, after a failure, after a crash. It can be repeated.

Nothing here is interrupted, needs the lease, or asks OpenAI before AWS says that access is back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openai_ekm.drill import key_policy
from openai_ekm.drill.key_policy import Found
from openai_ekm.drill.log import DrillLog, Mark
from openai_ekm.drill.note import Method, Note
from openai_ekm.drill.steps import (
    DeferInterrupts,
    DeleteNote,
    EnableKey,
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
)
from openai_ekm.errors import CheckFailed, Conflict, EkmError, NotReachable
from openai_ekm.openai_api import Kind, kind_of
from openai_ekm.registration.iam_wait import take_claim

if TYPE_CHECKING:
    from openai_ekm.drill.preflight import AwsView
    from openai_ekm.drill.steps import Procedure
    from openai_ekm.registration.intent import Intent

__all__ = ["Asked", "ask_again_in", "copy_note", "end_drill", "restore", "wait_for_recovery"]

# Seconds before each new try at giving access back; botocore has repeated each call by then.
TRIES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# Seconds between two looks for what was put: KMS shows a change late now and then.
LOOKS: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
SETTLES: Final = 5.0  # seconds in which KMS shows a change; "usually within a few seconds"
# Seconds before each new question to OpenAI; the last one goes on. Not the registrar's moments
# (registration/iam_wait): those are for IAM, which takes minutes, and for a window that is empty;
# KMS takes seconds, and a drill asks in the same window before the cut, after it and at the end.
_DELAYS: Final = (1.0, 2.0, 4.0, 8.0, 12.0, 15.0)
_TRANSIENT: Final = frozenset(
    {Kind.AWS_DENIED, Kind.AWS_KEY_UNUSABLE, Kind.AWS_TRANSIENT, Kind.NOT_VALIDATED}
    | {Kind.AMBIGUOUS, Kind.UNREACHABLE, Kind.RATE_LIMITED}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a run of `restore`.

    Args:
        place: Where the record is.
        wait: Seconds to wait for another run, and for OpenAI to use the key again.
        validate: Whether to ask OpenAI at the end.
    """

    place: str
    wait: float
    validate: bool = True


def restore(asked: Asked, log: DrillLog) -> Procedure[bool]:
    """End a drill that did not end itself.

    Returns:
        Whether there was one.

    Raises:
        EkmError: As `give_back` and `recovered`; the note stands unless access is back.
    """
    yield from take_claim(asked.place, asked.wait)
    log.add(Mark.BEGUN, (yield Now()), "The run began.")
    note: Note | None = yield ReadNote()
    noted = note is not None
    if note is None:
        note = yield from _without_note(log)
    if note is None:
        return False
    copy_note(note, log)
    log.note_stands = noted
    yield Say(f"A drill of {note.begun_at} (by {note.caller}, on {note.host}) has not ended.")
    yield from end_drill(note, log, former=note.policy)
    if asked.validate:
        yield from wait_for_recovery(note.external_key_id, log, asked.wait)
    return True


def end_drill(note: Note, log: DrillLog, *, former: str | None) -> Procedure[None]:
    """Give access back, then delete the note; not interrupted on the way.

    Raises:
        Conflict: Another's change stands in the way; the note stands.
        CheckFailed: AWS did not do it; the note stands.
    """
    yield DeferInterrupts(on=True)
    log.add(Mark.RESTORING, (yield Now()), _WAY_BACK[note.method])
    try:
        how = yield from give_back(note, log, former)
    except EkmError as failure:
        # The shield stays: an interruption must not hide that access is still cut.
        log.add(Mark.NOT_RESTORED, (yield Now()), failure.message)
        raise
    log.add(Mark.RESTORED, (yield Now()), how)
    yield Say(how)
    yield DeleteNote(note.id)
    log.note_stands = False
    log.add(Mark.NOTE_DELETED, (yield Now()), "The note of the drill was deleted.")
    yield DeferInterrupts(on=False)


def give_back(note: Note, log: DrillLog, former: str | None) -> Procedure[str]:
    """Give access back, trying again where AWS fails.

    Args:
        note: The drill's.
        log: Gets what was found.
        former: The key policy before the cut, to the letter, where it is known.

    Returns:
        How, in a sentence.

    Raises:
        Conflict: The policy holds what this run must not decide about.
        CheckFailed: AWS refused or failed to the end.
    """
    for delay in (*TRIES, None):
        try:
            if note.method is Method.DISABLE_KEY:
                return (yield from _enable_key(note))
            return (yield from _policy_back(note, log, former))
        except Conflict:
            raise
        except EkmError as failure:
            if delay is None:
                raise CheckFailed(
                    "drill_not_restored",
                    f"Access to {note.key_arn} could not be given back: {failure.message} "
                    "The note of the drill stands.",
                    at_fault=note.key_arn,
                    remedy=f"Run `ekm drill restore` as soon as AWS answers; {failure.remedy or ''}"
                    " Or by hand, as docs/drill.md says.",
                ) from failure
            yield Wait(delay, f"Giving access back failed: {failure.message} Trying again.")
    raise AssertionError  # the loop ends in a return or an error


def ask_again_in(attempt: int, left: float) -> float:
    """Return the seconds until OpenAI is asked again, with `left` seconds to go. Pure."""
    return min(left, _DELAYS[min(attempt, len(_DELAYS) - 1)])


def wait_for_recovery(external_key_id: str, log: DrillLog, wait: float) -> Procedure[None]:
    """Ask OpenAI until it can use the key again.

    Raises:
        EkmError: It cannot, after `wait` seconds; access is back as far as AWS goes.
    """
    until = (yield Now()).seconds + wait
    attempt = 0
    while True:
        try:
            yield ValidateKey(external_key_id)
        except EkmError as failure:
            left = until - (yield Now()).seconds
            if left <= 0 or kind_of(failure) not in _TRANSIENT:
                log.add(Mark.NOT_RECOVERED, (yield Now()), failure.message)
                raise NotReachable(
                    "drill_not_recovered",
                    f"AWS shows access as it was, and OpenAI cannot use the key after "
                    f"{wait:.0f} s: {failure.message}",
                    at_fault=failure.at_fault,
                    remedy="`ekm diagnose` names the statement at fault; `ekm validate` asks "
                    "again. KMS may take some minutes.",
                    request_id=failure.request_id,
                ) from failure
            yield Wait(ask_again_in(attempt, left), "OpenAI cannot use the key yet; asking again.")
            attempt += 1
        else:
            log.add(Mark.RECOVERED, (yield Now()), "OpenAI can use the key again.")
            return


_WAY_BACK: Final = {
    Method.KEY_POLICY: f"Taking the statement {key_policy.SID} out of the key policy.",
    Method.DISABLE_KEY: "Enabling the key.",
}


def _enable_key(note: Note) -> Procedure[str]:
    yield EnableKey(note.key_arn)
    for look in LOOKS:
        if look:
            yield Wait(look, "Waiting for KMS to show the key as enabled.")
        if (yield ReadState(note.key_arn)) == "Enabled":
            return "The key is enabled."
    raise CheckFailed("drill_not_restored", f"KMS does not show {note.key_arn} as Enabled.")


def _policy_back(note: Note, log: DrillLog, former: str | None) -> Procedure[str]:
    current: str = yield ReadPolicy(note.key_arn)
    change = key_policy.without_statement(current, note.statement or {}, former, note.policy_digest)
    if change.found is Found.REPLACED:
        # Nothing of ours to take out, or not yet shown: only a second look can tell.
        yield Wait(SETTLES, "The key policy was changed by somebody else; looking again.")
        current = yield ReadPolicy(note.key_arn)
        change = key_policy.without_statement(
            current, note.statement or {}, former, note.policy_digest
        )
    if log.policy_found is None:
        log.policy_found = change.found.value
    if change.found in {Found.AS_BEFORE, Found.REPLACED} and log.has(Mark.REFUSED):
        yield from _not_shown(log)
    if change.text is not None:
        # Also when the statement is not shown: a cut of a moment ago may show late, and what is
        # put last counts.
        yield PutPolicy(note.key_arn, change.text)
    for look in LOOKS:
        if look:
            yield Wait(look, "Waiting for KMS to show the key policy without the statement.")
        after: str = yield ReadPolicy(note.key_arn)
        if not key_policy.holds_statement(after):
            log.policy_after = key_policy.digest(after)
            return _how(change.found, note.policy_digest == log.policy_after)
    raise CheckFailed(
        "drill_not_restored", f"KMS still shows {key_policy.SID} in the policy of {note.key_arn}."
    )


def _not_shown(log: DrillLog) -> Procedure[None]:
    if not log.has(Mark.NOT_SHOWN):
        text = (
            "KMS showed the key policy without the drill's statement: somebody else took it out "
            "(a `terraform apply` does), or KMS shows it late."
        )
        log.add(Mark.NOT_SHOWN, (yield Now()), text)
        yield Say(text)


def _how(found: Found, as_before: bool) -> str:
    if as_before:
        return "The key policy is what it was before the drill."
    if found is Found.REPLACED:
        return "The key policy has no statement of the drill; somebody changed it meanwhile."
    return (
        "The statement of the drill is out of the key policy, which somebody else changed "
        "meanwhile; their change stands."
    )


def _without_note(log: DrillLog) -> Procedure[Note | None]:
    """Return the note of a drill whose note was lost, from its statement in the key policy."""
    record = yield ReadRecord()
    if record is None or record.external_key_id is None:
        return None
    intent: Intent = record.intent
    aws_view: AwsView = yield ReadAws(intent)
    keys = aws_view.snapshot.keys
    policy = keys[0].policy if isinstance(keys, tuple) and keys else None
    if not isinstance(policy, str) or not key_policy.holds_statement(policy):
        return None
    now = yield Now()
    log.caller = aws_view.caller
    assert isinstance(keys, tuple)  # nosec B101 # narrows the type
    return Note(
        id="lost",
        begun_at="an unknown time",
        method=Method.KEY_POLICY,
        caller="somebody",
        host=f"an unknown machine; its statement was found at {now.at}",
        external_key_id=record.external_key_id,
        key_arn=keys[0].arn,
        role_arn=intent.role_arn,
        statement=key_policy.statement_for(intent.role_arn),
    )


def copy_note(note: Note, log: DrillLog) -> None:
    """Tell the log what a note says."""
    log.drill_id = note.id
    log.method = note.method
    log.external_key_id = note.external_key_id
    log.key_arn = note.key_arn
    log.role_arn = note.role_arn
    log.policy_before = note.policy_digest
