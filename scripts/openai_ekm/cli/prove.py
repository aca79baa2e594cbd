"""`ekm prove`: every claim of least privilege, over all requests, or what breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.cli import render
from openai_ekm.cli.reporting import Answer, Delivery, ReportOptions, shown_at
from openai_ekm.cli.snapshot import (
    SnapshotOptions,
    called_at,
    collected_unless_given,
    noted,
    parse_at,
    read_plan,
)
from openai_ekm.errors import BadInput
from openai_ekm.proof import Judged, prove, worst
from openai_ekm.proof.gaps import ABSENT
from openai_ekm.proof.report import report_of
from openai_ekm.proof.result import TITLES
from openai_ekm.snapshot.file import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.reports import Report
    from openai_ekm.snapshot import Snapshot

__all__ = ["run"]

WORDS: Final = {
    "holds": ("holds", "green"),
    "fails": ("FAILS", "red"),
    "undecided": ("UNDECIDED", "yellow"),
}
HOLDS: Final = {"holds": True, "fails": False, "undecided": None}


@dataclass(frozen=True, kw_only=True)
class ProveOptions(SnapshotOptions, ReportOptions):
    """Options of `ekm prove`."""

    file: str | None
    assume_none: tuple[str, ...]
    at: str | None


def run(options: ProveOptions) -> int:
    """Run `ekm prove`."""
    delivery = Delivery.read(TITLES, options)
    assumed = _absent(options.assume_none)
    at = parse_at(options.at)
    snapshots = _snapshots(options)
    with render.waiting("Proving the claims over all requests"):
        judged = [
            Judged(name, snapshot, prove(called_at(snapshot, at), now=at, assume=assumed))
            for name, snapshot in snapshots.items()
        ]
    reports = noted(delivery.accept([_report(each, options) for each in judged]), options.at)
    documents = {
        each.instance: _with_reasons(each.as_json(), report)
        for each, report in zip(judged, reports, strict=True)
    }
    document = _whole(judged, documents, reports)
    if options.at is not None:
        document = {**document, "at": options.at}
    return delivery.deliver(Answer(reports, document, list(_lines(documents, reports))))


def _report(judged: Judged, options: ProveOptions) -> Report:
    read = (options.file, options.from_plan)
    file, line = shown_at(read, options.from_terraform, judged.instance, options.source_file)
    return report_of(judged, file=file, line=line)


def _with_reasons(document: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return the JSON of a proof, with the reason of each acceptance if there is one."""
    reasons = {each.id: each.reason for each in report.findings if each.reason is not None}
    for claim in document["claims"]:
        if claim["id"] in reasons:
            claim["accepted"] = reasons[claim["id"]]
    return document


def _whole(
    judged: list[Judged], documents: dict[str, dict[str, Any]], reports: list[Report]
) -> dict[str, Any]:
    """Return the one document of `--format json`."""
    if len(documents) == 1:
        whole = next(iter(documents.values()))
    else:
        answer = worst(each.proof.answer for each in judged)
        whole = {"answer": answer.value, "holds": HOLDS[answer.value], "instances": documents}
    notes = [note for report in reports for note in report.notes]
    return {**whole, "notes": notes} if notes else whole


def _absent(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the members of `--assume-none`, which may be repeated and take commas."""
    names = tuple(part for each in given for part in each.split(","))
    unknown = [each for each in names if each not in ABSENT]
    if unknown:
        raise BadInput(
            "assume_none_unknown",
            f"--assume-none takes {', '.join(ABSENT)}, and not {unknown[0]!r}: what it names "
            "always exists, or is no member of a snapshot.",
            at_fault="--assume-none",
            remedy="Name what you know to be empty, with commas between.",
        )
    return names


def _snapshots(options: ProveOptions) -> dict[str, Snapshot]:
    """Return what is to be judged, by the instance's address or the file's name."""
    alone = options.file is None and options.sources() == ["from_plan"]
    if alone and options.from_plan is not None:
        from openai_ekm.snapshot.plan import snapshots_of  # noqa: PLC0415 - see above

        return snapshots_of(read_plan(options.from_plan))
    snapshot = collected_unless_given(options.file, options)
    if snapshot is None:
        snapshot = read_snapshot(options.file or "-")
    return {options.module or "": snapshot}


def _lines(documents: dict[str, dict[str, Any]], reports: list[Report]) -> Iterator[render.Line]:
    """Yield every proof for people."""
    for (name, document), report in zip(documents.items(), reports, strict=True):
        if len(documents) > 1:
            yield f"{name}: ", _word(document)
        yield from _lines_of_proof(document, report)
    for note in (note for report in reports for note in report.notes):
        yield f"Note: {note}"


def _lines_of_proof(proof: dict[str, Any], report: Report) -> Iterator[render.Line]:
    """Yield one proof for people."""
    for claim, finding in zip(proof["claims"], report.findings, strict=True):
        after = f"  {finding.title} [{claim['classes']} classes of requests]"
        accepted = " and accepted" if finding.reason is not None else ""
        yield f"({finding.id}) ", _word(claim), f"{accepted}{after}"
        for line in finding.lines():
            yield f"    {line}"
    for heading, texts in (
        ("Reported", [each["message"] for each in proof["reported"]]),
        ("Assumed", proof["assumed"]),
        ("Not seen", proof["unseen"]),
    ):
        if texts:
            yield f"{heading}:"
            for text in texts:
                yield f"  - {text}"


def _word(answered: dict[str, Any]) -> render.Styled:
    """Return the answer of a claim or a proof."""
    text, colour = WORDS[answered["answer"]]
    return render.Styled(text, colour)
