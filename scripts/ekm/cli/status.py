"""`ekm status`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ekm.cli import options, render
from ekm.cli.drill import note_store
from ekm.cli.wiring import Desk, parse_place

if TYPE_CHECKING:
    from ekm.admin_api.objects import ExternalKey
    from ekm.drill.note import Note
    from ekm.registrar.intent import Intent
    from ekm.registrar.status import KeyState, Status

__all__ = ["command"]


@click.command("status", context_settings={"help_option_names": ["-h", "--help"]})
@options.place_options
@click.option(
    "--key-state/--no-key-state",
    default=None,
    help="Ask AWS for the KMS key's state.  [default: yes with a record in SSM]",
)
@options.openai_options
@options.json_option
def command(
    *,
    record: str | None,
    from_terraform: str | None,
    key_state: bool | None,
    admin_key_from: str | None,
    as_json: bool,
) -> int:
    """Show record, registration, projects and key state, and where they differ.

    It changes nothing; exit code 1 when something differs.

    \b
    Examples:
      ekm status --from-terraform .
      ekm status --record file:prod.json --json
    """
    from functools import partial  # noqa: PLC0415 - `--help` needs none of it

    from ekm.registrar import status as statuses  # noqa: PLC0415 - see above
    from ekm.registrar.listing import whole  # noqa: PLC0415 - see above
    from ekm.registrar.matching import matches  # noqa: PLC0415 - see above

    given = options.gather(record=record, from_terraform=from_terraform)
    place = parse_place(given.record)
    desk = Desk(place, admin_key_from=admin_key_from, account=given.account())
    assert desk.store is not None
    found = desk.store.read()
    render.progress("Asking OpenAI and AWS for what is there.")
    api = desk.api()
    key: ExternalKey | None = None
    if found is not None and found.external_key_id is not None:
        key = _fetched(desk, found.external_key_id)
    projects = api.list_projects() if key is not None else ()
    registered: tuple[ExternalKey, ...] = ()
    if found is not None and key is not None:
        listed = api.list_external_keys()
        registered = whole(listed, partial(matches, found.intent), api.get_external_key)
    ask_aws = desk.may_ask_aws if key_state is None else key_state
    state = _key_state(desk, found.intent) if found is not None and ask_aws else None
    judged = statuses.judge(str(place), found, key, projects, state, registered=registered)
    note = note_store(desk, place).read()
    if note is not None:
        judged = replace(judged, differences=(*judged.differences, _standing(note, str(place))))
    if as_json:
        standing = None if note is None else {"begun_at": note.begun_at, "method": note.method}
        render.document({**judged.as_json(), "drill": standing})
    else:
        click.echo(_as_text(judged))
    return 1 if judged.differences else 0


def _standing(note: Note, place: str) -> str:
    return (
        f"A drill of {note.begun_at} (by {note.caller}, on {note.host}) has cut access, or is "
        f"about to, by {note.method.value}. It may be running; if it is not, `ekm drill restore "
        f"--record {place}` gives access back."
    )


def _fetched(desk: Desk, id: str) -> ExternalKey | None:
    from ekm.admin_api import ApiRefused, Kind  # noqa: PLC0415 - `--help` needs none of it

    try:
        return desk.api().get_external_key(id)
    except ApiRefused as refused:
        if refused.refusal.kind is not Kind.GONE:
            raise
        return None


def _key_state(desk: Desk, intent: Intent) -> KeyState | None:
    """The key's state; None, and a line that says so, when it may not be read."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - only where AWS is called

    from ekm.registrar import aws  # noqa: PLC0415 - see above
    from ekm.registrar.status import KeyState  # noqa: PLC0415 - see above

    region = intent.kms_arn.split(":")[3]
    kms = aws.client(desk.session(), "kms", region=region)
    with aws.translated("kms:DescribeKey"):
        try:
            metadata = kms.describe_key(KeyId=intent.kms_arn)["KeyMetadata"]
        except ClientError as failure:
            match failure.response["Error"]["Code"]:
                case "NotFoundException":
                    return KeyState("NotFound")
                case "AccessDeniedException":
                    render.progress("The key's state is not shown: kms:DescribeKey is denied.")
                    return None
                case _:
                    raise
    return KeyState(metadata["KeyState"], metadata["Arn"])


def _as_text(status: Status) -> str:
    record, key = status.record, status.key
    lines = [f"record        {status.place}: {record.state.value if record else 'none'}"]
    if record:
        lines += [
            f"  role        {record.intent.role_arn}",
            f"  key         {record.intent.kms_arn}",
            f"  external id {record.intent.external_id}",
        ]
    lines.append(f"registration  {key.id if key else 'none'}")
    if key:
        names = {project.id: project.name for project in status.projects}
        lines += [
            f"  project     {names.get(project) or '(unnamed)'} {project}"
            for project in key.api_project_ids
        ]
    if status.key_state:
        lines.append(f"KMS key       {status.key_state.state}")
    else:
        lines.append("KMS key       not looked at (--key-state asks AWS)")
    lines += [f"Differs: {difference}" for difference in status.differences]
    if not status.differences:
        lines.append("Nothing differs.")
    return "\n".join(lines)
