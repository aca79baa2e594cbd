"""`ekm register`, which is also `ekm-register`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from openai_ekm.cli import fleet, inputs, render, retire
from openai_ekm.cli.fleet import read_manifest
from openai_ekm.cli.inputs import outputs_source, read_outputs
from openai_ekm.cli.options import IntentOptions, PlaceOptions
from openai_ekm.cli.session import Session, parse_record_location
from openai_ekm.fleet import manifest
from openai_ekm.registration.intent import check_id
from openai_ekm.registration.record import as_json
from openai_ekm.registration.register import register
from openai_ekm.registration.ssm_store import SsmStore

if TYPE_CHECKING:
    from openai_ekm.fleet.manifest import Entry
    from openai_ekm.registration.register import Registered

__all__ = ["run"]


_OF_ONE_REGISTRATION = (
    "role_arn",
    "kms_arn",
    "external_id",
    "name",
    "record",
    "external_key",
    "module",
    "retire",
    "delete_record",
)


@dataclass(frozen=True, kw_only=True)
class RegisterOptions(IntentOptions, PlaceOptions, retire.Settings):
    """Options of `ekm register`."""

    projects: tuple[str, ...]
    external_key: str | None
    retire: bool
    manifest: str | None
    concurrency: int | None
    plan: bool


def run(options: RegisterOptions) -> int:
    """Run `ekm register`."""
    outputs = read_outputs(options.from_terraform) if options.from_terraform is not None else None
    entries = _entries(options, None if options.module else outputs)
    if entries:
        _refuse_beside_a_fleet(options)
        return fleet.carry_out(entries, options)
    if options.plan or options.concurrency is not None:
        raise inputs.useless_beside(
            "--plan" if options.plan else "--concurrency", "a single registration"
        )
    given = inputs.gather(options, outputs=outputs, projects=options.projects)
    if options.retire:
        if options.external_key is not None:
            raise inputs.useless_beside("--external-key", "--retire")
        retire.carry_out(given, options)
        return 0
    if options.delete_record:
        raise inputs.useless(
            "--delete-record",
            "--delete-record goes with --retire alone: a registration needs its record.",
            "Leave it out, or add --retire.",
        )
    result, calls, place = _register(given, options)
    if options.as_json:
        render.document(_as_json(result, calls, place))
    else:
        render.result(*_as_text(result, place))
    return 0


def _entries(options: RegisterOptions, outputs: dict[str, Any] | None) -> tuple[Entry, ...]:
    """Return a fleet, from the manifest or Terraform's outputs; empty when there is none."""
    if options.manifest is not None:
        return manifest.with_projects(read_manifest(options.manifest), options.projects)
    if outputs is None:
        return ()
    source = outputs_source(options.from_terraform or "")
    found = manifest.fleet_of_outputs(outputs, source, parse_record_location)
    return manifest.with_projects(found, options.projects) if found else ()


def _refuse_beside_a_fleet(options: RegisterOptions) -> None:
    """Refuse an option that names one registration: it means nothing beside many.

    The environment may set some for other verbs; those are not refused.

    Raises:
        BadInput: Such an option was given.
    """
    fleet_of = "--manifest" if options.manifest is not None else "a fleet"
    names = [*_OF_ONE_REGISTRATION, *(["from_terraform"] if options.manifest is not None else [])]
    context = click.get_current_context()
    for name in names:
        source = context.get_parameter_source(name)
        if getattr(options, name) and source is click.core.ParameterSource.COMMANDLINE:
            raise inputs.useless_beside("--" + name.replace("_", "-"), fleet_of)


def _register(given: inputs.Given, options: RegisterOptions) -> tuple[Registered, int, str]:
    intent = given.intent()
    place = parse_record_location(given.record)
    if place.kind == "ssm":
        SsmStore.check_room(given.projects)
    if options.external_key is not None:
        check_id(options.external_key, "--external-key")
    session = Session(place, admin_key_from=options.admin_key_from, account=intent.account)
    wanted = session.register_request(
        intent, given.projects, place, wait=options.wait, adopt=options.external_key
    )
    runner = session.runner()
    with render.waiting(f"Registering {intent.name}"):
        result = runner.run(register(wanted))
    return result, runner.calls, str(place)


def _as_json(result: Registered, calls: int, place: str) -> dict[str, Any]:
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


def _as_text(result: Registered, place: str) -> list[str]:
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
    return lines
