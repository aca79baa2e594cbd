"""Accept differences of a report: exactly those that somebody saw, for a reason, until a day.

The report is read as text of a stranger: the id of each difference must be that of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from openai_ekm.drift.baseline import LONGEST, MOST, Entry
from openai_ekm.drift.checks import CHECKS
from openai_ekm.drift.difference import ID, State, Subject, identify
from openai_ekm.drift.report import SCHEMA
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_json

__all__ = ["accept", "check_expiry", "merge", "read_report"]

_NEEDED: Final = ("id", "check", "subject", "state", "meant", "observed")
_STATES: Final = [each.value for each in State]


def read_report(content: bytes, place: str) -> tuple[Subject, tuple[Mapping[str, Any], ...]]:
    """Read what `ekm drift --json` printed.

    Args:
        content: Of the file.
        place: Its name, for messages.

    Returns:
        The role and the key; and the differences, each of which has the id of its values.

    Raises:
        BadInput: It is no such report, or was changed.
    """
    try:
        value = read_json(content)
    except UnreadableJsonError as error:
        raise _malformed(place, str(error)) from None
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise _malformed(place, f"is not of the schema {SCHEMA}")
    of, found = value.get("of"), value.get("differences")
    if not isinstance(of, Mapping) or not isinstance(found, list):
        raise _malformed(place, "lacks the members of and differences")
    role, key = of.get("role_arn"), of.get("kms_arn")
    if not isinstance(role, str) or not isinstance(key, str):
        raise _malformed(place, "does not say the role and the key")
    subject = Subject(role, key)
    for index, each in enumerate(found):
        if not isinstance(each, Mapping) or any(name not in each for name in _NEEDED):
            raise _malformed(place, f"has differences[{index}] that lacks a member")
        if not isinstance(each["subject"], str) or str(each["check"]) not in CHECKS:
            raise _malformed(place, f"has differences[{index}] of a check that is not known")
        if each["state"] not in _STATES:
            raise _malformed(place, f"has differences[{index}] of a state that is not known")
        if each["id"] != _identity(each, subject):
            raise _malformed(place, f"has differences[{index}] whose id is not that of its values")
    return subject, tuple(found)


def check_expiry(text: str, today: date) -> str:
    """Return the last day of an acceptance, checked.

    Args:
        text: As in 2027-03-31.
        today: The present day, in UTC.

    Raises:
        BadInput: It is no day, or over, or too far away.
    """
    wanted = f"a day from today to {today + timedelta(days=LONGEST)}, as in {today.isoformat()}"
    try:
        day = date.fromisoformat(text)
        is_day = day.isoformat() == text
    except ValueError:
        is_day = False
    if not is_day or not today <= day <= today + timedelta(days=LONGEST):
        raise BadInput(
            "drift_expiry_malformed",
            f"--expires {text[:40]!r} must be {wanted}.",
            at_fault="--expires",
            remedy="Choose the day on which somebody is to look again.",
        )
    return text


def accept(
    subject: Subject,
    found: Sequence[Mapping[str, Any]],
    ids: Iterable[str],
    *,
    every: bool,
    reason: str,
    by: str,
    today: date,
    expires: str,
) -> tuple[Entry, ...]:
    """Return an entry for each difference that is accepted.

    Args:
        subject: The role and the key.
        found: The differences of a report.
        ids: Those to accept.
        every: Accept every one that is drift.
        reason: Why.
        by: Who.
        today: The present day, in UTC.
        expires: The last day.

    Raises:
        BadInput: A difference is not in the report, or is none that can be accepted.
    """
    by_id = {str(each["id"]): each for each in found}
    drifting = [
        name for name, each in by_id.items() if every and each["state"] == State.DRIFT.value
    ]
    wanted = list(dict.fromkeys([*ids, *drifting]))
    if not wanted:
        raise BadInput(
            "drift_nothing_to_accept",
            "Nothing is named that could be accepted.",
            at_fault="--difference",
            remedy="Name a difference by its id with --difference, or give --all; the report has "
            "the ids.",
        )
    entries: list[Entry] = []
    for each in wanted:
        if each not in by_id:
            raise BadInput(
                "drift_difference_unknown",
                f"The report has no difference {each[:80]!r}.",
                at_fault="--difference",
                remedy="Take the id from this report: another value has another id.",
            )
        difference = by_id[each]
        _check_acceptable(difference)
        entries.append(
            Entry(
                id=each,
                check=difference["check"],
                subject=difference["subject"],
                role_arn=subject.role_arn,
                kms_arn=subject.kms_arn,
                meant=difference["meant"],
                observed=difference["observed"],
                reason=reason,
                by=by,
                accepted_on=today.isoformat(),
                expires=expires,
            )
        )
    return tuple(entries)


def _check_acceptable(difference: Mapping[str, Any]) -> None:
    state = difference["state"]
    seen = difference["observed"] is not None
    if state in {State.DRIFT.value, State.ACCEPTED.value}:
        return
    if state == State.UNDECIDED.value and seen:
        return
    why = "was not seen" if state == State.UNDECIDED.value else "lets nobody do more or less"
    raise BadInput(
        "drift_not_acceptable",
        f"{difference['id']} {why}: there is no value to accept.",
        at_fault="--difference",
        remedy="Accept what is drift, or a document that nothing says the meaning of. What was "
        "not seen is accepted with ekm drift --accept-undecided.",
    )


def merge(before: Iterable[Entry], added: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return a baseline with new entries: one for each place of a set-up.

    Args:
        before: The entries of the file.
        added: New ones. Each replaces what was accepted at its place.

    Raises:
        BadInput: There are too many.
    """
    new = {_place(each) for each in added}
    found = (*(each for each in before if _place(each) not in new), *added)
    if len(found) > MOST:
        raise BadInput(
            "drift_baseline_full",
            f"The baseline would have {len(found)} entries, and at most {MOST} are read.",
            at_fault="--baseline",
            remedy="Take out entries that are over or that nothing needs: `ekm drift` names them.",
        )
    return tuple(sorted(found, key=lambda each: (each.role_arn, each.check, each.subject, each.id)))


def _place(entry: Entry) -> tuple[str, ...]:
    # Several grants to one principal are several differences at one place.
    own = entry.id if entry.check == "grants" else ""
    return entry.role_arn, entry.kms_arn, entry.check, entry.subject, own


def _identity(each: Mapping[str, Any], subject: Subject) -> str | None:
    if not isinstance(each["id"], str) or not ID.fullmatch(each["id"]):
        return None
    return identify(subject, each["check"], each["subject"], each["meant"], each["observed"])


def _malformed(place: str, wrong: str) -> BadInput:
    return BadInput(
        "drift_report_malformed",
        f"The report {place} {wrong}.",
        at_fault=place,
        remedy="Give what `ekm drift --json` printed, whole and unchanged.",
    )
