"""`ekm diagnose`: what OpenAI's validation would answer, what is at fault, the smallest fix."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openai_ekm.cli import render
from openai_ekm.cli.inputs import useless
from openai_ekm.cli.reporting import Answer, Delivery, ReportOptions, shown_at
from openai_ekm.cli.snapshot import (
    SnapshotOptions,
    called_at,
    collected_unless_given,
    noted,
    parse_at,
    reads_aws,
)
from openai_ekm.diagnosis import diagnose
from openai_ekm.diagnosis.report import KEY_STATE, report_of
from openai_ekm.snapshot.file import read_snapshot
from openai_ekm.snapshot.symbols import name_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis import Diagnosis, Fault
    from openai_ekm.diagnosis.error_text import Read
    from openai_ekm.snapshot import Snapshot

__all__ = ["run"]


@dataclass(frozen=True, kw_only=True)
class DiagnoseOptions(SnapshotOptions, ReportOptions):
    """Options of `ekm diagnose`."""

    snapshot: str | None
    error_text: str | None
    at: str | None


def run(options: DiagnoseOptions) -> int:
    """Run `ekm diagnose`."""
    delivery = Delivery.read((KEY_STATE,), options)
    at = parse_at(options.at)
    seen = _snapshot(options)
    if seen is None and at is not None:
        raise useless(
            "--at",
            "--at means nothing where no snapshot is judged.",
            "Give a snapshot or where to collect one, or leave --at out.",
        )
    if seen is not None:
        seen = called_at(seen, at)
    found = diagnose(seen, now=at) if seen is not None else None
    body = found.as_json() if found is not None else {}
    read = None
    if options.error_text is not None:
        from openai_ekm.diagnosis import error_text as texts  # noqa: PLC0415 - most runs read none

        read = texts.read_error_text(options.error_text, found, seen)
        body = {**(body or texts.NOTHING_SEEN), "error": read.as_json()}
        body["outcome"] = body["outcome"] or read.outcome
    if seen is not None:
        body = name_symbols(body, seen)
    subject = options.module or ""
    file, line = shown_at(
        (options.snapshot, options.from_plan), options.from_terraform, subject, options.source_file
    )
    made = report_of(found, read, seen, file=file, line=line, subject=subject)
    (report,) = noted(delivery.accept([made]), options.at)
    reason = next((each.reason for each in report.findings if each.reason is not None), None)
    if reason is not None:
        body = {**body, "accepted": {KEY_STATE: reason}}
    if report.notes:
        body = {**body, "notes": list(report.notes)}
    if options.at is not None:
        body = {**body, "at": options.at}
    lines = [_named(each, seen) for each in _lines(found, read, reason)]
    lines += [f"Note: {note}" for note in report.notes]
    return delivery.deliver(Answer([report], body, lines))


def _snapshot(options: DiagnoseOptions) -> Snapshot | None:
    """Return the snapshot; None where a text alone is to be explained."""
    if options.snapshot is None and not options.sources() and options.error_text is not None:
        return None
    found = collected_unless_given(options.snapshot, options)
    if found is None:
        return read_snapshot(str(options.snapshot))
    # A live one is judged as of now: that is when OpenAI would ask.
    return found.at(datetime.now(UTC)) if reads_aws(options) else found


def _named(line: render.Line, seen: Snapshot | None) -> render.Line:
    """Put the names of what a plan does not know yet where its symbols stand."""
    return name_symbols(line, seen) if seen is not None and isinstance(line, str) else line


def _lines(found: Diagnosis | None, read: Read | None, reason: str | None) -> Iterator[render.Line]:
    if read is not None:
        yield from _lines_of_text(read)
    if found is None:
        return
    colour = {"ok": "green", "undecided": "yellow"}.get(found.outcome, "red")
    yield ("outcome: ", render.Styled(str(found.outcome), colour))
    if found.open_point:
        yield f"  open: {found.open_point}"
    if found.outcome == "undecided":
        yield "  The policies let OpenAI in. The key's state was not seen: it may be disabled."
        if reason is not None:
            yield f"  accepted: {reason}"
    if found.message:
        yield f"  AWS would say: {found.message}"
    for fault in found.faults:
        yield from _lines_of_fault("fault", fault)
    for warned in found.warnings:
        yield from _lines_of_fault("warning", warned)
    if found.unseen:
        told = (
            f"{path} ({found.reasons[path]})" if path in found.reasons else path
            for path in found.unseen
        )
        yield f"not seen: {', '.join(told)}"


def _lines_of_text(read: Read) -> Iterator[render.Line]:
    yield f"That text means: {read.meaning}"
    for number, cause in enumerate(read.causes, 1):
        yield f"  {number}. {cause.message}"
        yield f"     check: {cause.check}"
    if read.note:
        yield read.note


def _lines_of_fault(kind: str, fault: Fault) -> Iterator[render.Line]:
    yield ""
    yield f"{kind}[{fault.id}]: {fault.message}"
    rows: list[tuple[str, Any]] = [
        ("where", fault.location),
        ("found", fault.found),
        ("needed", fault.needed),
        ("remedy", fault.remedy),
    ]
    rows += [("near", str(near)) for near in fault.near_misses]
    rows += [("fix", json.dumps(change.as_json(), ensure_ascii=False)) for change in fault.fix]
    for label, text in rows:
        if text:
            yield f"  {label + ':':8} {text}"
