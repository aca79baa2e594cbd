"""`ekm adopt`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from ekm.cli import options, render
from ekm.cli.wiring import Desk, Place, list_lag, parse_place
from ekm.errors import BadInput

if TYPE_CHECKING:
    import boto3

    from ekm.registrar.adoption.plan import Adoption
    from ekm.registrar.intent import Intent
    from ekm.registrar.register import Registered

__all__ = ["command"]

_INDEX: Final = r'(?:\[(?:[0-9]+|"[^"\\$%]+")\])?'
_ADDRESS: Final = re.compile(
    rf"module\.[A-Za-z_][A-Za-z0-9_-]*{_INDEX}(?:\.module\.[A-Za-z_][A-Za-z0-9_-]*{_INDEX})*"
)


@click.command("adopt", context_settings={"help_option_names": ["-h", "--help"]})
@options.intent_options
@options.place_options
@click.option(
    "--adopt",
    "--external-key",
    "adopt",
    metavar="ID",
    help="The registration (extkey_…); enough by itself.",
)
@click.option(
    "--module-address",
    default="module.ekm",
    show_default=True,
    metavar="ADDRESS",
    help='Where the module is called, as in `module.ekm["prod"]`.',
)
@click.option(
    "--keep-key",
    is_flag=True,
    help="Leave key and key policy outside the module (kms_key_arn).",
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
    adopt: str | None,
    module_address: str,
    keep_key: bool,
    wait: int,
    admin_key_from: str | None,
    as_json: bool,
) -> None:
    """Bring a set-up made by hand, or by another tool, under the module.

    Finds the registration at OpenAI, reads its key and role in AWS, writes the record, and
    prints the import blocks, the module call and the order of steps. It makes nothing at OpenAI
    and changes nothing in AWS but the record.

    \b
    Examples:
      ekm adopt --adopt extkey_0123
      ekm adopt --role-arn arn:aws:iam::111122223333:role/OpenAI --record ssm:/openai-ekm/prod
      ekm adopt --adopt extkey_0123 --module-address 'module.ekm["prod"]' --json
    """
    given = options.gather(
        role_arn=role_arn,
        kms_arn=kms_arn,
        external_id=external_id,
        name=name,
        record=record,
        from_terraform=from_terraform,
    )
    if not _ADDRESS.fullmatch(module_address):
        raise BadInput(
            "module_address_malformed",
            f"--module-address {module_address!r} is not the address of a module call.",
            at_fault="--module-address",
            remedy='Write it as Terraform does: module.ekm, or module.ekm["prod"].',
        )
    result, adoption, place = _adopt(
        given, adopt, module_address, wait, admin_key_from, keep_key=keep_key
    )
    if as_json:
        render.document(_as_json(result, adoption, place))
    else:
        click.echo(_as_text(result, adoption, place))


def _adopt(
    given: options.Given,
    adopt: str | None,
    module_address: str,
    wait: int,
    admin_key_from: str | None,
    *,
    keep_key: bool,
) -> tuple[Registered, Adoption, Place]:
    from functools import partial  # noqa: PLC0415 - `--help` needs none of it

    from ekm.registrar import aws  # noqa: PLC0415 - see above
    from ekm.registrar.adoption import aws as set_up  # noqa: PLC0415 - see above
    from ekm.registrar.adoption import plan as planning  # noqa: PLC0415 - see above
    from ekm.registrar.adoption import take_over  # noqa: PLC0415 - see above
    from ekm.registrar.intent import check_id  # noqa: PLC0415 - see above
    from ekm.registrar.listing import whole  # noqa: PLC0415 - see above
    from ekm.registrar.register import Wanted  # noqa: PLC0415 - see above
    from ekm.registrar.ssm import SsmStore  # noqa: PLC0415 - see above

    if adopt is not None:
        check_id(adopt, "--adopt")
    asked = {
        "role_arn": given.role_arn,
        "kms_arn": given.kms_arn,
        "external_id": given.external_id,
        "name": given.name,
    }
    first = Desk(None, admin_key_from=admin_key_from)
    render.progress("Looking for the registration at OpenAI, and for its key and role in AWS.")
    api = first.api()
    seen = partial(take_over.may_be, asked=asked, adopt=adopt)
    key = take_over.choose(
        whole(api.list_external_keys(), seen, api.get_external_key), asked, adopt
    )
    projects = take_over.project_names(key, api.list_projects()) if key.api_project_ids else ()
    intent = take_over.intent_of(key)
    role_name = intent.role_arn.rsplit("/", 1)[-1]
    place = parse_place(
        given.record or f"ssm:/openai-ekm/{planning.instance_name(None, role_name)}"
    )
    desk = Desk(place, admin_key_from=admin_key_from, account=intent.account)
    if place.kind == "file":  # else the desk has checked it
        aws.check_account(desk.session(), intent.account)
    else:
        SsmStore.check_room(projects)
    found = set_up.read(intent, desk.session())
    adoption = planning.plan(
        found,
        key,
        projects=projects,
        record=str(place),
        module_address=module_address,
        keep_key=keep_key,
        identity_suffices=_identity_suffices(intent, desk.session()),
    )
    wanted = Wanted(
        intent=intent,
        projects=projects,
        place=str(place),
        base_url=desk.base_url,
        adopt=key.id,
        wait=float(wait),
        list_lag=list_lag(),
        calls_per_minute=desk.calls_per_minute,
    )
    return desk.runner().run(take_over.adopted(wanted)), adoption, place


def _identity_suffices(intent: Intent, session: boto3.Session) -> bool | None:
    """Whether the role's own policies let it use the key, once the key policy only delegates.

    The module's key policy leaves the granting to the role's policy, and Terraform changes the
    key before the role's policy, which names the key.
    """
    from dataclasses import replace  # noqa: PLC0415 - `--help` needs none of it

    from ekm.diagnosis import Outcome, diagnose  # noqa: PLC0415 - see above
    from ekm.snapshot.aws import collect  # noqa: PLC0415 - see above
    from ekm.snapshot.unseen import UNSEEN  # noqa: PLC0415 - see above

    snapshot = collect(intent, lambda _account: session)
    if snapshot.keys is UNSEEN or not snapshot.keys:
        return None
    if diagnose(snapshot).outcome is not Outcome.OK:
        render.progress("As it is, OpenAI cannot use this key: `ekm diagnose` says why.")
        return None
    delegation = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{intent.account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    keys = tuple(replace(key, policy=delegation) for key in snapshot.keys)
    return diagnose(replace(snapshot, keys=keys)).outcome is Outcome.OK


def _as_json(result: Registered, adoption: Adoption, place: Place) -> dict[str, Any]:
    from ekm.registrar.adoption import text  # noqa: PLC0415 - `--help` needs none of it
    from ekm.registrar.record import as_json  # noqa: PLC0415 - see above

    return {
        "external_key_id": result.external_key_id,
        "projects": [{"name": it.name, "id": it.id} for it in result.projects],
        "module_address": adoption.module_address,
        "imports": [{"to": it.to, "id": it.id} for it in adoption.imports],
        "variables": dict(adoption.variables),
        "hcl": {
            "imports": text.import_blocks(adoption),
            "module": text.module_block(adoption),
        },
        "changes": [
            {"address": it.address, "action": it.action, "what": it.what} for it in adoption.changes
        ],
        "before": list(adoption.before),
        "after": list(adoption.after),
        "notices": [*result.notices, *adoption.notices],
        "record_place": str(place),
        "record": as_json(result.record),
    }


def _as_text(result: Registered, adoption: Adoption, place: Place) -> str:
    from ekm.registrar.adoption import text  # noqa: PLC0415 - `--help` needs none of it

    head = (
        f"# Adopted {result.external_key_id} ({result.record.intent.name}); the record is {place}."
    )
    steps = "\n".join(f"# {line}" for line in text.words(adoption).splitlines())
    parts = (head, text.import_blocks(adoption), text.module_block(adoption), steps)
    return "\n\n".join(parts)
