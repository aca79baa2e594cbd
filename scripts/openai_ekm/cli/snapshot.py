"""`ekm snapshot`: collect what bears on a key, from AWS, a plan, or the module's outputs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from openai_ekm import aws_session
from openai_ekm.cli import render
from openai_ekm.cli.inputs import missing, outputs_source, read_outputs, useless
from openai_ekm.cli.options import IdentifierOptions, TerraformOptions
from openai_ekm.errors import BadInput
from openai_ekm.snapshot import Registration, file, terraform_outputs
from openai_ekm.terraform import select_instance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openai_ekm.reports import Report
    from openai_ekm.snapshot import Snapshot

__all__ = [
    "SnapshotOptions",
    "called_at",
    "collect_live",
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
    return snapshot.at(at)


def noted(reports: Sequence[Report], at: str | None) -> list[Report]:
    """Return reports of which the first says that `--at` was given."""
    made = list(reports)
    if at is not None and made:
        note = f"Conditions on the time were judged as of {at}, as --at says."
        made[0] = replace(made[0], notes=(note, *made[0].notes))
    return made


_INTENT: Final = ("role_arn", "kms_arn", "external_id")
_REMEDY: Final = (
    "Give --role-arn, --kms-arn and --external-id, or --from-terraform DIR, or --from-plan FILE."
)


@dataclass(frozen=True, kw_only=True)
class SnapshotOptions(IdentifierOptions, TerraformOptions):
    """Options of `ekm snapshot`, and of each verb that takes a snapshot's source."""

    from_plan: str | None
    offline: bool

    def sources(self) -> list[str]:
        """Return the names of the options that were given and say what to collect."""
        names = (*_INTENT, "from_terraform", "from_plan", "module")
        return [name for name in names if getattr(self, name) is not None]


def run(options: SnapshotOptions) -> None:
    """Run `ekm snapshot`."""
    render.document(collected(options).as_json())


def reads_aws(options: SnapshotOptions) -> bool:
    """Return whether the snapshot is made of what AWS has.

    Raises:
        BadInput: `--offline` without outputs that could do alone.
    """
    if options.offline and options.from_terraform is None:
        raise _useless("--offline")
    return options.from_plan is None and not options.offline


def collected_unless_given(file: str | None, options: SnapshotOptions) -> Snapshot | None:
    """Collect a snapshot for a verb that judges one, unless a file names it.

    Args:
        file: The file that was named, if one was.
        options: The verb's.

    Raises:
        BadInput: Both were given, or neither.
        NotReachable: AWS gave no answer.
    """
    if file is None:
        return collected(options)
    if options.sources() or options.offline:
        message = "A snapshot was given, and where to collect one as well."
        raise useless("SNAPSHOT", message, "Give one of the two.")
    return None


def collected(options: SnapshotOptions) -> Snapshot:
    """Make a snapshot; of a live one Terraform's outputs only say what is registered.

    Raises:
        BadInput: Too much or too little was given, or it cannot be read.
        NotReachable: AWS gave no answer.
    """
    live = reads_aws(options)
    values = {
        "role_arn": options.role_arn,
        "kms_arn": options.kms_arn,
        "external_id": options.external_id,
    }
    if options.from_plan is not None:
        if any(values.values()) or options.from_terraform is not None:
            raise _useless("--from-plan")
        from openai_ekm.snapshot import plan  # noqa: PLC0415 - `--help` needs none of it

        body = read_plan(options.from_plan)
        return plan.snapshot_of(body, module=options.module)
    if options.from_terraform is None:
        if options.module is not None:
            raise _useless("--module")
        return collect_live(values)
    where = outputs_source(options.from_terraform)
    outputs = select_instance(read_outputs(options.from_terraform), where, options.module)
    if not live:
        if any(values.values()):
            raise _useless("--from-terraform")
        return terraform_outputs.made_of(outputs, "Terraform's outputs")
    return collect_live(
        {name: value or _output_value(outputs, name) for name, value in values.items()},
        "Name the folder of a root that calls the module and is applied; it needs: "
        'output "ekm" { value = module.ekm.summary }',
    )


def collect_live(values: Mapping[str, str | None], remedy: str = _REMEDY) -> Snapshot:
    """Collect what AWS has.

    Args:
        values: role_arn, kms_arn and external_id; the environment gives what is None.
        remedy: What to do where one is missing.

    Raises:
        BadInput: One is missing.
        NotReachable: AWS gave no answer.
    """
    found: dict[str, str] = {}
    for name in _INTENT:
        value = values[name] or os.environ.get(f"EKM_{name.upper()}")
        if not value:
            raise missing(name, remedy=remedy)
        found[name] = value
    from openai_ekm.snapshot.aws import collect  # noqa: PLC0415 - only where AWS is read

    render.progress("Reading role, key and policies from AWS.")
    session = aws_session.new_session()
    with render.waiting("Waiting for AWS"):
        return collect(
            Registration(found["role_arn"], found["kms_arn"], found["external_id"]),
            lambda _account: session,
            lambda: aws_session.client(session, "organizations", "us-east-1"),
        )


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


def _output_value(outputs: Mapping[str, Any], name: str) -> str | None:
    found = outputs.get(name)
    return found if isinstance(found, str) and found else None


def _useless(option: str) -> BadInput:
    return useless(
        option,
        f"{option} means nothing beside what else was given.",
        "Give ARNs and external id, or --from-terraform, or --from-plan (and its --module).",
    )
