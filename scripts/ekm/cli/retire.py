"""`ekm retire`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ekm.cli import options, render
from ekm.cli.wiring import Desk, list_lag, parse_place

if TYPE_CHECKING:
    from ekm.registrar.retire import Retired, Unwanted
    from ekm.registrar.retire_plan import RetirePlan

__all__ = ["carry_out", "command"]


@click.command("retire", context_settings={"help_option_names": ["-h", "--help"]})
@options.place_options
@options.intent_options
@options.confirm_option
@click.option("--delete-record", is_flag=True, help="Delete the record (and its claims) last.")
@click.option(
    "--plan", "only_plan", is_flag=True, help="Show every step and what it ends; change nothing."
)
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
    only_plan: bool,
    wait: int,
    admin_key_from: str | None,
    as_json: bool,
) -> int:
    """Undo a registration, in the order that loses nothing.

    Refuses while projects are active on the key: archiving is for good, and takes the external
    key's id for this run. Nothing in AWS is changed but the record; the KMS key stays usable.

    \b
    Examples:
      ekm retire --record ssm:/openai-ekm/prod --plan
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
    if only_plan:
        return show_plan(
            given,
            admin_key_from=admin_key_from,
            confirm=confirm_archive,
            delete_record=delete_record,
            as_json=as_json,
        )
    carry_out(
        given,
        wait=wait,
        admin_key_from=admin_key_from,
        confirm=confirm_archive,
        delete_record=delete_record,
        as_json=as_json,
    )
    return 0


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
    from ekm.registrar.retire import retire  # noqa: PLC0415 - `--help` needs none of it

    unwanted, desk = _asked(
        given,
        wait=wait,
        admin_key_from=admin_key_from,
        confirm=confirm,
        delete_record=delete_record,
    )
    place = unwanted.place
    result = desk.runner().run(retire(unwanted))
    if as_json:
        render.document(
            {
                "result": result.how,
                "external_key_id": result.external_key_id,
                "archived_projects": list(result.archived),
                "record_place": place,
                "record": result.record,
            }
        )
    else:
        click.echo(_as_text(result, place))


def show_plan(
    given: options.Given,
    *,
    admin_key_from: str | None,
    confirm: str | None,
    delete_record: bool,
    as_json: bool,
) -> int:
    """Print what retiring would do; return the code that it would be refused with, or 0."""
    from ekm.registrar.retire_plan import retire_plan  # noqa: PLC0415 - `--help` needs none of it

    unwanted, desk = _asked(
        given, wait=0, admin_key_from=admin_key_from, confirm=confirm, delete_record=delete_record
    )
    plan = desk.runner().run(retire_plan(unwanted))
    if as_json:
        render.document(
            {
                "external_key_id": plan.external_key_id,
                "record_place": unwanted.place,
                "steps": [
                    {
                        "step": step.step,
                        "what": step.what,
                        "irreversible": step.irreversible,
                        "needs": step.needs,
                    }
                    for step in plan.steps
                ],
                "refusal": plan.refusal.as_json() if plan.refusal else None,
            }
        )
    else:
        click.echo(_plan_as_text(plan))
    return plan.refusal.exit_code if plan.refusal else 0


def _asked(
    given: options.Given,
    *,
    wait: int,
    admin_key_from: str | None,
    confirm: str | None,
    delete_record: bool,
) -> tuple[Unwanted, Desk]:
    """What is to be retired, and what to do it with."""
    from ekm.registrar.intent import check_id  # noqa: PLC0415 - `--help` needs none of it
    from ekm.registrar.retire import Unwanted  # noqa: PLC0415 - see above

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
    return unwanted, desk


def _plan_as_text(plan: RetirePlan) -> str:
    lines = ["This is a plan; nothing was changed."]
    if plan.refusal:
        lines += [f"Refused as asked: {plan.refusal.message}", f"  {plan.refusal.remedy}"]
        if plan.steps:
            lines.append("With that word given, it would:")
    for number, step in enumerate(plan.steps, 1):
        lines.append(f"  {number}. {step.what}")
        if step.irreversible:
            lines.append(f"     Irreversible: {step.irreversible}")
        if step.needs:
            lines.append(f"     Needs: {step.needs}")
    if not plan.steps and not plan.refusal:
        lines.append("There is nothing to retire.")
    lines.append(
        "The KMS key, its policy and the role are not part of it: keep them until nobody needs "
        "what was encrypted. A deleted KMS key takes all of that with it; docs/teardown.md."
    )
    return "\n".join(lines)


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
