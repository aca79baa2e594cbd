"""`ekm retire`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ekm.cli import options, render
from ekm.cli.wiring import Desk, list_lag, parse_place

if TYPE_CHECKING:
    from ekm.registrar.retire import Retired

__all__ = ["carry_out", "command"]


@click.command("retire", context_settings={"help_option_names": ["-h", "--help"]})
@options.place_options
@options.intent_options
@options.confirm_option
@click.option("--delete-record", is_flag=True, help="Delete the record (and its claims) last.")
@options.wait_option
@options.openai_options
@options.json_option
def command(
    *,
    role_arn: str | None,
    kms_arn: str | None,
    external_id: str | None,
    name: str | None,
    record: str | None,
    from_terraform: str | None,
    confirm_archive: str | None,
    delete_record: bool,
    wait: int,
    admin_key_from: str | None,
    as_json: bool,
) -> None:
    """Undo a registration, in the order that loses nothing.

    Refuses while projects are active on the key: archiving is for good, and takes the external
    key's id for this run. Nothing in AWS is changed but the record; the KMS key stays usable.

    \b
    Examples:
      ekm retire --record ssm:/openai-ekm/prod
      ekm retire --record file:prod.json --confirm-archive extkey_0123
    """
    given = options.gather(
        role_arn=role_arn,
        kms_arn=kms_arn,
        external_id=external_id,
        name=name,
        record=record,
        from_terraform=from_terraform,
    )
    carry_out(
        given,
        wait=wait,
        admin_key_from=admin_key_from,
        confirm=confirm_archive,
        delete_record=delete_record,
        as_json=as_json,
    )


def carry_out(
    given: options.Given,
    *,
    wait: int,
    admin_key_from: str | None,
    confirm: str | None,
    delete_record: bool,
    as_json: bool,
) -> None:
    """Retire what was given, and print what came of it."""
    from ekm.registrar.intent import check_id  # noqa: PLC0415 - `--help` needs none of it
    from ekm.registrar.retire import Unwanted, retire  # noqa: PLC0415 - see above

    intent = given.intent_if_any()
    place = parse_place(given.record)
    if confirm is not None:
        check_id(confirm, "--confirm-archive")
    desk = Desk(place, admin_key_from=admin_key_from, account=intent.account if intent else None)
    unwanted = Unwanted(
        place=str(place),
        base_url=desk.base_url,
        intent=intent,
        confirm=confirm,
        delete_record=delete_record,
        wait=float(wait),
        list_lag=list_lag(),
    )
    result = desk.runner().run(retire(unwanted))
    if as_json:
        render.document(
            {
                "result": result.how,
                "external_key_id": result.external_key_id,
                "archived_projects": list(result.archived),
                "record_place": str(place),
                "record": result.record,
            }
        )
    else:
        click.echo(_as_text(result, str(place)))


def _as_text(result: Retired, place: str) -> str:
    said = {
        "deleted": f"Deleted the registration {result.external_key_id} at OpenAI.",
        "gone": f"The registration {result.external_key_id} was gone already.",
        "nothing": "Nothing was registered.",
    }[result.how]
    lines = [said]
    lines += [f"  archived  {project}" for project in result.archived]
    lines.append(
        {
            "deleted": f"  record    {place} (deleted)",
            "retired": f"  record    {place} (says retired)",
        }.get(result.record, f"  record    {place} (none)")
    )
    lines.append(
        "Next: what was encrypted stays readable while the KMS key is usable; wait an hour for "
        "OpenAI's caches before you touch the key, and delete it last."
    )
    return "\n".join(lines)
