"""`ekm snapshot`: collect what bears on a key, from AWS, a plan, or the module's outputs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from openai_ekm import aws_session
from openai_ekm.cli import render
from openai_ekm.cli.inputs import missing, outputs_source, read_outputs, useless
from openai_ekm.errors import BadInput
from openai_ekm.snapshot import file, terraform_outputs
from openai_ekm.terraform import select_instance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openai_ekm.reports import Report
    from openai_ekm.snapshot import Snapshot

__all__ = [
    "SnapshotOptions",
    "Source",
    "called_at",
    "collected",
    "collected_unless_given",
    "is_time",
    "noted",
    "parse_at",
    "read_plan",
    "reads_aws",
    "run",
]

# Of a year before 1000 `strftime` makes no four digits.
_TIME: Final = re.compile(r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def is_time(text: str) -> bool:
    """Return whether a text is a time in UTC, as 2026-11-29T10:00:00Z."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _TIME.fullmatch(text) is not None


def parse_at(text: str | None) -> datetime | None:
    """Return the time of `--at`, None where it was not given.

    Raises:
        BadInput: It is no time.
    """
    if text is None:
        return None
    if not is_time(text):
        raise BadInput(
            "at_malformed",
            f"--at {text[:60]!r} is not a time such as 2026-11-29T10:00:00Z.",
            at_fault="--at",
            remedy="Correct it, or leave it out for the present time.",
        )
    return datetime.fromisoformat(text)


def called_at(snapshot: Snapshot, at: datetime | None) -> Snapshot:
    """Return a snapshot whose time of OpenAI's calls, if it has one, is that of `--at`."""
    if at is None or snapshot.calls.time is None:
        return snapshot
    time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return replace(snapshot, calls=replace(snapshot.calls, time=time))


def noted(reports: Sequence[Report], at: str | None) -> list[Report]:
    """Return reports of which the first says that `--at` was given."""
    made = list(reports)
    if at is not None and made:
        note = f"Conditions on the time were judged as of {at}, as --at says."
        made[0] = replace(made[0], notes=(note, *made[0].notes))
    return made


Command = TypeVar("Command", bound=Callable[..., Any])
_INTENT = ("role_arn", "kms_arn", "external_id")


@dataclass(frozen=True, slots=True)
class Source:
    """The source from which a snapshot is to be made."""

    role_arn: str | None = None
    kms_arn: str | None = None
    external_id: str | None = None
    from_terraform: str | None = None
    from_plan: str | None = None
    module: str | None = None


@dataclass(frozen=True, kw_only=True)
class SnapshotOptions:
    """Options of `ekm snapshot`, and of each verb that takes a snapshot's source."""

    role_arn: str | None
    kms_arn: str | None
    external_id: str | None
    from_terraform: str | None
    from_plan: str | None
    module: str | None
    offline: bool

    def source(self) -> Source:
        """Return what a snapshot is to be made from."""
        return Source(
            role_arn=self.role_arn,
            kms_arn=self.kms_arn,
            external_id=self.external_id,
            from_terraform=self.from_terraform,
            from_plan=self.from_plan,
            module=self.module,
        )


@dataclass(frozen=True, slots=True)
class _Registered:
    """The identifiers that `openai_ekm.snapshot.aws.collect` looks up."""

    role_arn: str
    kms_arn: str
    external_id: str


def run(options: SnapshotOptions) -> None:
    """Run `ekm snapshot`."""
    source = options.source()
    render.document(collected(source, live=reads_aws(source, offline=options.offline)).as_json())


def reads_aws(source: Source, *, offline: bool) -> bool:
    """Return whether a snapshot of this source is made of what AWS has.

    Args:
        source: What was given.
        offline: Whether `--offline` was.

    Raises:
        BadInput: `--offline` without outputs that could do alone.
    """
    if offline and source.from_terraform is None:
        raise _useless("--offline")
    return source.from_plan is None and not offline


def collected_unless_given(file: str | None, source: Source, *, offline: bool) -> Snapshot | None:
    """Collect a snapshot for a verb that judges one, unless a file names it.

    Args:
        file: The file that was named, if one was.
        source: From what to collect.
        offline: With outputs: take those alone, and not what AWS has.

    Raises:
        BadInput: Both were given, or neither.
        NotReachable: AWS gave no answer.
    """
    if file is None:
        return collected(source, live=reads_aws(source, offline=offline))
    if source != Source() or offline:
        message = "A snapshot was given, and where to collect one as well."
        raise useless("SNAPSHOT", message, "Give one of the two.")
    return None


def collected(source: Source, *, live: bool) -> Snapshot:
    """Make a snapshot.

    Args:
        source: From what.
        live: Read AWS; outputs then only say what is registered.

    Raises:
        BadInput: Too much or too little was given, or it cannot be read.
        NotReachable: AWS gave no answer.
    """
    given = [name for name in _INTENT if getattr(source, name)]
    if source.from_plan is not None:
        if given or source.from_terraform is not None:
            raise _useless("--from-plan")
        from openai_ekm.snapshot import plan  # noqa: PLC0415 - `--help` needs none of it

        body = read_plan(source.from_plan)
        return plan.snapshot_of(body, module=source.module)
    if source.module is not None and source.from_terraform is None:
        raise _useless("--module")
    values: dict[str, str | None] = {name: getattr(source, name) for name in _INTENT}
    if source.from_terraform is not None:
        where = outputs_source(source.from_terraform)
        outputs = select_instance(read_outputs(source.from_terraform), where, source.module)
        if not live:
            if given:
                raise _useless("--from-terraform")

            return terraform_outputs.made_of(outputs, "Terraform's outputs")
        values = {name: values[name] or _output_value(outputs, name) for name in _INTENT}
    for name in _INTENT:
        values[name] = values[name] or os.environ.get(f"EKM_{name.upper()}") or None
        if values[name] is None:
            raise missing(
                name,
                remedy="Give --role-arn, --kms-arn and --external-id, or --from-terraform DIR, or "
                "--from-plan FILE."
                if source.from_terraform is None
                else "Name the folder of a root that calls the module and is applied; it needs: "
                'output "ekm" { value = module.ekm.summary }',
            )
    return _live(_Registered(*(values[name] or "" for name in _INTENT)))


def read_plan(source: str) -> dict[str, Any]:
    """Read `terraform show -json PLAN`; lines around it are told.

    Args:
        source: Path of a file, or `-` for standard input.

    Raises:
        BadInput: It cannot be read, or is no JSON object.
    """
    with render.waiting("Reading the plan"):
        plan, notice = file.read_plan(source)
    if notice is not None:
        render.progress(notice)
    return plan


def _live(registered: _Registered) -> Snapshot:
    from openai_ekm.snapshot.aws import collect  # noqa: PLC0415 - only where AWS is read

    render.progress("Reading role, key and policies from AWS.")
    session = aws_session.new_session()
    with render.waiting("Waiting for AWS"):
        return collect(
            registered,
            lambda _account: session,
            lambda: aws_session.client(session, "organizations", "us-east-1"),
        )


def _output_value(outputs: Mapping[str, Any], name: str) -> str | None:
    found = outputs.get(name)
    return found if isinstance(found, str) and found else None


def _useless(option: str) -> BadInput:
    return useless(
        option,
        f"{option} means nothing beside what else was given.",
        "Give ARNs and external id, or --from-terraform, or --from-plan (and its --module).",
    )
