"""The answers of the queries as the document of `ekm usage --json`; no I/O.

Sources:
https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors,
https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import EXIT_UNDECIDED
from openai_ekm.usage.loading import Unread
from openai_ekm.usage.target import Target, time_text
from openai_ekm.usage.watched import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openai_ekm.usage.loading import Counted

__all__ = ["Cause", "cause_of", "counted", "document", "exit_code"]


@dataclass(frozen=True, slots=True)
class Cause:
    """The meaning of a code.

    Args:
        side: `us` (the owner of the key), `them` (OpenAI), `aws`, or `unknown`.
        diagnosis: A sentence.
        remedy: A sentence.
    """

    side: str
    diagnosis: str
    remedy: str


_DENIED: Final = Cause(
    "us",
    "A policy does not allow the call: the key policy, the role's policies or boundary, an SCP or "
    "an RCP.",
    "`ekm diagnose` names the statement and the smallest fix.",
)
_STATE: Final = Cause(
    "us",
    "The key is in a state in which it cannot be used: disabled, its deletion scheduled, or "
    "without its material.",
    "Enable the key, cancel its deletion, or import its material; `ekm status` shows its state.",
)
_THEIRS: Final = Cause(
    "them",
    "The caller sent what KMS does not take: a wrong ciphertext, key, context or parameter.",
    "If the caller is OpenAI, give your contact there the event's id and time.",
)
_EXPIRED: Final = Cause(
    "them",
    "The caller's credentials have ended or are not valid.",
    "If the caller is OpenAI, it assumes the role anew; tell your contact if it goes on.",
)
_QUOTA: Final = Cause(
    "us",
    "The account's KMS request quota in the Region is used up; all callers share it.",
    "Find the other callers, or ask AWS for a higher quota.",
)
_AWS: Final = Cause(
    "aws",
    "KMS failed within AWS.",
    "Look at AWS Health; OpenAI tries again.",
)
_UNKNOWN: Final = Cause(
    "unknown",
    "This code is not known here.",
    "Read the message of AWS, and the KMS API reference.",
)
_CAUSES: Final[tuple[tuple[str, Cause], ...]] = (
    ("AccessDenied", _DENIED),
    ("Disabled", _STATE),
    ("KMSInvalidState", _STATE),
    ("InvalidState", _STATE),
    (
        "NotFound",
        Cause(
            "us",
            "There is no such key or alias in this account and Region.",
            "Compare the registered ARN with the key: `ekm status`.",
        ),
    ),
    ("KeyUnavailable", _AWS),
    ("DependencyTimeout", _AWS),
    ("KMSInternal", _AWS),
    ("InternalFailure", _AWS),
    ("ServiceUnavailable", _AWS),
    ("Throttling", _QUOTA),
    ("LimitExceeded", _QUOTA),
    ("RequestLimitExceeded", _QUOTA),
    ("ExpiredToken", _EXPIRED),
    ("InvalidClientTokenId", _EXPIRED),
    ("RequestExpired", _EXPIRED),
    ("SignatureDoesNotMatch", _EXPIRED),
    ("InvalidCiphertext", _THEIRS),
    ("IncorrectKey", _THEIRS),
    ("InvalidKeyUsage", _THEIRS),
    ("InvalidGrantToken", _THEIRS),
    ("InvalidArn", _THEIRS),
    ("Validation", _THEIRS),
    ("DryRunOperation", _THEIRS),
)


_MEANT: Final = Cause(
    "them",
    "The policies refuse somebody other than OpenAI, as they are meant to.",
    "Ask who it was why they tried.",
)


def cause_of(code: str, who: str) -> Cause:
    """Return what a code means.

    Args:
        code: It may have the ending `Exception` or not.
        who: openai, others or undecided: a policy is meant to refuse others.
    """
    if who == "others" and code.startswith("AccessDenied"):
        return _MEANT
    return next((cause for prefix, cause in _CAUSES if code.startswith(prefix)), _UNKNOWN)


Rows = list[dict[str, Any]]
MOST: Final = 1000  # of a list; the queries stop there, too
EXIT_OTHERS: Final = 1
_ROWS: Final = ("by_day", "by_operation", "by_principal", "by_session", "by_region")
_FOREIGN: Final = "foreign"


def document(
    target: Target,
    answer: Callable[[str], Rows],
    sources: Sequence[Counted],
    unread: Sequence[Unread],
    covered: tuple[str | None, str | None],
) -> dict[str, Any]:
    """Return the document.

    Args:
        target: What was asked about.
        answer: Returns the rows of a query.
        sources: What was read.
        unread: What could not be.
        covered: The times of the first and the last record that was read.
    """
    keys = [row["key_arn"] for row in answer("keys")]
    if not keys:
        unread = [*unread, Unread(target.kms_arn, "stopped", _UNRESOLVED, 0)]
    others = _listed(answer, "others", _why_other)
    undecided = _listed(answer, "undecided", lambda _: _UNDECIDED)
    complete = all(each.state == _FOREIGN for each in unread)
    (succeeded,) = (row["succeeded"] or 0 for row in answer("others_count"))
    return {
        "holds": succeeded == 0 and undecided["calls"] == 0 and complete,
        "complete": complete,
        "kms_arn": target.kms_arn,
        "role_arn": target.role_arn,
        "key_arns": keys,
        "since": None if target.since is None else time_text(target.since),
        "until": None if target.until is None else time_text(target.until),
        "covered": {"first": covered[0], "last": covered[1]},
        "sources": [asdict(each) for each in sources],
        "unread": {"count": len(unread), "files": [asdict(each) for each in unread[:MOST]]},
        "openai": _openai(answer, undecided["calls"]),
        **{name: [_plain(row) for row in answer(name)] for name in _ROWS},
        "failures": [_failure(row) for row in answer("failures")],
        "others": {"calls": others["calls"], "succeeded": succeeded, "events": others["events"]},
        "undecided": undecided,
        "unattributed": _listed(answer, "unattributed", lambda _: _UNATTRIBUTED),
        "changes": _changes(answer),
    }


def counted(count: int, thing: str) -> str:
    """Return a number with what it counts."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def exit_code(found: Mapping[str, Any]) -> int:
    """Return the exit code of a document: others count before what was not seen."""
    if found["others"]["succeeded"]:
        return EXIT_OTHERS
    return 0 if found["holds"] else EXIT_UNDECIDED


def _openai(answer: Callable[[str], Rows], undecided: int) -> dict[str, Any]:
    (row,) = answer("openai")
    regions = answer("assumptions_by_region")
    assumed = sum(each["calls"] for each in regions)
    failed = int(row["failed"] or 0)
    last_failure = row["last_failure"]
    refused = last_failure is not None and (
        row["last_use"] is None or row["last_use"] < last_failure
    )
    state, side, sentence = "using", None, ""
    last = _time(row["last_use"])
    if refused:
        latest = [
            each
            for each in answer("failures")
            if each["who"] == "openai" and each["last"] == last_failure
        ]
        code = latest[0]["code"] if latest else "unknown"
        cause = cause_of(code, "openai")
        state, side = "refused", cause.side
        sentence = (
            f"OpenAI assumes the role, and KMS refuses it: {code}, last at {_time(last_failure)}. "
            f"{cause.diagnosis}"
        )
    elif row["calls"]:
        worked = row["calls"] - failed
        sentence = f"OpenAI uses the key: {counted(worked, 'call')}, the last at {last}."
        if failed:
            sentence = f"{sentence[:-1]}; {failed} failed before that."
    elif undecided:
        state = "undecided"
        sentence = (
            "Sessions that are, or may be, the role's used the key in "
            f"{counted(undecided, 'call')}. What was read does not say whose they are."
        )
    elif assumed:
        state, side = "assumed", "them"
        sentence = "OpenAI assumes the role, and made no call to the key in what was read."
    else:
        state, side = "absent", "them"
        sentence = (
            "OpenAI has not assumed the role in what was read. A trust policy that refuses OpenAI "
            "leaves no record here: `ekm diagnose` tells."
        )
    return {
        "state": state,
        "sentence": sentence,
        "side": side,
        "first_use": _time(row["first_use"]),
        "last_use": last,
        "calls": row["calls"],
        "failed": failed,
        "assumptions": {
            "calls": assumed,
            "first": _time(min((each["first"] for each in regions), default=None)),
            "last": _time(max((each["last"] for each in regions), default=None)),
            "regions": [{"region": each["region"], "calls": each["calls"]} for each in regions],
        },
        "unlinked_calls": undecided,
    }


def _failure(row: dict[str, Any]) -> dict[str, Any]:
    cause = cause_of(row["code"], row["who"])
    return {
        **_plain(row),
        "side": cause.side,
        "diagnosis": cause.diagnosis,
        "remedy": cause.remedy,
    }


def _listed(
    answer: Callable[[str], Rows], name: str, why: Callable[[dict[str, Any]], str]
) -> dict[str, Any]:
    (counted,) = answer(f"{name}_count")
    events = [{**_event(row), "reason": why(row)} for row in answer(name)]
    return {"calls": counted["calls"], "events": events}


def _changes(answer: Callable[[str], Rows]) -> dict[str, Any]:
    known = {watch.id: watch for watch in watched()}
    (counted,) = answer("changes_count")
    events = [
        {
            "watch": row["watch"],
            "severity": known[row["watch"]].severity,
            "summary": known[row["watch"]].summary,
            **_event(row),
        }
        for row in answer("changes_listed")
    ]
    return {"calls": counted["calls"], "events": events}


def _event(row: dict[str, Any]) -> dict[str, Any]:
    service = str(row["event_source"]).partition(".")[0]
    return {
        "event_id": row["event_id"],
        "time": _time(row["event_time"]),
        "operation": f"{service}:{row['event_name']}",
        "principal": row["principal"],
        "kind": row["kind"],
        "account": row["identity_account"],
        "session": row["identity_arn"],
        "region": row["region"],
        "source_ip": row["source_ip"],
        "user_agent": row["user_agent"],
        "error_code": row["error_code"],
        "error_message": row["error_message"],
    }


_UNRESOLVED: Final = "is an alias, and no record says which key the alias means: give the key's ARN"
_UNDECIDED: Final = (
    "A session of the role, or one that may be: no AssumeRole in what was read says whose it is."
)
_UNATTRIBUTED: Final = (
    "AWS refused it, and its record names no key and no role: it may be about another."
)
_WHY: Final = {
    "user": "An IAM user made it.",
    "root": "The root user of an account made it.",
    "service": "An AWS service made it.",
    "federated": "A federated identity made it.",
    "account": "A principal of another account made it, and not in a session of the role.",
    "role": "A session of another role made it.",
    "unknown": "An identity of an unknown kind made it.",
}


def _why_other(row: dict[str, Any]) -> str:
    if str(row["event_source"]).startswith("sts."):
        return "Somebody other than OpenAI assumed the role."
    if row["event_source"] and row["kind"] == "role" and row["of_the_role"]:
        return "A session of the role made it, and somebody other than OpenAI began the session."
    return _WHY[row["kind"]]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return _time(value)
    return value.isoformat() if isinstance(value, date) else value


def _time(when: datetime | None) -> str | None:
    return None if when is None else when.strftime("%Y-%m-%dT%H:%M:%SZ")
