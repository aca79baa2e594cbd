"""A diagnosis as a report: the answer of OpenAI's validation, each fault, and each warning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis.result import Outcome
from openai_ekm.reports.finding import Finding, Place, Report, Rule, State
from openai_ekm.snapshot.symbols import name_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis.error_text import Read
    from openai_ekm.diagnosis.result import Diagnosis, Fault
    from openai_ekm.snapshot import Snapshot

__all__ = ["KEY_STATE", "report_of"]

# The one thing that a diagnosis can leave undecided.
KEY_STATE: Final = "state"
_VALIDATION: Final = "validation"
_TITLE: Final = "OpenAI can assume the role, encrypt and decrypt"
_PAGE: Final = "https://help.openai.com/en/articles/20000947"
_HELP: Final = (
    "The message has the remedy. `ekm diagnose` shows the smallest fix; docs/diagnosis.md of the "
    "module says what each fault and each warning means."
)
UNDECIDED: Final = Rule(
    id="diagnosis/undecided",
    name="undecided",
    short="The policies let OpenAI in, and the key's state was not seen.",
    full="The policies let OpenAI in, and the key's state was not seen: it may be disabled.",
    help="Diagnose from AWS, as somebody who may call kms:DescribeKey.",
    page=_PAGE,
    level="none",
    tags=("not-seen",),
)


def report_of(
    found: Diagnosis | None,
    read: Read | None,
    snapshot: Snapshot | None,
    *,
    file: str = ".",
    line: int = 1,
    subject: str = "",
) -> Report:
    """Turn a diagnosis, the meaning of an error text, or both, into a report.

    Args:
        found: The diagnosis of a snapshot.
        read: What an error text means.
        snapshot: That snapshot.
        file: A file that a person can open, relative to the repository, or a `file:` URI.
        line: The line of it at which the findings are shown.
        subject: Address of the module's instance.
    """
    findings = [
        *(_of_text(read) if read is not None else ()),
        *(_of_diagnosis(found, snapshot) if found is not None else ()),
    ]
    rules = {each.rule.id: each.rule for each in findings}
    return Report(
        tool="ekm diagnose",
        subject=subject,
        identity=_identity(snapshot, subject),
        findings=tuple(findings),
        rules=tuple(rules.values()),
        undecided=UNDECIDED,
        file=file,
        line=line,
    )


def _identity(snapshot: Snapshot | None, subject: str) -> str:
    if snapshot is None:
        return "error-text"
    registration = snapshot.registration
    parts = (registration.kms_arn, registration.role_arn, registration.external_id)
    named = (str(name_symbols(each, snapshot)) for each in parts)
    return "/".join((*([subject] if subject else ()), *named))


def _rule(id: str, *, level: str) -> Rule:
    words = id.replace("_", " ")
    return Rule(
        id=f"diagnosis/{id}",
        name=id,
        short=f"OpenAI's validation: {words}.",
        full=f"The diagnosis of OpenAI's validation found: {words}.",
        help=_HELP,
        page=_PAGE,
        level=level,
        severity="7.0" if level == "error" else None,
    )


def _of_text(read: Read) -> Iterator[Finding]:
    """Yield the meaning of an error text as a failure: OpenAI was refused."""
    yield Finding(
        id=read.outcome,
        title="OpenAI was refused",
        state=State.FAILS,
        rule=_rule(read.outcome, level="error"),
        message=read.meaning,
        remedy=" ".join(each.check for each in read.causes) or read.note or None,
        details=tuple(("cause", each.message) for each in read.causes)
        + ((("note", read.note),) if read.note else ()),
    )


def _of_diagnosis(found: Diagnosis, snapshot: Snapshot | None) -> Iterator[Finding]:
    rule = _rule(_VALIDATION, level="error")
    if found.outcome is Outcome.OK:
        yield Finding(_VALIDATION, _TITLE, State.HOLDS, rule)
    elif found.outcome is Outcome.UNDECIDED:
        yield Finding(
            KEY_STATE,
            _TITLE,
            State.UNDECIDED,
            rule,
            message="The policies let OpenAI in. The key's state was not seen: it may be disabled.",
            remedy="Diagnose from AWS, as somebody who may call kms:DescribeKey: "
            "`ekm diagnose --from-terraform .`.",
            unseen=tuple(found.unseen),
        )
    elif not found.faults:
        yield Finding(
            str(found.outcome),
            _TITLE,
            State.FAILS,
            _rule(str(found.outcome), level="error"),
            message=found.open_point or found.message or f"The outcome is {found.outcome}.",
            remedy="Collect a snapshot from AWS, and diagnose it again.",
        )
    for fault in found.faults:
        yield _of_fault(fault, snapshot, State.FAILS)
    for warned in found.warnings:
        yield _of_fault(warned, snapshot, State.WARNS)


def _of_fault(fault: Fault, snapshot: Snapshot | None, state: State) -> Finding:
    body: dict[str, Any] = fault.as_json()
    details = [(name, fault_text) for name in ("found", "needed") if (fault_text := body[name])]
    details += [("near", str(near)) for near in fault.near_misses]
    details += [("fix", json.dumps(each, ensure_ascii=False)) for each in body["fix"]]
    words = fault.id.replace("_", " ")
    given = {"message": fault.message, "remedy": fault.remedy}
    if snapshot is not None:
        given = name_symbols(given, snapshot)
        details = [(name, name_symbols(text, snapshot)) for name, text in details]
        body = name_symbols(body, snapshot)
    return Finding(
        id=fault.id,
        title=f"{words[:1].upper()}{words[1:]}",
        state=state,
        rule=_rule(fault.id, level="error" if state is State.FAILS else "warning"),
        message=given["message"],
        remedy=given["remedy"],
        details=(("where", fault.location), *details),
        places=(_place(fault),),
        properties={"fault" if state is State.FAILS else "warning": body},
    )


def _place(fault: Fault) -> Place:
    path = fault.document
    if fault.statement is not None:
        path += f".Statement[{fault.statement}]"
    if fault.element:
        path += f".{fault.element}"
    return Place(path, f"{fault.document}.{fault.statement}.{fault.element}", fault.sid)
