"""A statement that is missing as a whole: the module's own, added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ekm.diagnosis.constants import OPENAI_ROLE_ARN
from ekm.diagnosis.repairs.repair import Repair
from ekm.diagnosis.value import Change

if TYPE_CHECKING:
    from ekm.diagnosis.value import Step
    from ekm.evaluation.request import Situation
    from ekm.snapshot import Snapshot

__all__ = ["COST", "addition", "full_access"]

COST: Final = 3.4  # dearer than three elements put right


def addition(
    layer: str, pointer: tuple[Step, ...], document: Any, situation: Situation, snapshot: Snapshot
) -> Repair:
    """Return the addition of the statement that the module writes there.

    Args:
        layer: `resource`, `identity`, `permissions_boundary` or `scps`.
        pointer: Where the document stands in the snapshot's JSON.
        document: The document as an object, or None when there is none.
        situation: The call that is refused.
        snapshot: What was collected.
    """
    role_arn, key_arn = situation.role_arn, situation.request.resource
    if situation.service == "sts":
        statement = {
            "Sid": "AllowAssumeRoleByOpenAI",
            "Effect": "Allow",
            "Principal": {"AWS": OPENAI_ROLE_ARN},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": [snapshot.registration.external_id]}},
        }
        kind_of_fault, message = (
            "trust_policy_without_openai",
            f"No statement of the trust policy lets OpenAI's role, {OPENAI_ROLE_ARN}, in.",
        )
    elif layer == "resource":
        root = f"arn:aws:iam::{role_arn.split(':')[4]}:root"
        statement = {
            "Sid": "AllowUseByRole",
            "Effect": "Allow",
            "Principal": {"AWS": root},
            "Action": ["kms:Decrypt", "kms:Encrypt"],
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": role_arn}},
        }
        kind_of_fault, message = (
            "key_policy_without_delegation",
            (
                f"The key policy neither names {role_arn} nor delegates {situation.request.action} "
                "to its account, so no identity policy has any effect."
            ),
        )
    else:
        statement = {
            "Sid": "AllowEncryptDecrypt",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:Encrypt"],
            "Resource": key_arn,
        }
        names = {
            "identity": ("identity_policy_missing", "identity policy of the role"),
            "permissions_boundary": ("boundary_without_use", "permissions boundary"),
            "scps": ("scp_without_use", "service control policy of this level"),
        }
        kind_of_fault, kind = names[layer]
        message = f"No statement of the {kind} allows {situation.request.action} on {key_arn}."
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


def full_access(level: int, situation: Situation) -> Repair:
    """Return the addition of RCPFullAWSAccess, without which a level allows nothing.

    Source: docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
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
