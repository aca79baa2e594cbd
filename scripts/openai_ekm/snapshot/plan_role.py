"""Policies that an instance's role itself shows: written in its block, or read from AWS.

A changed copy of the module can give its role further policies in the role's own block. A role that
exists shows all that it has in AWS, also what somebody put on it outside Terraform.

Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openai_ekm.snapshot.members import NamedPolicy, Role
from openai_ekm.snapshot.plan_configuration import written_arguments
from openai_ekm.snapshot.plan_values import UNKNOWN, merge_change
from openai_ekm.snapshot.unseen import UNSEEN

if TYPE_CHECKING:
    from openai_ekm.snapshot.snapshot import Snapshot

__all__ = ["add_policies_of_role"]

_PATH = "permission_policies"


def add_policies_of_role(
    snapshot: Snapshot,
    plan: Mapping[str, Any],
    changes: Iterable[Mapping[str, Any]],
    change: Mapping[str, Any] | None,
) -> Snapshot:
    """Add the policies that a role shows and that no other resource of the plan tells.

    Args:
        snapshot: What the instance's own resources tell.
        plan: `terraform show -json PLAN`, decoded.
        changes: Its resource changes.
        change: That of the role, if there is one.
    """
    if change is None or not isinstance(snapshot.role, Role):
        return snapshot
    address, values = change["address"], merge_change(change)
    written = written_arguments(plan, address) or {}
    name = values.get("name")
    told = set(_managed_elsewhere(changes, name)) if isinstance(name, str) else set()
    for argument, read in (("inline_policy", _inline), ("managed_policy_arns", _managed)):
        shown = values.get(argument)
        if shown is UNKNOWN and argument not in written:
            continue  # What AWS says after the apply: nothing of the module's.
        if shown is UNKNOWN:
            return _hide(snapshot, f"the plan does not know {address}.{argument} yet")
        for each in shown if isinstance(shown, list) else ():
            policy = read(each)
            if policy is None:
                return _hide(snapshot, f"{address}.{argument} may take policies of the role away")
            if policy.name not in told and policy.arn not in told:
                snapshot = _add(snapshot, policy, f"{address} has {policy.name}")
    return snapshot


def _inline(shown: Any) -> NamedPolicy | None:
    """Return an inline policy of a role; None for a block that only takes policies away."""
    block = shown if isinstance(shown, Mapping) else {}
    name, document = block.get("name"), block.get("policy")
    if shown is UNKNOWN or UNKNOWN in {name, document}:
        told = name if isinstance(name, str) else "an inline policy"
        return NamedPolicy(told, UNSEEN, type="inline")
    if not isinstance(name, str) or not isinstance(document, str):
        return None
    return NamedPolicy(name, document, type="inline")


def _managed(shown: Any) -> NamedPolicy | None:
    arn = shown if isinstance(shown, str) else UNSEEN
    return NamedPolicy(arn or "a managed policy", UNSEEN, type="managed", arn=arn)


def _managed_elsewhere(changes: Iterable[Mapping[str, Any]], role: str) -> Iterator[str]:
    """Yield names and ARNs of a role's policies that other resources manage, before or after."""
    for each in changes:
        for values in (each["change"].get("before"), each["change"].get("after")):
            if not isinstance(values, Mapping):
                continue
            if each["type"] == "aws_iam_role_policy" and values.get("role") == role:
                yield str(values.get("name"))
            attached = each["type"] == "aws_iam_role_policy_attachment"
            of_several = each["type"] == "aws_iam_policy_attachment"
            if (attached and values.get("role") == role) or (
                of_several and role in (values.get("roles") or ())
            ):
                yield str(values.get("policy_arn"))


def _add(snapshot: Snapshot, policy: NamedPolicy, told: str) -> Snapshot:
    role = snapshot.role
    if not isinstance(role, Role) or role.permission_policies is UNSEEN:
        return snapshot
    role = replace(role, permission_policies=(*role.permission_policies, policy))
    found = replace(snapshot, role=role)
    if policy.document is not UNSEEN:
        return found
    return _with_reason(found, f"{told}, whose document the plan does not hold")


def _hide(snapshot: Snapshot, reason: str) -> Snapshot:
    if not isinstance(snapshot.role, Role):
        return snapshot
    role = replace(snapshot.role, permission_policies=UNSEEN)
    return _with_reason(replace(snapshot, role=role), reason)


def _with_reason(snapshot: Snapshot, reason: str) -> Snapshot:
    told = snapshot.reasons.get(_PATH)
    joined = reason if told is None else f"{told}; {reason}"
    return replace(snapshot, reasons={**snapshot.reasons, _PATH: joined})
