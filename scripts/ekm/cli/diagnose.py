"""`ekm diagnose`: what OpenAI's validation would answer, what is at fault, the smallest fix."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ekm.cli import render
from ekm.cli.snapshot import (
    Source,
    collected_unless_given,
    offline_option,
    source_options,
)

if TYPE_CHECKING:
    from ekm.diagnosis import Diagnosis, Fault
    from ekm.diagnosis.error_text import Read
    from ekm.snapshot import Snapshot

__all__ = ["command"]


@click.command("diagnose", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("snapshot", metavar="[SNAPSHOT|-]", required=False)
@source_options
@offline_option
@click.option(
    "--error", "error_text", metavar="TEXT", help="What OpenAI answered, to be explained."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
def command(
    *,
    snapshot: str | None,
    offline: bool,
    error_text: str | None,
    as_json: bool,
    **given: str | None,
) -> int:
    """Say what OpenAI's validation would answer, the statement at fault, the smallest fix.

    Reads a snapshot (`ekm snapshot`), or collects it with the same options. Exit code 0 when
    nothing is at fault, 1 when something is.

    \b
    Examples:
      ekm diagnose --from-terraform .
      ekm diagnose s.json --json
      ekm diagnose --error "User: … is not authorized to perform: sts:AssumeRole …"
    """
    source = Source(**given)
    seen = _snapshot(snapshot, source, offline=offline, needed=error_text is None)
    from ekm.diagnosis import diagnose  # noqa: PLC0415 - `--help` needs none
    from ekm.diagnosis import error_text as texts  # noqa: PLC0415 - see above

    found = diagnose(seen) if seen is not None else None
    read = texts.read(error_text, found, seen) if error_text is not None else None
    if as_json:
        body = found.as_json() if found is not None else dict(texts.NOTHING_SEEN)
        if read is not None:
            body = {**body, "error": read.as_json()}
            body["outcome"] = body["outcome"] or read.outcome
        render.document(body)
    else:
        _print(found, read)
    at_fault = read is not None or (found is not None and found.outcome != "ok")
    return 1 if at_fault else 0


def _snapshot(
    file_name: str | None, source: Source, *, offline: bool, needed: bool
) -> Snapshot | None:
    if file_name is None and source == Source() and not needed:
        return None
    found = collected_unless_given(file_name, source, offline=offline)
    if found is None:
        from ekm.snapshot.file import read_snapshot  # noqa: PLC0415 - `--help` needs none of it

        return read_snapshot(str(file_name), strict=True)
    live = source.from_plan is None and not (offline and source.from_terraform is not None)
    return _now(found) if live else found


def _now(snapshot: Snapshot) -> Snapshot:
    """A live snapshot is judged at this time, as OpenAI would; a file's says its own."""
    from dataclasses import replace  # noqa: PLC0415 - `--help` needs none of it
    from datetime import UTC, datetime  # noqa: PLC0415 - see above

    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return replace(snapshot, calls=replace(snapshot.calls, time=time))


def _print(found: Diagnosis | None, read: Read | None) -> None:
    if read is not None:
        click.echo(f"That text means: {read.meaning}")
        for number, cause in enumerate(read.causes, 1):
            click.echo(f"  {number}. {cause.message}\n     check: {cause.check}")
        if read.note:
            click.echo(read.note)
    if found is None:
        return
    colour = "green" if found.outcome == "ok" else "red"
    click.echo(f"outcome: {render.styled(str(found.outcome), fg=colour, bold=True)}")
    if found.message:
        click.echo(f"  AWS would say: {found.message}")
    for fault in found.faults:
        _print_fault("fault", fault)
    for warned in found.warnings:
        _print_fault("warning", warned)
    if found.unseen:
        told = (
            f"{path} ({found.reasons[path]})" if path in found.reasons else path
            for path in found.unseen
        )
        click.echo(f"not seen: {', '.join(told)}")


def _print_fault(kind: str, fault: Fault) -> None:
    click.echo(f"\n{kind}[{fault.id}]: {fault.message}")
    place = fault.document
    if fault.statement is not None:
        place += f", statement {fault.statement}" + (f' "{fault.sid}"' if fault.sid else "")
    if fault.element:
        place += f", {fault.element}"
    rows: list[tuple[str, Any]] = [
        ("where", place),
        ("found", fault.found),
        ("needed", fault.needed),
        ("remedy", fault.remedy),
    ]
    rows += [("fix", json.dumps(change.as_json(), ensure_ascii=False)) for change in fault.fix]
    for label, text in rows:
        if text:
            click.echo(f"  {label + ':':8} {text}")
