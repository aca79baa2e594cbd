"""`ekm usage`: who uses the key, since when, how often, and what failed."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openai_ekm import aws_session
from openai_ekm.cli import inputs, render, usage_text
from openai_ekm.cli.options import ArnOptions, PlaceOptions
from openai_ekm.cli.session import Session, parse_record_location
from openai_ekm.errors import BadInput
from openai_ekm.registration import admin_key
from openai_ekm.registration.intent import check_kms_arn, check_role_arn
from openai_ekm.usage import athena, lookup, s3_logs
from openai_ekm.usage.answers import document, exit_code
from openai_ekm.usage.loading import Loader
from openai_ekm.usage.table import EventTable
from openai_ekm.usage.target import FIRST_YEAR, LAST_YEAR, Target

if TYPE_CHECKING:
    import boto3

__all__ = ["run"]

_REGION: Final = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}")
_TIMES: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, kw_only=True)
class UsageOptions(PlaceOptions, ArnOptions):
    """Options of `ekm usage`."""

    sources: tuple[str, ...]
    lookup: bool
    max_events: int
    since: str | None
    until: str | None
    log_regions: tuple[str, ...]
    athena: str | None
    as_json: bool


def run(options: UsageOptions) -> int:
    """Run `ekm usage`."""
    # Before anything starts a child: none inherits the admin key, which is not needed here.
    inputs.secret_variable(admin_key.VARIABLE)
    _check_sources(options)
    target = _target(options)
    if options.athena is not None:
        return _print_athena(athena.check_location(options.athena), target, options)
    buckets = [place for place in options.sources if place.startswith(s3_logs.SCHEME)]
    for place in buckets:
        s3_logs.parse_place(place)
    with EventTable() as table:
        loader = Loader(table, target)
        _load(loader, options, buckets)
        if not loader.has_met_a_log:
            raise BadInput(
                "trail_empty",
                "There is no log file of a trail in what was named.",
                at_fault=", ".join(options.sources),
                remedy="Name the folder or prefix that has AWSLogs in it; look at the accounts, "
                "--log-region, --since and --until, too.",
            )
        with render.waiting("Asking the table"):
            table.define(target)
            loader.finish()
            found = document(
                target, table.answer, loader.sources, loader.unread, (loader.first, loader.last)
            )
    if options.as_json:
        render.document(found)
    else:
        render.result(*usage_text.lines(found))
    return exit_code(found)


def _check_sources(options: UsageOptions) -> None:
    if options.athena is not None and (options.sources or options.lookup):
        raise inputs.useless(
            "--athena",
            "--athena prints text and reads no log: a source or --lookup means nothing beside it.",
        )
    if not options.sources and not options.lookup and options.athena is None:
        raise BadInput(
            "option_missing",
            "No source is named: no file, no folder, no s3://BUCKET/PREFIX, no --lookup.",
            at_fault="SOURCE",
            remedy="Name where the trail's log files are, or --lookup for the last 90 days.",
        )


def _load(
    loader: Loader,
    options: UsageOptions,
    buckets: list[str],
) -> None:
    session: boto3.Session | None = None
    if buckets or options.lookup:
        session = aws_session.new_session()
    for place in dict.fromkeys(options.sources):
        with render.waiting(f"Reading {place}"):
            if place in buckets and session is not None:
                client = aws_session.client(session, "s3")
                s3_logs.read_bucket(client, place, datetime.now(UTC), loader)
            else:
                loader.read_place(place)
    if options.lookup and session is not None:
        made = session
        render.progress(lookup.estimate(loader.target, options.max_events))
        with render.waiting("Looking up events"):
            lookup.read_history(
                lambda region: aws_session.client(made, "cloudtrail", region),
                options.max_events,
                loader,
                clock=time.monotonic,
                sleep=time.sleep,
            )


def _target(options: UsageOptions) -> Target:
    """Return what is asked about.

    Raises:
        BadInput: The key or the role is missing or malformed, or a time is.
    """
    since, until = _time(options.since, "--since"), _time(options.until, "--until")
    if since is not None and until is not None and since >= until:
        raise BadInput(
            "usage_time_malformed",
            "--since is not before --until.",
            at_fault="--since",
            remedy="Give an earlier --since, or a later --until.",
        )
    for region in options.log_regions:
        if not _REGION.fullmatch(region):
            raise BadInput(
                "usage_region_malformed",
                f"--log-region {region!r} is not the name of a Region.",
                at_fault="--log-region",
                remedy="Write it as AWS does: eu-west-1.",
            )
    given = inputs.gather(options)
    kms_arn, role_arn = given.kms_arn, given.role_arn
    if given.record is not None and (kms_arn is None or role_arn is None):
        recorded = _recorded(given.record)
        kms_arn = kms_arn or recorded.get("kms_arn")
        role_arn = role_arn or recorded.get("role_arn")
    for member, value in (("kms_arn", kms_arn), ("role_arn", role_arn)):
        if value is None:
            raise inputs.missing(
                member,
                also=", nor in a record",
                remedy="Give --kms-arn and --role-arn, or --from-terraform DIR after an apply, or "
                "--record.",
            )
    check_kms_arn(kms_arn or "")
    check_role_arn(role_arn or "")
    return Target(kms_arn or "", role_arn or "", since, until, frozenset(options.log_regions))


def _recorded(record: str) -> dict[str, Any]:
    """Return role and key of a record."""
    store = Session(parse_record_location(record), needs_openai=False).store
    found = store.read() if store is not None else None
    if found is None:
        return {}
    return {"kms_arn": found.intent.kms_arn, "role_arn": found.intent.role_arn}


def _time(text: str | None, option: str) -> datetime | None:
    """Read a day, or a time in UTC."""
    if text is None:
        return None
    for form in _TIMES:
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if FIRST_YEAR <= found.year <= LAST_YEAR:
            return found
    raise BadInput(
        "usage_time_malformed",
        f"{option} {text!r} is neither a day nor a time in UTC of the years {FIRST_YEAR} to "
        f"{LAST_YEAR}.",
        at_fault=option,
        remedy="Write 2026-11-29, or 2026-11-29T10:00:00Z.",
    )


def _print_athena(location: str, target: Target, options: UsageOptions) -> int:
    if options.as_json:
        render.document(
            {
                "create_table": athena.create_table(location, target),
                "queries": athena.queries(target),
            }
        )
    else:
        render.verbatim(*athena.script(location, target))
    return 0
