"""A comparison as JSON, and as a report for people, CI servers and code scanning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.drift.checks import CHECKS
from openai_ekm.drift.difference import Difference, State
from openai_ekm.registration.record import timestamp
from openai_ekm.reports.finding import Finding, Place, Report, Rule, sentence
from openai_ekm.reports.finding import State as Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.drift.compare import Drift
    from openai_ekm.proof.result import Counterexample

__all__ = [
    "RULES",
    "SCHEMA",
    "SHOWN",
    "UNDECIDED",
    "answer_of",
    "as_json",
    "remedy_of",
    "report_of",
]

SCHEMA: Final = "ekm-drift/1"
SHOWN: Final = 3  # examples of each direction that a person is shown; the JSON has more
_KMS: Final = "https://docs.aws.amazon.com/kms/latest/developerguide"
_IAM: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_OPENAI: Final = "https://help.openai.com/en/articles/20000947"
_PAGES: Final = {"aws": f"{_KMS}/control-access.html", "openai": _OPENAI}
_HELP: Final = (
    "The message says what differs, and the remedy what to do. `ekm drift accept` accepts exactly "
    "this difference for a reason, until a day. docs/operate/drift.md of the module has each check."
)
RULES: Final = {
    name: Rule(
        id=f"EKM{200 + number}/drift/{name}",
        name=f"drift/{name}",
        short=f"{check.title}.",
        full=f"What is there differs from what was meant: {check.title}.",
        help=_HELP,
        page=_PAGES[check.side],
        level="error",
        severity="8.0" if check.security else None,
        tags=("security", "drift") if check.security else ("drift",),
    )
    for number, (name, check) in enumerate(CHECKS.items(), 1)
}
_OPEN_TEXT: Final = "Drift is undecided: something was not seen, or nothing says what was meant."
UNDECIDED: Final = Rule(
    id="EKM200/drift/undecided",
    name="drift/undecided",
    short=_OPEN_TEXT,
    full=_OPEN_TEXT,
    help="Look as somebody who may read what the message names.",
    page=f"{_IAM}/access_policies_testing-policies.html",
    level="none",
    tags=("not-seen",),
)
_ANSWERS: Final = {
    State.DRIFT: Answer.FAILS,
    State.ACCEPTED: Answer.REVIEWED,
    State.UNDECIDED: Answer.UNDECIDED,
}


def answer_of(differences: tuple[Difference, ...]) -> str:
    """Return one answer: `drift` before `undecided` before `accepted` before `same`.

    Args:
        differences: Of a check, or of all.
    """
    states = {each.state for each in differences if not _is_accepted_undecided(each)}
    if State.DRIFT in states:
        return "drift"
    if State.UNDECIDED in states:
        return "undecided"
    return "accepted" if any(each.accepted for each in differences) else "same"


def _is_accepted_undecided(difference: Difference) -> bool:
    return difference.state is State.UNDECIDED and difference.accepted is not None


def remedy_of(difference: Difference) -> str | None:
    """Return what to do about a difference; None where there is nothing to do.

    Args:
        difference: What differs.
    """
    if difference.state in {State.ACCEPTED, State.NO_EFFECT} or difference.accepted is not None:
        return None
    return sentence(difference.remedy or CHECKS[difference.check].remedy)


def as_json(drift: Drift) -> dict[str, Any]:
    """Return the JSON of `ekm drift`.

    Args:
        drift: What was compared.
    """
    whole = answer_of(drift.differences)
    registration = drift.meant.snapshot.registration
    return {
        "schema": SCHEMA,
        "answer": "same" if whole == "accepted" else whole,
        "at": timestamp(drift.at),
        "of": {
            "instance": drift.meant.instance,
            "role_arn": drift.subject.role_arn,
            "kms_arn": drift.subject.kms_arn,
            "external_id": registration.external_id,
            "record": drift.record,
        },
        "meant": drift.meant.source,
        "checks": [
            {
                "id": name,
                "title": CHECKS[name].title,
                "side": CHECKS[name].side,
                "answer": answer_of(drift.of(name)),
            }
            for name in drift.checks
        ],
        "differences": [_difference(each, drift) for each in drift.differences],
        "expired": [each.summary() for each in drift.expired],
        "unused": [each.summary() for each in drift.unused],
        "notes": list(drift.notes),
    }


def _difference(each: Difference, drift: Drift) -> dict[str, Any]:
    return {
        "id": each.id(drift.subject),
        "check": each.check,
        "subject": each.subject,
        "state": each.state.value,
        "message": each.message,
        "remedy": remedy_of(each),
        "meant": each.meant,
        "observed": each.observed,
        "requests": [
            {"change": change, **found.as_json()}
            for change, all_found in (("more", each.more), ("less", each.less))
            for found in all_found
        ],
        "accepted": None if each.accepted is None else each.accepted.as_json(),
    }


def report_of(drift: Drift, *, file: str = ".", line: int = 1) -> Report:
    """Turn what was compared into a report.

    Args:
        drift: What was compared.
        file: A file that a person can open, relative to the repository, or a `file:` URI.
        line: The line of it at which the differences are shown.
    """
    return Report(
        tool="ekm drift",
        subject=drift.meant.instance,
        identity=drift.meant.instance or drift.subject.role_arn,
        findings=tuple(_findings(drift)),
        rules=tuple(RULES.values()),
        undecided=UNDECIDED,
        file=file,
        line=line,
        notes=tuple(_notes(drift)),
    )


def _findings(drift: Drift) -> Iterator[Finding]:
    for name in drift.checks:
        found = [each for each in drift.of(name) if each.state is not State.NO_EFFECT]
        if not found:
            yield Finding(name, CHECKS[name].title, Answer.HOLDS, RULES[name])
        for each in found:
            yield _finding(each, drift)


def _finding(each: Difference, drift: Drift) -> Finding:
    own = each.id(drift.subject)
    reason = each.accepted
    state = _ANSWERS[each.state]
    if each.state is State.UNDECIDED and reason is not None:
        state = Answer.ACCEPTED
    told = None
    if reason is not None:
        by = f" ({reason.by}, until {reason.expires})" if reason.by is not None else ""
        told = f"{reason.reason}{by}"
    details = [
        row
        for label, found in (("more", each.more), ("less", each.less))
        for one in found[:SHOWN]
        for row in _request(label, one)
    ]
    if state is Answer.FAILS or (state is Answer.UNDECIDED and each.observed is not None):
        details.append(("id", own))
    return Finding(
        id=each.check,
        title=CHECKS[each.check].title,
        state=state,
        rule=RULES[each.check],
        message=each.message,
        remedy=remedy_of(each),
        details=tuple(details),
        places=(Place(path=each.subject, key=own),),
        unseen=(each.subject,) if each.state is State.UNDECIDED else (),
        reason=told,
        properties={"id": own},
    )


def _request(label: str, found: Counterexample) -> Iterator[tuple[str, str]]:
    """Yield a request and the statements that allow it, a line each."""
    request = found.request
    context = f" with {json.dumps(dict(request.context))}" if request.context else ""
    yield label, f"{request.action} by {request.principal} on {request.resource}{context}"
    for each in found.statements:
        yield "by", f"{each.effect} in {each}"


def _notes(drift: Drift) -> Iterator[str]:
    for each in drift.differences:
        if each.state is State.NO_EFFECT:
            yield f"({each.check}) {each.message}"
    for entry in drift.expired:
        yield f"The acceptance of {entry.id} ended on {entry.expires}: {entry.reason}"
    for entry in drift.unused:
        yield f"Nothing needs the acceptance of {entry.id} any more: take it out of the baseline."
    yield from drift.notes
