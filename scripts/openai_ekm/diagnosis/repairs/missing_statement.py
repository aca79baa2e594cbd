"""Add the module's own statement where it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import account_of
from openai_ekm.diagnosis.repairs.repair import Repair
from openai_ekm.diagnosis.result import Change
from openai_ekm.openai import OPENAI_ROLE_ARN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.diagnosis.result import NearMiss, Step
    from openai_ekm.evaluation.request import Situation
    from openai_ekm.snapshot import Snapshot

__all__ = ["addition", "assume_by_openai", "full_access", "use_by_role", "use_of_key",
           "with_statement"]  # fmt: skip

COST: Final = 3.4  # dearer than three elements put right
_MOST_SHOWN: Final = 2  # in a sentence; the fault holds them all


def addition(  # noqa: PLR0917 - what a statement is made of
    layer: str,
    pointer: tuple[Step, ...],
    document: Any,
    situation: Situation,
    snapshot: Snapshot,
    near: Sequence[NearMiss],
) -> Repair:
    """Return the addition of the statement that the module writes there.

    Args:
        layer: `resource`, `identity`, `permissions_boundary` or `scps`.
        pointer: Where the document stands in the snapshot's JSON.
        document: The document as an object, or None when there is none.
        situation: The call that is refused.
        snapshot: What was collected.
        near: What is there already and comes near.
    """
    role_arn, key_arn = situation.role_arn, situation.request.resource
    if situation.service == "sts":
        statement = assume_by_openai(snapshot.registration.external_id)
        kind_of_fault, message = (
            "trust_policy_without_openai",
            f"No statement of the trust policy lets OpenAI's role, {OPENAI_ROLE_ARN}, in.",
        )
        nothing = message
    elif layer == "resource":
        statement = use_by_role(role_arn)
        kind_of_fault, message = (
            "key_policy_without_delegation",
            (
                f"The key policy neither names {role_arn} nor delegates {situation.request.action} "
                "to its account, so no identity policy has any effect."
            ),
        )
        nothing = (
            f"No statement of the key policy and no grant lets {role_arn} use "
            f"{situation.request.action}."
        )
    else:
        statement = use_of_key(key_arn)
        names = {
            "identity": ("identity_policy_missing", "identity policy of the role"),
            "permissions_boundary": ("boundary_without_use", "permissions boundary"),
            "scps": ("scp_without_use", "service control policy of this level"),
        }
        kind_of_fault, kind = names[layer]
        message = f"No statement of the {kind} allows {situation.request.action} on {key_arn}."
        nothing = message
    if near:
        message = f"{nothing} What is there: {'; '.join(map(str, near[:_MOST_SHOWN]))}."
    return Repair(
        kind_of_fault,
        None,
        "no such statement",
        f"the statement {statement['Sid']}",
        message,
        f"Add the statement {statement['Sid']}, as the fix has it.",
        (_change(pointer, document, statement, layer),),
        COST,
    )


def assume_by_openai(external_id: str) -> dict[str, Any]:
    """Return the statement of a trust policy that lets OpenAI's role assume the role."""
    return {
        "Sid": "AllowAssumeRoleByOpenAI",
        "Effect": "Allow",
        "Principal": {"AWS": OPENAI_ROLE_ARN},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": [external_id]}},
    }


def use_of_key(key_arn: str) -> dict[str, Any]:
    """Return the statement of an identity policy that lets the role use one key."""
    return {
        "Sid": "AllowEncryptDecrypt",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:Encrypt"],
        "Resource": key_arn,
    }


def use_by_role(role_arn: str) -> dict[str, Any]:
    """Return the statement of a key policy that lets one role use the key."""
    return {
        "Sid": "AllowUseByRole",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_of(role_arn)}:root"},
        "Action": ["kms:Decrypt", "kms:Encrypt"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": role_arn}},
    }


def full_access(level: int, situation: Situation) -> Repair:
    """Return the addition of RCPFullAWSAccess, without which a level allows nothing.

    Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [everything]}
    return Repair(
        "rcp_without_full_access",
        None,
        "no statement that allows",
        "RCPFullAWSAccess",
        f"No resource control policy at level {level} allows {situation.request.action}.",
        "Attach RCPFullAWSAccess there again.",
        (Change("add", ("rcps", level, "-"), document),),
        COST,
    )


def _change(
    pointer: tuple[Step, ...], document: Any, statement: dict[str, Any], layer: str
) -> Change:
    if document is None:
        made = {"Version": "2012-10-17", "Statement": [statement]}
        if layer == "identity":
            value = {"name": "AllowEncryptDecrypt", "document": made}
            return Change("add", ("role", "permission_policies", "-"), value)
        return Change("add", pointer, made)
    return with_statement(pointer, document, statement)


def with_statement(pointer: tuple[Step, ...], document: Any, statement: dict[str, Any]) -> Change:
    """Return the change that adds a statement to a document, under a Sid of its own."""
    there = document["Statement"]
    statements = there if isinstance(there, list) else [there]
    sids = {each.get("Sid") for each in statements}
    sid, number = statement["Sid"], 2
    while statement["Sid"] in sids:
        statement = {**statement, "Sid": f"{sid}{number}"}
        number += 1
    if isinstance(there, list):
        return Change("add", (*pointer, "Statement", "-"), statement)
    return Change("replace", (*pointer, "Statement"), [there, statement])
