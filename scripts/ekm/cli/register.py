"""`ekm register`, which is also `ekm-register`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ekm.cli import options, render
from ekm.cli.retire import carry_out as carry_out_retire
from ekm.cli.wiring import Desk, list_lag, parse_place
from ekm.errors import BadInput

if TYPE_CHECKING:
    from ekm.registrar.fleet.manifest import Entry
    from ekm.registrar.register import Registered

__all__ = ["command"]


@click.command("register", context_settings={"help_option_names": ["-h", "--help"]})
@options.intent_options
@click.option(
    "--project",
    "projects",
    multiple=True,
    metavar="NAME",
    help="A project to make with the key; repeatable.  [env var: EKM_PROJECTS, a JSON list]",
)
@options.place_options
@click.option("--adopt", metavar="ID", help="Take this registration when several match.")
@options.wait_option
@options.openai_options
@click.option("--retire", is_flag=True, help="Do the reverse, as `ekm retire`.")
@click.option("--delete-record", is_flag=True, help="With --retire: delete the record last.")
@options.confirm_option
@click.option(
    "--manifest", metavar="FILE|-", help="A fleet file, ekm-fleet/1, YAML or JSON: registers all."
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Registrations of a fleet at a time; the pace is shared.  [default: 16]",
)
@click.option("--plan", is_flag=True, help="Of a fleet: print its budget, and do nothing.")
@options.json_option
def command(
    *,
    role_arn: str | None,
    kms_arn: str | None,
    external_id: str | None,
    name: str | None,
    projects: tuple[str, ...],
    record: str | None,
    from_terraform: str | None,
    adopt: str | None,
    wait: int,
    admin_key_from: str | None,
    retire: bool,
    delete_record: bool,
    confirm_archive: str | None,
    manifest: str | None,
    concurrency: int | None,
    plan: bool,
    as_json: bool,
) -> int:
    """Register the key with OpenAI, make its projects, and record it.

    Run it as often as you like: one name, role, key and external id end as one registration
    and one project a name. What is there is adopted.

    A fleet, by --manifest or by Terraform's output `ekm` when it is a map of module outputs,
    ends the same for each of its entries: exit 1 when one failed, and the next run does the
    rest.

    \b
    Examples:
      ekm register --from-terraform .
      terraform output -json | ekm register --from-terraform -
      ekm register --role-arn arn:aws:iam::111122223333:role/openai-ekm \\
        --kms-arn arn:aws:kms:eu-west-1:111122223333:key/UUID \\
        --external-id org-abc123 --name prod --project prod --record file:prod.json
      ekm register --manifest fleet.yaml --plan
      ekm register --manifest fleet.yaml

    \b
    Environment:
      OPENAI_ADMIN_KEY      the admin key
      OPENAI_BASE_URL       default https://api.openai.com/v1; http only on loopback
      EKM_CALLS_PER_MINUTE  to each endpoint, default 7; 0 for no pacing
      EKM_LIST_LAG_SECONDS  how long to look for what an unanswered create made, default 75
    """
    text = options.outputs_text(from_terraform) if from_terraform is not None else None
    entries = _entries(manifest, from_terraform, text, projects)
    if entries:
        beside = "--manifest" if manifest is not None else "a fleet"
        _refuse_beside_a_fleet(
            beside,
            {
                "--role-arn": role_arn,
                "--kms-arn": kms_arn,
                "--external-id": external_id,
                "--name": name,
                "--record": record,
                "--adopt": adopt,
                "--retire": retire or None,
                "--delete-record": delete_record or None,
                "--from-terraform": from_terraform if manifest is not None else None,
            },
        )
        from ekm.cli import fleet  # noqa: PLC0415 - `--help` needs none of it
        from ekm.registrar.fleet.run import CONCURRENCY  # noqa: PLC0415 - see above

        settings = fleet.Settings(wait, admin_key_from, concurrency or CONCURRENCY, plan, as_json)
        return fleet.carry_out(entries, settings)
    if plan or concurrency is not None:
        raise _useless("--plan" if plan else "--concurrency", "a single registration")
    given = options.gather(
        role_arn=role_arn,
        kms_arn=kms_arn,
        external_id=external_id,
        name=name,
        record=record,
        projects=projects,
        from_terraform=from_terraform,
        outputs_text=text,
    )
    if retire:
        if adopt is not None:
            raise _useless("--adopt", "--retire")
        carry_out_retire(
            given,
            wait=wait,
            admin_key_from=admin_key_from,
            confirm=confirm_archive,
            delete_record=delete_record,
            as_json=as_json,
        )
        return 0
    if delete_record:
        raise BadInput(
            "option_useless",
            "--delete-record goes with --retire alone: a registration needs its record.",
            at_fault="--delete-record",
            remedy="Leave it out, or add --retire.",
        )
    result, calls, place = _register(given, adopt, wait, admin_key_from)
    if as_json:
        render.document(_as_json(result, calls, place))
    else:
        click.echo(_as_text(result, place))
    return 0


def _entries(
    file: str | None, from_terraform: str | None, text: str | None, projects: tuple[str, ...]
) -> tuple[Entry, ...]:
    """A fleet, from the manifest or Terraform's outputs; empty when there is none."""
    if file is None and text is None:
        return ()
    from ekm.registrar.fleet import manifest  # noqa: PLC0415 - `--help` needs none of it

    if file is not None:
        from ekm.cli.fleet import read_manifest  # noqa: PLC0415 - see above

        return manifest.with_projects(read_manifest(file), projects)
    source = options.outputs_source(from_terraform or "")
    found = manifest.fleet_of_outputs(text or "", source, parse_place)
    return manifest.with_projects(found, projects) if found else ()


def _refuse_beside_a_fleet(fleet: str, given: dict[str, object]) -> None:
    """An option that names one registration means nothing beside many.

    The environment may set some for other verbs; those are not refused.
    """
    context = click.get_current_context()
    for option, value in given.items():
        parameter = option.removeprefix("--").replace("-", "_")
        source = context.get_parameter_source(parameter)
        if value is not None and source is click.core.ParameterSource.COMMANDLINE:
            raise _useless(option, fleet)


def _register(
    given: options.Given, adopt: str | None, wait: int, admin_key_from: str | None
) -> tuple[Registered, int, str]:
    from ekm.registrar.intent import check_id  # noqa: PLC0415 - `--help` needs none of it
    from ekm.registrar.register import Wanted, register  # noqa: PLC0415 - see above
    from ekm.registrar.ssm import SsmStore  # noqa: PLC0415 - see above

    intent = given.intent()
    place = parse_place(given.record)
    if place.kind == "ssm":
        SsmStore.check_room(given.projects)
    if adopt is not None:
        check_id(adopt, "--adopt")
    desk = Desk(place, admin_key_from=admin_key_from, account=intent.account)
    wanted = Wanted(
        intent=intent,
        projects=given.projects,
        place=str(place),
        base_url=desk.base_url,
        adopt=adopt,
        wait=float(wait),
        list_lag=list_lag(),
        calls_per_minute=desk.calls_per_minute,
    )
    runner = desk.runner()
    result = runner.run(register(wanted))
    return result, runner.calls, str(place)


def _as_json(result: Registered, calls: int, place: str) -> dict[str, Any]:
    from ekm.registrar.record import as_json  # noqa: PLC0415 - `--help` needs none of it

    return {
        "result": result.how,
        "external_key_id": result.external_key_id,
        "projects": [
            {"name": project.name, "id": project.id, "result": project.how}
            for project in result.projects
        ],
        "notices": list(result.notices),
        "calls": calls,
        "record_place": place,
        "record": as_json(result.record),
    }


def _as_text(result: Registered, place: str) -> str:
    record = result.record
    said = {
        "created": "Registered the key as",
        "adopted": "Adopted the registration",
        "unchanged": "Already registered as",
    }[result.how]
    lines = [
        f"{said} {result.external_key_id} ({record.intent.name}) at {record.base_url}.",
        f"  role         {record.intent.role_arn}",
        f"  key          {record.intent.kms_arn}",
        f"  external id  {record.intent.external_id}",
    ]
    lines += [
        f"  project      {project.name} {project.id} ({project.how})" for project in result.projects
    ]
    lines += [f"  validated    {record.validated_at}", f"  record       {place}"]
    lines += [f"Note: {notice}" for notice in result.notices]
    if result.projects:
        lines.append(
            "Next: give these projects to those who work with OpenAI; what they store there is "
            "encrypted under your key."
        )
    else:
        lines.append(
            "Next: no project uses the key yet, so nothing is encrypted; run again with "
            "--project NAME."
        )
    return "\n".join(lines)


def _useless(option: str, beside: str) -> BadInput:
    return BadInput(
        "option_useless",
        f"{option} means nothing beside {beside}.",
        at_fault=option,
        remedy="Leave one of the two out.",
    )
