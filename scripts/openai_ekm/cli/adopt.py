"""`ekm adopt`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from openai_ekm import aws_session
from openai_ekm.adoption import adopt_key, hcl_text
from openai_ekm.adoption import aws as set_up
from openai_ekm.adoption import plan as planning
from openai_ekm.cli import inputs, render
from openai_ekm.cli.options import IntentOptions, PlaceOptions
from openai_ekm.cli.session import RecordLocation, Session, parse_record_location
from openai_ekm.diagnosis import diagnose
from openai_ekm.errors import BadInput
from openai_ekm.printable import printable
from openai_ekm.registration.consistency import complete_keys
from openai_ekm.registration.intent import check_id
from openai_ekm.registration.record import as_json
from openai_ekm.registration.ssm_store import SsmStore
from openai_ekm.snapshot.aws import collect
from openai_ekm.snapshot.members import UNSEEN

if TYPE_CHECKING:
    import boto3

    from openai_ekm.adoption.plan import Adoption
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.register import Registered

__all__ = ["run"]

_INDEX: Final = r'(?:\[(?:[0-9]+|"[^"\\$%]+")\])?'
_ADDRESS: Final = re.compile(
    rf"module\.[A-Za-z_][A-Za-z0-9_-]*{_INDEX}(?:\.module\.[A-Za-z_][A-Za-z0-9_-]*{_INDEX})*"
)


@dataclass(frozen=True, kw_only=True)
class AdoptOptions(IntentOptions, PlaceOptions):
    """Options of `ekm adopt`."""

    external_key: str | None
    module_address: str
    module_source: str | None
    keep_key: bool
    wait: int
    admin_key_from: str | None
    as_json: bool


def run(options: AdoptOptions) -> None:
    """Run `ekm adopt`."""
    given = inputs.gather(options)
    if (
        not _ADDRESS.fullmatch(options.module_address)
        or printable(options.module_address) != options.module_address
    ):
        raise BadInput(
            "module_address_malformed",
            f"--module-address {options.module_address!r} is not the address of a module call.",
            at_fault="--module-address",
            remedy='Write it as Terraform does: module.ekm, or module.ekm["prod"].',
        )
    result, adoption, place = _adopt(given, options)
    if options.as_json:
        render.document(_as_json(result, adoption, place, options.module_source))
    else:
        render.verbatim(*_as_text(result, adoption, place, options.module_source))


def _adopt(
    given: inputs.Given, options: AdoptOptions
) -> tuple[Registered, Adoption, RecordLocation]:
    if options.external_key is not None:
        check_id(options.external_key, "--external-key")
    asked = given.intent_members()
    first = Session(None, admin_key_from=options.admin_key_from)
    render.progress("Looking for the registration at OpenAI, and for its key and role in AWS.")
    api = first.api()
    seen = partial(adopt_key.may_be, asked=asked, adopt=options.external_key)
    key = adopt_key.choose(
        complete_keys(api.list_external_keys(), seen, api.get_external_key),
        asked,
        options.external_key,
    )
    projects = adopt_key.project_names(key, api.list_projects()) if key.api_project_ids else ()
    intent = adopt_key.intent_of(key)
    role_name = intent.role_arn.rsplit("/", 1)[-1]
    place = parse_record_location(
        given.record or f"ssm:/openai-ekm/{planning.instance_name(None, role_name)}"
    )
    session = Session(place, admin_key_from=options.admin_key_from, account=intent.account)
    if place.kind == "file":  # else the session has checked it
        aws_session.check_account(session.aws_session(), intent.account)
    else:
        SsmStore.check_room(projects)
    found = set_up.read(intent, session.aws_session())
    adoption = planning.plan(
        found,
        key,
        projects=projects,
        record=str(place),
        module_address=options.module_address,
        keep_key=options.keep_key,
        identity_suffices=_identity_suffices(intent, session.aws_session()),
    )
    wanted = session.register_request(intent, projects, place, wait=options.wait, adopt=key.id)
    return session.runner().run(adopt_key.adopt_key(wanted)), adoption, place


def _identity_suffices(intent: Intent, session: boto3.Session) -> bool | None:
    """Return whether the role's own policies suffice once the key policy only delegates.

    The module's key policy leaves the granting to the role's policy, and Terraform changes the
    key before the role's policy, which names the key.
    """
    snapshot = collect(intent, lambda _account: session)
    if snapshot.keys is UNSEEN or not snapshot.keys:
        return None
    if not diagnose(snapshot).allows:
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
    return diagnose(replace(snapshot, keys=keys)).allows


def _as_json(
    result: Registered, adoption: Adoption, place: RecordLocation, source: str | None
) -> dict[str, Any]:
    return {
        "external_key_id": result.external_key_id,
        "projects": [{"name": it.name, "id": it.id} for it in result.projects],
        "module_address": adoption.module_address,
        "imports": [{"to": it.to, "id": it.id} for it in adoption.imports],
        "variables": dict(adoption.variables),
        "hcl": {
            "imports": hcl_text.import_blocks(adoption),
            "module": hcl_text.module_block(adoption, source),
            "output": hcl_text.output_block(adoption),
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


def _as_text(
    result: Registered, adoption: Adoption, place: RecordLocation, source: str | None
) -> list[str]:
    head = (
        f"# Adopted {result.external_key_id} ({result.record.intent.name}); the record is {place}."
    )
    return [
        head,
        "",
        *hcl_text.import_blocks(adoption).split("\n"),
        "",
        *hcl_text.module_block(adoption, source).split("\n"),
        "",
        *hcl_text.output_block(adoption).split("\n"),
        "",
        *(f"# {line}" for line in hcl_text.words(adoption, str(place))),
    ]
