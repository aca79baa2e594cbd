"""Checks of SCPs and RCPs: would they keep OpenAI from the role and the key?

The policies of role and key are taken to be the module's own, so that the answer is about the
organization alone and can be had before the first apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import region_of
from openai_ekm.diagnosis import diagnose
from openai_ekm.diagnosis.repairs.missing_statement import assume_by_openai, use_of_key
from openai_ekm.doctor.checks import Family, Line, State, unseen
from openai_ekm.doctor.permissions import DEFAULT_NAME, UNUSED_KEY, delegation
from openai_ekm.snapshot import Customer, Key, NamedPolicy, Registration, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.doctor.facts import Caller, Given, Organization

__all__ = ["check_organization"]

_ID: Final = "org-example"
_HINT: Final = (
    "Ask with credentials of the management account or a delegated administrator, or let its owner "
    "run `ekm snapshot` and `ekm diagnose`."
)


def check_organization(
    organization: Organization | None,
    caller: Caller | None,
    given: Given,
    *,
    region: str,
    blocked: str | None,
) -> list[Line]:
    """Judge SCPs and RCPs.

    Args:
        organization: As read.
        caller: In whose account the role and the key are, unless they are named.
        given: What is named.
        region: Of the key.
        blocked: Why nothing was read.
    """
    if organization is None or caller is None:
        why = blocked or "AWS Organizations was not asked."
        return [unseen(each, why) for each in ("organization_scps", "organization_rcps")]

    def taken(**levels: Any) -> Snapshot:
        return _snapshot(caller, given, region, **levels)

    return [
        _levels(
            "organization_scps", "SCP", organization.scps, lambda: taken(scps=organization.scps)
        ),
        _levels(
            "organization_rcps", "RCP", organization.rcps, lambda: taken(rcps=organization.rcps)
        ),
    ]


def _levels(
    check: str, word: str, levels: tuple[tuple[Any, ...], ...] | str, made: Callable[[], Snapshot]
) -> Line:
    if isinstance(levels, str):
        return unseen(check, f"The {word}s were not read: {levels}.", _HINT)
    count = sum(len(level) for level in levels)
    if not count:
        return Line(check, State.OK, f"No {word} bears on this account.")
    found = diagnose(made())
    if not found.faults:
        subject = f"One {word} does" if count == 1 else f"{count} {word}s do"
        return Line(check, State.OK, f"{subject} not keep OpenAI from role and key.")
    fault = found.faults[0]
    return Line(check, State.FAILURE, fault.message, fault.remedy, Family.AWS)


def _snapshot(caller: Caller, given: Given, region: str, **levels: Any) -> Snapshot:
    """Return what the module makes, under the policies of the organization."""
    account = caller.account
    role = given.role_arn or f"arn:aws:iam::{account}:role/{DEFAULT_NAME}"
    key = given.kms_arn or ""
    if ":key/" not in key:
        place = region_of(key) if key else region
        key = f"arn:aws:kms:{place}:{account}:key/{UNUSED_KEY}"
    external_id = given.external_id or _ID
    return Snapshot(
        registration=Registration(role, key, external_id),
        role=Role(
            arn=role,
            trust_policy=_document(assume_by_openai(external_id)),
            permission_policies=(NamedPolicy("use", _document(use_of_key(key))),),
            permissions_boundary=None,
        ),
        keys=(
            Key(
                arn=key,
                state="Enabled",
                spec="SYMMETRIC_DEFAULT",
                usage="ENCRYPT_DECRYPT",
                origin="AWS_KMS",
                multi_region=None,
                policy=delegation(account),
            ),
        ),
        aliases=(),
        grants=(),
        customer=Customer(account=account),
        **{"scps": (), "rcps": (), **levels},
    )


def _document(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}
