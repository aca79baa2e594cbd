"""`ekm snapshot`: collect what bears on a key, from AWS, a plan, or the module's outputs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ekm.cli import render
from ekm.cli.options import outputs_source, outputs_text
from ekm.errors import BadInput

if TYPE_CHECKING:
    from ekm.snapshot import Snapshot

__all__ = [
    "Source",
    "collected",
    "collected_unless_given",
    "command",
    "offline_option",
    "source_options",
]

Command = TypeVar("Command", bound=Callable[..., Any])
_INTENT = ("role_arn", "kms_arn", "external_id")


@dataclass(frozen=True, slots=True)
class Source:
    """What a snapshot is to be made from."""

    role_arn: str | None = None
    kms_arn: str | None = None
    external_id: str | None = None
    from_terraform: str | None = None
    from_plan: str | None = None
    module: str | None = None


@dataclass(frozen=True, slots=True)
class _Registered:
    """What `ekm.snapshot.aws.collect` looks up."""

    role_arn: str
    kms_arn: str
    external_id: str


def offline_option(command: Command) -> Command:
    """`--offline`, for the verbs that judge."""
    return click.option(
        "--offline", is_flag=True, help="With --from-terraform: outputs alone, no AWS."
    )(command)


def source_options(command: Command) -> Command:
    """The options that say where a snapshot comes from."""
    for option in (
        click.option(
            "--module",
            metavar="ADDRESS",
            help="Which instance, where there are several.",
        ),
        click.option(
            "--from-plan", metavar="FILE|-", help="Read `terraform show -json PLAN`; no AWS."
        ),
        click.option(
            "--from-terraform",
            metavar="DIR|-",
            help="Read `terraform output -json` in DIR, or from stdin.",
        ),
        click.option("--external-id", metavar="TEXT", help="The external id that is registered."),
        click.option("--kms-arn", metavar="TEXT", help="ARN of the KMS key."),
        click.option("--role-arn", metavar="TEXT", help="ARN of the role that OpenAI assumes."),
    ):
        command = option(command)
    return command


@click.command("snapshot", context_settings={"help_option_names": ["-h", "--help"]})
@source_options
@click.option("--json", is_flag=True, expose_value=False, help="A snapshot is JSON in any case.")
def command(**given: str | None) -> None:
    """Collect all that bears on a key, as one JSON document.

    With ARNs it reads AWS: what is in force. From a plan or from outputs it reads those alone:
    what Terraform will apply, or applied last. What they do not know stays out.

    \b
    Examples:
      ekm snapshot --role-arn ARN --kms-arn ARN --external-id org-… > s.json
      ekm snapshot --from-terraform . > s.json
      terraform show -json PLAN | ekm snapshot --from-plan - | ekm diagnose -
    """
    source = Source(**given)
    live = source.from_terraform is None and source.from_plan is None
    render.document(collected(source, live=live).as_json())


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
        live = source.from_plan is None and not (offline and source.from_terraform is not None)
        return collected(source, live=live)
    if source != Source() or offline:
        raise BadInput(
            "option_useless",
            "A snapshot was given, and where to collect one as well.",
            at_fault="SNAPSHOT",
            remedy="Give one of the two.",
        )
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
        from ekm.snapshot import file, plan  # noqa: PLC0415 - `--help` needs none of it

        body = file.read_json(source.from_plan, what="a plan as JSON")
        return plan.snapshot_of(body, module=source.module)
    if source.module is not None and source.from_terraform is None:
        raise _useless("--module")
    values: dict[str, str | None] = {name: getattr(source, name) for name in _INTENT}
    if source.from_terraform is not None:
        outputs = _of_instance(_outputs(source.from_terraform), source.module)
        if not live:
            if given:
                raise _useless("--from-terraform")
            from ekm.snapshot import terraform  # noqa: PLC0415 - `--help` needs none of it

            return terraform.snapshot_of(outputs)
        values = {name: values[name] or _told(outputs, name) for name in _INTENT}
    for name in _INTENT:
        values[name] = values[name] or os.environ.get(f"EKM_{name.upper()}") or None
        if values[name] is None:
            option = "--" + name.replace("_", "-")
            raise BadInput(
                "option_missing",
                f"{option} is missing: neither given, nor in EKM_{name.upper()}, nor in "
                "Terraform's outputs.",
                at_fault=option,
                remedy="Give --role-arn, --kms-arn and --external-id, or --from-terraform DIR, or "
                "--from-plan FILE.",
            )
    return _live(_Registered(*(values[name] or "" for name in _INTENT)))


def _live(registered: _Registered) -> Snapshot:
    from ekm.registrar.aws import client, new_session  # noqa: PLC0415 - boto3 only where needed
    from ekm.snapshot.aws import collect  # noqa: PLC0415 - see above

    render.progress("Reading role, key and policies from AWS.")
    session = new_session()
    return collect(
        registered,
        lambda _account: session,
        lambda: client(session, "organizations", "us-east-1"),
    )


def _outputs(source: str) -> dict[str, Any]:
    from ekm.policy.json_text import loads  # noqa: PLC0415 - `--help` needs none of it

    try:
        value = loads(outputs_text(source))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BadInput(
            "terraform_outputs_malformed",
            f"{outputs_source(source)} is no JSON object.",
            at_fault="--from-terraform",
            remedy="Run `terraform output -json` there by hand.",
        )
    return value


def _of_instance(outputs: dict[str, Any], module: str | None) -> dict[str, Any]:
    """The outputs of the instance that is meant: `ekm` may be a map of several."""
    output = outputs.get("ekm")
    found = output.get("value") if isinstance(output, dict) else None
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        if module is not None:
            raise _useless("--module")
        return outputs
    name = module or ""
    if name.endswith('"]'):  # module.ekm["prod"], as a plan and `terraform state list` have it
        name = name.partition('["')[2].removesuffix('"]')
    if name not in found:
        raise BadInput(
            "terraform_outputs_fleet",
            f"The output ekm has {len(found)} registrations: "
            f"{', '.join(list(found)[:5])}{' …' if len(found) > 5 else ''}; "  # noqa: PLR2004
            f"this needs one{f', and {module} is none of them' if module else ''}.",
            at_fault="--module" if module else "--from-terraform",
            remedy="Choose one with --module NAME.",
        )
    return {"ekm": {"value": found[name]}}


def _told(outputs: dict[str, Any], name: str) -> str | None:
    values = {key: each.get("value") for key, each in outputs.items() if isinstance(each, dict)}
    inner = values.get("ekm")
    found = (inner if isinstance(inner, dict) else values).get(name)
    return found if isinstance(found, str) and found else None


def _useless(option: str) -> BadInput:
    return BadInput(
        "option_useless",
        f"{option} means nothing beside what else was given.",
        at_fault=option,
        remedy="Give ARNs and external id, or --from-terraform, or --from-plan (and its --module).",
    )
