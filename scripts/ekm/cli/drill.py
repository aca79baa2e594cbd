"""`ekm drill revoke` and `ekm drill restore`."""

from __future__ import annotations

import json
import os
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ekm.cli import options, render
from ekm.cli.wiring import Desk, Place, parse_place
from ekm.errors import BadInput, EkmError

if TYPE_CHECKING:
    from ekm.drill.diary import Diary
    from ekm.drill.note import Note
    from ekm.drill.notes import NoteStore
    from ekm.drill.revoke import Order
    from ekm.drill.runner import DrillRunner
    from ekm.drill.steps import Protocol

__all__ = ["command", "note_store"]

EXIT_INTERRUPTED = 130
LONGEST_HOLD = 86_400  # seconds; a day, past which it is no drill


@click.group("drill", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Rehearse the kill switch on a project made for it, and record what happened.

    \b
    Examples:
      ekm drill revoke --record ssm:/openai-ekm/drill --plan
      ekm drill revoke --record ssm:/openai-ekm/drill --confirm extkey_0123 --report drill
      ekm drill restore --record ssm:/openai-ekm/drill
    """


def _report_option(command: options.Command) -> options.Command:
    return click.option(
        "--report", metavar="PATH", help="Write PATH.json and PATH.md as well, however it ends."
    )(command)


@command.command("revoke", short_help="Cut, see the refusal, give access back, see recovery.")
@options.place_options
@click.option(
    "--by",
    type=click.Choice(["key-policy", "disable-key"]),
    default="key-policy",
    show_default=True,
    help="How to cut: a Deny for the role in the key policy, or kms:DisableKey.",
)
@click.option("--plan", is_flag=True, help="Show every step and what it interrupts; cut nothing.")
@click.option(
    "--confirm",
    metavar="EXTERNAL_KEY_ID",
    help="The word for this run: without the key's id nothing is cut. No variable sets it.",
)
@click.option(
    "--interrupt",
    multiple=True,
    metavar="PROJECT",
    help="Name of an active project whose name has no word `drill` in it, to be cut off as well.",
)
@click.option(
    "--hold",
    type=click.IntRange(0, LONGEST_HOLD),
    default=0,
    metavar="SECONDS",
    help="Keep the cut after the refusal; 3600 is the hour for which OpenAI keeps data keys.",
)
@_report_option
@options.wait_option
@options.openai_options
@options.json_option
def revoke_command(
    *,
    record: str | None,
    from_terraform: str | None,
    by: str,
    plan: bool,
    confirm: str | None,
    interrupt: tuple[str, ...],
    hold: int,
    report: str | None,
    wait: int,
    admin_key_from: str | None,
    as_json: bool,
) -> int:
    """Cut OpenAI off, see its refusal, give access back, see recovery; timed and recorded.

    Ctrl-C, SIGTERM and every failure give access back first. After a crash the next run does,
    and `ekm status` says so. OpenAI may serve data from its caches for up to an hour.

    \b
    Examples:
      ekm drill revoke --record ssm:/openai-ekm/drill --plan
      ekm drill revoke --record ssm:/openai-ekm/drill --confirm extkey_0123
      ekm drill revoke --from-terraform . --by disable-key --confirm extkey_0123 --hold 3600
    """
    from ekm.drill import revoke as drill  # noqa: PLC0415 - `--help` needs none of it
    from ekm.drill.diary import Diary  # noqa: PLC0415 - see above
    from ekm.drill.note import Method  # noqa: PLC0415 - see above
    from ekm.registrar.intent import check_id  # noqa: PLC0415 - see above

    given = options.gather(record=record, from_terraform=from_terraform)
    place = parse_place(given.record)
    if confirm is not None:
        check_id(confirm, "--confirm")
    _check_report(report)
    desk = Desk(place, admin_key_from=admin_key_from, account=given.account())
    order = drill.Order(
        place=str(place),
        method=Method(by),
        id=secrets.token_hex(8),
        host=f"{socket.gethostname()}, process {os.getpid()}",
        confirm=confirm,
        interrupt=interrupt,
        hold=float(hold),
        wait=float(wait),
    )
    diary = Diary("revoke", str(place), held_for=float(hold))
    runner = _runner(desk, place)
    if plan:
        return _show_plan(runner, note_store(desk, place), order, diary, as_json=as_json)
    return _carry_out(runner, drill.revoke(order, diary), diary, report, as_json=as_json)


@command.command("restore", short_help="Give access back after a drill that did not end itself.")
@options.place_options
@click.option(
    "--validate/--no-validate",
    default=True,
    help="Ask OpenAI at the end; without, no admin key is needed.",
)
@_report_option
@options.wait_option
@options.openai_options
@options.json_option
def restore_command(
    *,
    record: str | None,
    from_terraform: str | None,
    validate: bool,
    report: str | None,
    wait: int,
    admin_key_from: str | None,
    as_json: bool,
) -> int:
    """Give access back after a drill that did not end itself; harmless otherwise.

    It goes by the note that the drill left beside the record, or, where that was lost, by the
    drill's statement in the key policy. It takes out what the drill put in, and nothing else.

    \b
    Examples:
      ekm drill restore --record ssm:/openai-ekm/drill
      ekm drill restore --record file:drill.json --no-validate
    """
    from ekm.drill.diary import Diary  # noqa: PLC0415 - `--help` needs none of it
    from ekm.drill.restore import Asked, restore  # noqa: PLC0415 - see above

    given = options.gather(record=record, from_terraform=from_terraform)
    place = parse_place(given.record)
    _check_report(report)
    desk = Desk(
        place,
        admin_key_from=admin_key_from,
        account=given.account(),
        needs_openai=validate,
    )
    diary = Diary("restore", str(place))
    asked = Asked(str(place), float(wait), validate=validate)
    runner = _runner(desk, place, openai=validate)
    return _carry_out(runner, restore(asked, diary), diary, report, as_json=as_json)


def note_store(desk: Desk, place: Place) -> NoteStore:
    """Where the note of a drill on this record is."""
    from ekm.drill.notes import FileNotes, SsmNotes  # noqa: PLC0415 - `--help` needs none of it
    from ekm.registrar import aws  # noqa: PLC0415 - see above

    if place.kind == "ssm":
        return SsmNotes(aws.client(desk.session(), "ssm"), place.path)
    return FileNotes(Path(place.path))


def _runner(desk: Desk, place: Place, *, openai: bool = True) -> DrillRunner:
    from ekm.drill.aws import Aws  # noqa: PLC0415 - `--help` needs none of it
    from ekm.drill.runner import DrillRunner  # noqa: PLC0415 - see above
    from ekm.registrar.runner import Heartbeat, Runner  # noqa: PLC0415 - see above

    assert desk.store is not None
    heartbeat = Heartbeat(desk.store)
    api: Any = desk.api(heartbeat) if openai else None
    base = Runner(api, desk.store, heartbeat=heartbeat, progress=render.progress)
    return DrillRunner(
        base,
        desk.store,
        note_store(desk, place),
        Aws(desk.session()),
        progress=render.progress,
    )


def _show_plan(
    runner: DrillRunner, notes: NoteStore, order: Order, diary: Diary, *, as_json: bool
) -> int:
    from ekm.drill import plan_text  # noqa: PLC0415 - `--help` needs none of it
    from ekm.drill.revoke import look  # noqa: PLC0415 - see above

    render.progress("Looking at the registration, its projects, the key and its policy.")
    standing: Note | None = notes.read()
    found = runner.run(look(order, diary))
    if as_json:
        render.document(plan_text.as_json(found, order, standing))
    else:
        click.echo(plan_text.as_text(found, order, standing))
    return 0


def _carry_out(
    runner: DrillRunner,
    protocol: Protocol[Any],
    diary: Diary,
    report: str | None,
    *,
    as_json: bool,
) -> int:
    """Run a protocol; report what happened, however it ends, once anything did."""
    from ekm.drill.diary import Mark  # noqa: PLC0415 - `--help` needs none of it

    error: EkmError | None = None
    code = 0
    try:
        runner.run(protocol)
    except EkmError as failure:
        error, code = failure, failure.exit_code
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    happened = diary.has(Mark.NOTED) or diary.has(Mark.RESTORING)
    if not happened:
        if error is not None:
            raise error
        if code:
            raise KeyboardInterrupt
    if error is not None:
        render.error(error, as_json=False)
    elif code:
        render.progress("Interrupted.")
    written = _tell(diary, error, report if happened else None, as_json=as_json)
    return code or written


def _tell(diary: Diary, error: EkmError | None, report: str | None, *, as_json: bool) -> int:
    """Print the report and write its files; return the exit code of the latter."""
    from ekm.drill import report as reports  # noqa: PLC0415 - `--help` needs none of it

    body, text = reports.as_json(diary, error), reports.as_markdown(diary, error)
    code = 0 if report is None else _write(report, body, text)
    if as_json:
        render.document(body)
    elif reports.result_of(diary) == "nothing_cut":
        click.echo(f"No drill stands at {diary.place}: there is nothing to give back.")
    else:
        click.echo(text, nl=False)
    return code


def _write(report: str, body: dict[str, Any], text: str) -> int:
    try:
        Path(f"{report}.json").write_text(
            json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        Path(f"{report}.md").write_text(text, encoding="utf-8")
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
    if not Path(report).name or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise _unwritable(report, "it is in no folder that can be written")


def _unwritable(report: str, why: str) -> BadInput:
    return BadInput(
        "report_place_unusable",
        f"The report {report} cannot be written: {why}.",
        at_fault="--report",
        remedy="Name a file, without an ending, in a folder that exists.",
    )
