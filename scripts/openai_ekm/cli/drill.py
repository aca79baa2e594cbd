"""`ekm drill revoke` and `ekm drill restore`."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai_ekm.cli import inputs, render
from openai_ekm.cli.options import PlaceOptions
from openai_ekm.cli.session import RecordLocation, Session, note_store, parse_record_location
from openai_ekm.drill import plan_text
from openai_ekm.drill import report as reports
from openai_ekm.drill import revoke as drill
from openai_ekm.drill.aws import Aws
from openai_ekm.drill.log import DrillLog, Mark
from openai_ekm.drill.note import Method
from openai_ekm.drill.restore import Asked, restore
from openai_ekm.drill.revoke import look
from openai_ekm.drill.runner import DrillRunner
from openai_ekm.errors import EXIT_INTERRUPTED, BadInput, EkmError
from openai_ekm.files import write_atomically
from openai_ekm.printable import json_text
from openai_ekm.registration.intent import check_id
from openai_ekm.registration.runner import Heartbeat, Runner

if TYPE_CHECKING:
    from openai_ekm.drill.note import Note
    from openai_ekm.drill.note_store import NoteStore
    from openai_ekm.drill.revoke import Order
    from openai_ekm.drill.steps import Procedure

__all__ = ["run_restore", "run_revoke"]


@dataclass(frozen=True, kw_only=True)
class RevokeOptions(PlaceOptions):
    """Options of `ekm drill revoke`."""

    by: str
    plan: bool
    confirm: str | None
    interrupt: tuple[str, ...]
    hold: int
    report: str | None
    wait: int
    admin_key_from: str | None
    as_json: bool


def run_revoke(options: RevokeOptions) -> int:
    """Run `ekm drill revoke`."""
    given = inputs.gather(options)
    place = parse_record_location(given.record)
    if options.confirm is not None:
        check_id(options.confirm, "--confirm")
    _check_report(options.report)
    session = Session(place, admin_key_from=options.admin_key_from, account=given.account())
    order = drill.Order(
        place=str(place),
        method=Method(options.by),
        id=secrets.token_hex(8),
        host=f"{socket.gethostname()}, process {os.getpid()}",
        confirm=options.confirm,
        interrupt=options.interrupt,
        hold=float(options.hold),
        wait=float(options.wait),
    )
    log = DrillLog("revoke", str(place), held_for=float(options.hold))
    runner = _runner(session, place)
    if options.plan:
        return _show_plan(runner, note_store(session, place), order, log, as_json=options.as_json)
    return _carry_out(
        runner, drill.revoke(order, log), log, options.report, as_json=options.as_json
    )


@dataclass(frozen=True, kw_only=True)
class RestoreOptions(PlaceOptions):
    """Options of `ekm drill restore`."""

    validate: bool
    report: str | None
    wait: int
    admin_key_from: str | None
    as_json: bool


def run_restore(options: RestoreOptions) -> int:
    """Run `ekm drill restore`."""
    given = inputs.gather(options)
    place = parse_record_location(given.record)
    _check_report(options.report)
    session = Session(
        place,
        admin_key_from=options.admin_key_from,
        account=given.account(),
        needs_openai=options.validate,
    )
    log = DrillLog("restore", str(place))
    asked = Asked(str(place), float(options.wait), validate=options.validate)
    runner = _runner(session, place, openai=options.validate)
    return _carry_out(runner, restore(asked, log), log, options.report, as_json=options.as_json)


def _runner(session: Session, place: RecordLocation, *, openai: bool = True) -> DrillRunner:
    assert session.store is not None  # nosec B101 # narrows the type
    heartbeat = Heartbeat(session.store)
    api: Any = session.api(heartbeat) if openai else None
    base = Runner(api, session.store, heartbeat=heartbeat, progress=render.progress)
    return DrillRunner(
        base,
        session.store,
        note_store(session, place),
        Aws(session.aws_session()),
        progress=render.progress,
    )


def _show_plan(
    runner: DrillRunner, notes: NoteStore, order: Order, log: DrillLog, *, as_json: bool
) -> int:
    render.progress("Looking at the registration, its projects, the key and its policy.")
    standing: Note | None = notes.read()
    found = runner.run(look(order, log))
    if as_json:
        render.document(plan_text.as_json(found, order, standing))
    else:
        render.result(*plan_text.as_lines(found, order, standing))
    return 0


def _carry_out(
    runner: DrillRunner,
    protocol: Procedure[Any],
    log: DrillLog,
    report: str | None,
    *,
    as_json: bool,
) -> int:
    """Run a protocol; report what happened, however it ends, once anything did."""
    error: EkmError | None = None
    code = 0
    try:
        runner.run(protocol)
    except EkmError as failure:
        error, code = failure, failure.exit_code
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    happened = log.has(Mark.NOTED) or log.has(Mark.RESTORING)
    if not happened:
        if error is not None:
            raise error
        if code:
            raise KeyboardInterrupt
    if error is not None:
        render.error(error, as_json=False)
    elif code:
        render.progress("Interrupted.")
    written = _tell(log, error, report if happened else None, as_json=as_json)
    return code or written


def _tell(log: DrillLog, error: EkmError | None, report: str | None, *, as_json: bool) -> int:
    """Print the report and write its files; return the exit code of the latter."""
    body, text = reports.as_json(log, error), reports.as_markdown(log, error)
    code = 0 if report is None else _write(report, body, text)
    if as_json:
        render.document(body)
    elif reports.result_of(log) == "nothing_cut":
        render.result(f"No drill stands at {log.place}: there is nothing to give back.")
    else:
        render.verbatim(*text.removesuffix("\n").split("\n"))
    return code


def _write(report: str, body: dict[str, Any], text: str) -> int:
    try:
        write_atomically(Path(f"{report}.json"), json_text(body, indent=2) + "\n")
        write_atomically(Path(f"{report}.md"), text)
    except OSError as failure:
        unwritten = _unwritable(report, failure.strerror or str(failure))
        render.error(unwritten, as_json=False)  # the report itself is the one document
        return unwritten.exit_code
    render.progress(f"The report is in {report}.json and {report}.md.")
    return 0


def _check_report(report: str | None) -> None:
    """Refuse a place for the report before anything is cut."""
    if report is None:
        return
    folder = Path(report).absolute().parent
    usable = os.path.isdir(folder) and os.access(folder, os.W_OK)  # noqa: PTH112 - any name
    if not Path(report).name or not usable:
        raise _unwritable(report, "it is in no folder that can be written")


def _unwritable(report: str, why: str) -> BadInput:
    return BadInput(
        "report_place_unusable",
        f"The report {report} cannot be written: {why}.",
        at_fault="--report",
        remedy="Name a file, without an ending, in a folder that exists.",
    )
