"""`ekm validate`."""

from __future__ import annotations

import click

from ekm.cli import options, render
from ekm.cli.wiring import Desk, parse_place
from ekm.errors import BadInput, OpenAIRefused

__all__ = ["command"]


@click.command("validate", context_settings={"help_option_names": ["-h", "--help"]})
@options.place_options
@click.option("--id", "external_key_id", metavar="ID", help="The registration, without a record.")
@options.openai_options
@options.json_option
def command(
    *,
    record: str | None,
    from_terraform: str | None,
    external_key_id: str | None,
    admin_key_from: str | None,
    as_json: bool,
) -> None:
    """Ask OpenAI now whether it can use the key.

    Right after a revocation it fails at once, while data stays readable for up to an hour from
    OpenAI's cache. It changes nothing; exit code 4 when OpenAI cannot use the key.

    \b
    Examples:
      ekm validate --from-terraform .
      ekm validate --record ssm:/openai-ekm/prod --json
      ekm validate --id extkey_0123
    """
    from ekm.registrar.intent import check_id  # noqa: PLC0415 - `--help` needs none of it

    if external_key_id is not None:
        check_id(external_key_id, "--id")
        desk = Desk(None, admin_key_from=admin_key_from)
        found = external_key_id
    else:
        given = options.gather(record=record, from_terraform=from_terraform)
        place = parse_place(given.record)
        desk = Desk(place, admin_key_from=admin_key_from, account=given.account())
        found = recorded_id(desk)
    render.progress("Asking OpenAI to use the key.")
    try:
        desk.api().validate_external_key(found)
    except OpenAIRefused as refusal:
        explain(desk, refusal)
        raise
    if as_json:
        render.document({"status": "success", "external_key_id": found})
    else:
        click.echo(f"OpenAI can use the key now: {found} validates.")


def explain(desk: Desk, refusal: OpenAIRefused) -> None:
    """End a refusal with the diagnosis, where AWS may be asked and the record says about what."""
    from ekm.cli.explain import explainer  # noqa: PLC0415 - only after a refusal

    record = desk.store.read() if desk.store is not None and desk.may_ask_aws else None
    if record is None:
        return
    explanation = explainer(desk.session())(record.intent)
    if explanation is not None:
        if refusal.id != "aws_key_unusable":  # of a key's state AWS's own words say it all
            refusal.message = f"{refusal.message} ({explanation.message})"
        refusal.at_fault = explanation.at_fault or refusal.at_fault
        refusal.remedy = explanation.remedy or refusal.remedy


def recorded_id(desk: Desk) -> str:
    """The external key's id in the record.

    Raises:
        BadInput: No record, or none with a live registration.
    """
    assert desk.store is not None
    record = desk.store.read()
    if record is None or record.live_id is None:
        state = "There is no record" if record is None else f"The record says {record.state.value}"
        raise BadInput(
            "nothing_registered",
            f"{state} at {desk.place}: no registration to ask about.",
            at_fault="--record",
            remedy="Register first (`ekm register`), or give --id extkey_….",
        )
    return record.live_id
