"""`ekm drift`: compare what is with what was meant; and `ekm drift accept`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from openai_ekm import aws_session, terraform
from openai_ekm.arns import account_of
from openai_ekm.cli import inputs, render
from openai_ekm.cli.inputs import outputs_source, read_outputs
from openai_ekm.cli.reporting import Answer, Delivery, ReportOptions, shown_at
from openai_ekm.cli.session import Session, parse_record_location
from openai_ekm.cli.snapshot import read_plan
from openai_ekm.drift import acceptance, baseline, report
from openai_ekm.drift.checks import CHECKS
from openai_ekm.drift.compare import compare
from openai_ekm.drift.compare_openai import Exceptions, Registered
from openai_ekm.drift.difference import State
from openai_ekm.drift.intended import Intended, intended_by_outputs, intended_by_plan
from openai_ekm.drift.observed import Observed
from openai_ekm.drift.terraform_state import is_state, plan_of_state
from openai_ekm.errors import BadInput, EkmError
from openai_ekm.files import write_atomically
from openai_ekm.json_reader import UnreadableJsonError, read_content
from openai_ekm.registration import admin_key
from openai_ekm.registration.intent import check_role_arn
from openai_ekm.terraform import select_instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.drift.baseline import Entry
    from openai_ekm.drift.compare import Drift
    from openai_ekm.drift.difference import Difference

__all__ = ["run", "run_accept"]

_WORDS: Final = {
    "same": ("same", "green"),
    "drift": ("DRIFT", "red"),
    "undecided": ("UNDECIDED", "yellow"),
    "accepted": ("accepted", "cyan"),
}
_STATES: Final = {
    State.DRIFT: ("DRIFT", "red"),
    State.UNDECIDED: ("UNDECIDED", "yellow"),
    State.ACCEPTED: ("accepted", "cyan"),
    State.NO_EFFECT: ("text only", "green"),
}
_WIDTH: Final = max(len(each) for each in CHECKS)


@dataclass(frozen=True, kw_only=True)
class DriftOptions(ReportOptions):
    """Options of `ekm drift`."""

    from_terraform: str | None
    from_plan: str | None
    module: str | None
    record: str | None
    baseline: Path | None
    require_key: bool
    exceptions: tuple[str, ...]
    side: str
    admin_key_from: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptOptions:
    """Options of `ekm drift accept`."""

    report: str
    baseline: Path
    differences: tuple[str, ...]
    every: bool
    reason: str
    by: str
    expires: str
    as_json: bool


def run(options: DriftOptions) -> int:
    """Run `ekm drift`."""
    # Before anything starts a child: none inherits the admin key.
    inputs.secret_variable(admin_key.VARIABLE)
    delivery = Delivery.read(CHECKS, options)
    if options.exceptions and not options.require_key:
        raise click.UsageError("--except names projects that --require-key leaves out: add it.")
    entries = _entries(options.baseline)
    meant = _intended(options)
    check_role_arn(meant.role_arn)
    place = options.record or meant.record
    with render.waiting("Reading AWS and OpenAI"):
        session = _session(options, meant, place)
        registered = _registered(options, session, place)
        observed = _observed(options, session, meant)
        found = compare(
            meant,
            observed,
            registered,
            entries=entries,
            undecided=delivery.accepted,
            exceptions=Exceptions(options.require_key, options.exceptions),
            sides=("aws", "openai") if options.side == "both" else (options.side,),
            now=_now(),
        )
    file, line = shown_at(
        (options.from_plan,), options.from_terraform, meant.instance, options.source_file
    )
    reports = [report.report_of(found, file=file, line=line)]
    return delivery.deliver(Answer(reports, report.as_json(found), list(_lines(found))))


def _now() -> datetime:
    """Return the present, in UTC."""
    return datetime.now(UTC)


def _intended(options: DriftOptions) -> Intended:
    """Return what was meant.

    Raises:
        BadInput: Nothing says it, or two things do.
    """
    given = [each for each in (options.from_terraform, options.from_plan) if each is not None]
    if len(given) != 1:
        raise BadInput(
            "drift_meant_missing",
            "Nothing says what was meant." if not given else "Two things say what was meant.",
            at_fault="--from-terraform",
            remedy="Give --from-terraform DIR for what was applied last, or --from-plan FILE for "
            "what the configuration says now.",
        )
    if options.from_plan is not None:
        return intended_by_plan(read_plan(options.from_plan), "plan", module=options.module)
    source = str(options.from_terraform)
    printed = read_outputs("-") if source == "-" else _state(Path(source))
    if is_state(printed):
        told = "standard input" if source == "-" else f"Terraform's state in {source}"
        return intended_by_plan(plan_of_state(printed, told), "state", module=options.module)
    where = outputs_source(source)
    return intended_by_outputs(
        select_instance(printed, where, options.module), "Terraform's outputs"
    )


def _state(folder: Path) -> dict[str, Any]:
    """Return what `terraform show -json` prints in a folder, decoded.

    Raises:
        BadInput: Terraform fails, or prints something else.
    """
    render.progress(f"Reading Terraform's state in {folder.resolve()}.")
    with render.waiting("Waiting for Terraform"):
        content = terraform.run_show_state(folder)
    try:
        printed, notice = terraform.read_printed(content)
    except UnreadableJsonError as error:
        raise BadInput(
            "state_unreadable",
            f"What terraform show -json prints in {folder} {error}.",
            at_fault="--from-terraform",
            remedy="Run terraform show -json there and see what it prints: it must be the JSON of "
            "a state.",
        ) from None
    if notice is not None:
        render.progress(notice)
    return printed


def _entries(file: Path | None) -> tuple[Entry, ...]:
    """Return the entries of the baseline.

    Raises:
        BadInput: It cannot be read, or is malformed.
    """
    if file is None:
        return ()
    return baseline.parse(_content(str(file), "--baseline"), str(file))


def _content(file: str, option: str) -> bytes:
    try:
        return read_content(file)
    except OSError as error:
        raise BadInput(
            "drift_file_unreadable",
            f"{file} cannot be read: {error.strerror}.",
            at_fault=option,
            remedy="Name a file that is there and may be read.",
        ) from None


def _session(options: DriftOptions, meant: Intended, place: str | None) -> Session:
    """Return the clients, for credentials of the role's account.

    Raises:
        BadInput: They are of another account.
    """
    where = None if place is None else parse_record_location(place)
    account = account_of(meant.role_arn)
    session = Session(
        where,
        admin_key_from=options.admin_key_from,
        account=account,
        needs_openai=options.side != "aws",
        without_admin_key=True,
    )
    if options.side != "openai" and not session.may_ask_aws:
        aws_session.check_account(session.aws_session(), account)
    return session


def _registered(options: DriftOptions, session: Session, place: str | None) -> Registered:
    """Read the record, and OpenAI; a refusal leaves it unseen, so that AWS's drift is reported."""
    told = place or ""
    record, unread = None, None
    if session.store is None:
        unread = "no record is named: give --record"
    else:
        render.progress(f"Reading the record at {told}.")
        try:
            record = session.store.read()
        except EkmError as failure:
            unread = _why(failure)
    if options.side == "aws" or unread is not None:
        return Registered(place=told, record=record, unread=unread)
    if not session.may_ask_openai:
        return Registered(place=told, record=record, unasked="there is no admin key")
    from openai_ekm.drift.read_openai import read_openai  # noqa: PLC0415 - only where it is asked

    render.progress("Asking OpenAI for registrations and projects.")
    try:
        return read_openai(session.api(), told, record, every_project=options.require_key)
    except EkmError as failure:
        return Registered(place=told, record=record, unasked=_why(failure))


def _why(failure: EkmError) -> str:
    return failure.message.rstrip(".")


def _observed(options: DriftOptions, session: Session, meant: Intended) -> Observed:
    if options.side == "openai":
        return Observed(meant.snapshot)
    from openai_ekm.drift.read_aws import read_aws  # noqa: PLC0415 - boto3 only where needed

    render.progress("Reading role, key and policies from AWS.")
    return read_aws(session.aws_session(), meant)


def _lines(drift: Drift) -> Iterator[render.Line]:
    """Yield the lines for people: the answer to each check, and under it what differs."""
    for check in drift.checks:
        found = drift.of(check)
        word, colour = _WORDS[report.answer_of(found)]
        yield (
            render.Styled(word, colour),
            f"{' ' * (10 - len(word))}{check:<{_WIDTH}}  " + (CHECKS[check].title),
        )
        for each in found:
            yield from _lines_of(each, drift)
    for entry in drift.expired:
        yield f"Expired: {entry.id}, accepted until {entry.expires} by {entry.by}: {entry.reason}"
    for entry in drift.unused:
        yield f"Not needed any more: {entry.id}, accepted by {entry.by}: {entry.reason}"
    for note in drift.notes:
        yield f"Note: {note}"
    yield ""
    yield _summary(drift)


def _lines_of(each: Difference, drift: Drift) -> Iterator[render.Line]:
    word, colour = _STATES[each.state]
    if each.state is State.UNDECIDED and each.accepted is not None:
        word, colour = "undecided and accepted", "cyan"
    yield f"{'':10}", render.Styled(word, colour), f": {each.message}"
    for label, found in (("more", each.more), ("less", each.less)):
        for one in found[: report.SHOWN]:
            request = one.request
            yield f"{'':12}{label}: {request.action} by {request.principal} on {request.resource}"
            for key, value in request.context.items():
                yield f"{'':14}{key} = {value}"
            for statement in one.statements:
                yield f"{'':14}by {statement.effect} in {statement}"
    if each.accepted is not None:
        until = f" (by {each.accepted.by}, until {each.accepted.expires})"
        yield f"{'':12}accepted: {each.accepted.reason}{until if each.accepted.by else ''}"
    elif each.state is State.DRIFT or each.observed is not None:
        yield f"{'':12}id: {each.id(drift.subject)}"
    if (remedy := report.remedy_of(each)) is not None:
        yield f"{'':12}remedy: {remedy}"


def _summary(drift: Drift) -> str:
    states = [_STATES[each.state][0] for each in drift.differences if each.accepted is None]
    accepted = sum(each.accepted is not None for each in drift.differences)
    told = [f"{states.count(word)} {word}" for word, _ in _STATES.values() if word in states]
    told += [f"{accepted} accepted"] if accepted else []
    return f"{len(drift.checks)} checks: {', '.join(told) or 'nothing differs'}."


def run_accept(options: AcceptOptions) -> None:
    """Run `ekm drift accept`."""
    today = _now().date()
    expires = acceptance.check_expiry(options.expires, today)
    reason = _said(options.reason, "--reason", 2048)
    by = _said(options.by, "--by", 256)
    name = "standard input" if options.report == "-" else options.report
    subject, found = acceptance.read_report(_content(options.report, "REPORT"), name)
    before = _entries(options.baseline) if options.baseline.exists() else ()
    added = acceptance.accept(
        subject,
        found,
        options.differences,
        every=options.every,
        reason=reason,
        by=by,
        today=today,
        expires=expires,
    )
    merged = acceptance.merge(before, added)
    try:
        write_atomically(options.baseline, baseline.serialise(merged))
    except OSError as error:
        raise BadInput(
            "output_file_not_written",
            f"{options.baseline} cannot be written: {error.strerror}.",
            at_fault="--baseline",
            remedy="Name a file in a folder that exists and may be written to.",
        ) from None
    if options.as_json:
        render.document(
            {"baseline": str(options.baseline), "accepted": [each.summary() for each in added]}
        )
        return
    for each in added:
        render.result(f"Accepted until {each.expires}: {each.id} ({each.subject})")
    render.result(f"{options.baseline} has {len(merged)} entries. Let it be reviewed.")


def _said(text: str, option: str, longest: int) -> str:
    """Return what a person says, checked.

    Raises:
        BadInput: It is empty, or too long to be read.
    """
    told = text.strip()
    if not 0 < len(told) <= longest:
        raise BadInput(
            "drift_reason_malformed",
            f"{option} must be a text of 1 to {longest} letters.",
            at_fault=option,
            remedy="Say in a sentence who accepts it and why.",
        )
    return told
