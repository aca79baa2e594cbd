"""A snapshot from a saved plan: the policies before anything is applied.

An ARN that is not known yet is replaced by a stand-in of valid form, the same wherever that ARN
stands, so that what is equal after the apply is equal in the snapshot. Principals that are not
known yet, which the module takes from its own account alone and never the role, are one role.

Source: developer.hashicorp.com/terraform/internals/json-format (after, after_unknown).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ekm.errors import BadInput
from ekm.policy import parse_arn
from ekm.snapshot.terraform import made_of
from ekm.snapshot.unseen import UNSEEN

if TYPE_CHECKING:
    from ekm.snapshot.members import Key
    from ekm.snapshot.value import Snapshot

__all__ = ["STAND_IN_ID", "STAND_IN_PRINCIPAL", "snapshot_of"]

STAND_IN_ID: Final = "00000000-0000-4000-8000-000000000000"
STAND_IN_PRINCIPAL: Final = "not-known-before-apply"
_DOCUMENTS: Final = "terraform_data.documents"


def snapshot_of(plan: Mapping[str, Any], *, module: str | None = None) -> Snapshot:
    """Return what a plan tells of one instance of the module.

    Args:
        plan: `terraform show -json PLAN`, decoded.
        module: Address of the instance, such as `module.ekm["prod"]`; needed when there are
            several. Empty for the module as the root.

    Raises:
        BadInput: It is no plan, or has no such instance, or several.
    """
    changes = plan.get("resource_changes")
    if not isinstance(changes, list) or not all(_is_change(each) for each in changes):
        raise BadInput(
            "plan_malformed",
            "This is not a plan as `terraform show -json PLAN` prints it.",
            at_fault="--from-plan",
            remedy="terraform plan -out=PLAN; terraform show -json PLAN | ekm snapshot "
            "--from-plan -",
        )
    prefix = _instance(changes, module)
    inside = [each for each in changes if each["address"].startswith(prefix)]
    account, region = _surroundings(plan, prefix)
    stand_in = f"arn:aws:kms:{region}:{account}:key/{STAND_IN_ID}"
    documents = _after(next(e for e in inside if e["address"] == prefix + _DOCUMENTS), stand_in)
    found: dict[str, Any] = {"policies": documents["input"], "external_ids": None}
    found |= _outputs(plan, prefix, stand_in)
    found |= _guard(inside, stand_in)
    role = next((_after(e, None) for e in inside if e["type"] == "aws_iam_role"), {})
    if "role_arn" not in found and isinstance(role.get("name"), str):
        found["role_arn"] = f"arn:aws:iam::{account}:role{role.get('path') or '/'}{role['name']}"
    found.setdefault("kms_arn", _existing(plan, prefix).get("arn") or stand_in)
    if not isinstance(found.get("external_id"), str):
        trusted = _trusted(found["policies"].get("trust_policy"))
        found |= {"external_id": trusted[0] if trusted else "", "external_ids": trusted or None}
    return _completed(made_of(found, "The plan's values"), plan, inside, prefix, role, stand_in)


def _completed(  # noqa: PLR0917 - the parts of one plan
    snapshot: Snapshot,
    plan: Mapping[str, Any],
    inside: list[Mapping[str, Any]],
    prefix: str,
    role: Mapping[str, Any],
    stand_in: str,
) -> Snapshot:
    """Add what resources and data sources of the instance tell of key and role."""
    assert snapshot.keys is not UNSEEN
    assert snapshot.role is not UNSEEN
    assert snapshot.role is not None
    key = snapshot.keys[0]
    made = next((_after(e, stand_in) for e in inside if e["type"] == "aws_kms_key"), None)
    if made is not None:
        several = made.get("multi_region") is True
        key = replace(
            key,
            state="Enabled" if made.get("is_enabled", True) else "Disabled",
            spec=made.get("customer_master_key_spec") or UNSEEN,
            usage=made.get("key_usage") or UNSEEN,
            origin="AWS_KMS",
            multi_region="PRIMARY" if several else None,
        )
    elif existing := _existing(plan, prefix):
        key = _seen(key, existing)
    bounded = role.get("permissions_boundary")
    duration = role.get("max_session_duration")
    return replace(
        snapshot,
        keys=(key,),
        role=replace(
            snapshot.role,
            permissions_boundary=None if role and bounded is None else UNSEEN,
            max_session_duration=duration if isinstance(duration, int) else UNSEEN,
        ),
    )


def _seen(key: Key, existing: Mapping[str, Any]) -> Key:
    """What the data source of an existing key read when the plan was made."""
    configuration = existing.get("multi_region_configuration") or [{}]
    several = (
        configuration[0].get("multi_region_key_type") if existing.get("multi_region") else None
    )
    return replace(
        key,
        arn=existing.get("arn") or key.arn,
        state=existing.get("key_state") or UNSEEN,
        spec=existing.get("key_spec") or UNSEEN,
        usage=existing.get("key_usage") or UNSEEN,
        origin=existing.get("origin") or UNSEEN,
        multi_region=several,
    )


def _is_change(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("address"), str)
        and isinstance(value.get("type"), str)
        and isinstance(value.get("change"), Mapping)
    )


def _instance(changes: list[Mapping[str, Any]], module: str | None) -> str:
    """The beginning of every address inside the instance."""
    prefixes: list[str] = [
        each["address"].removesuffix(_DOCUMENTS)
        for each in changes
        if each["address"].endswith(_DOCUMENTS)
        and isinstance(each["change"].get("after"), Mapping)
        and isinstance(each["change"]["after"].get("input"), Mapping)
    ]
    if module is not None:
        prefixes = [each for each in prefixes if each.rstrip(".") == module]
    if len(prefixes) == 1:
        return prefixes[0]
    if not prefixes:
        raise BadInput(
            "plan_without_documents",
            f"The plan has no instance of the module{f' at {module}' if module else ''}.",
            at_fault="--from-plan",
            remedy="Plan a root that calls the module, and give its address if it is not alone.",
        )
    raise BadInput(
        "plan_with_several_instances",
        f"The plan has {len(prefixes)} instances of the module: "
        f"{', '.join(each.rstrip('.') for each in prefixes)}.",
        at_fault="--from-plan",
        remedy="Choose one with --module ADDRESS.",
    )


def _guard(inside: list[Mapping[str, Any]], stand_in: str) -> dict[str, Any]:
    """What is to be registered, as the registration's guard holds it."""
    for each in inside:
        if each["address"].endswith("terraform_data.guard"):
            given = _after(each, stand_in).get("input") or {}
            names = ("role_arn", "kms_arn", "external_id")
            return {name: given[name] for name in names if isinstance(given.get(name), str)}
    return {}


def _outputs(plan: Mapping[str, Any], prefix: str, stand_in: str) -> dict[str, Any]:
    """The external ids that an output tells, where the outputs are of this instance."""
    outputs = plan.get("output_changes") or {}
    change = outputs.get("ekm") if prefix else None
    values = _merged(change.get("after"), change.get("after_unknown"), stand_in) if change else {}
    if not prefix:
        values = {name: each.get("after") for name, each in outputs.items()}
    if not isinstance(values, Mapping):
        return {}
    names = ("external_id", "external_ids")
    return {name: values[name] for name in names if values.get(name)}


def _surroundings(plan: Mapping[str, Any], prefix: str) -> tuple[str, str]:
    """Account and Region that the plan was made with."""
    account, region = "000000000000", "us-east-1"
    for each in _data(plan, prefix):
        values = each.get("values") or {}
        if each.get("type") == "aws_caller_identity":
            account = str(values.get("account_id") or account)
        elif each.get("type") == "aws_region":
            region = str(values.get("region") or values.get("name") or values.get("id") or region)
    return account, region


def _existing(plan: Mapping[str, Any], prefix: str) -> Mapping[str, Any]:
    for each in _data(plan, prefix):
        if each.get("type") == "aws_kms_key":
            return each.get("values") or {}
    return {}


def _data(plan: Mapping[str, Any], prefix: str) -> Iterator[Mapping[str, Any]]:
    """The data sources of the instance that were read while planning."""
    root = ((plan.get("prior_state") or {}).get("values") or {}).get("root_module") or {}
    waiting = [root]
    while waiting:
        module = waiting.pop()
        waiting += module.get("child_modules") or ()
        for each in module.get("resources") or ():
            if each.get("mode") == "data" and str(each.get("address")).startswith(prefix):
                yield each


def _trusted(document: Any) -> list[str]:
    """The external ids that a trust policy names, where nothing else tells them."""
    found: list[str] = []
    for statement in document.get("Statement", ()) if isinstance(document, Mapping) else ():
        for keys in (statement.get("Condition") or {}).values():
            values = keys.get("sts:ExternalId") or []
            found += values if isinstance(values, list) else [values]
    return [value for value in found if isinstance(value, str)]


def _after(change: Mapping[str, Any], stand_in: Any) -> dict[str, Any]:
    body = change["change"]
    merged = _merged(body.get("after"), body.get("after_unknown"), stand_in)
    return merged if isinstance(merged, dict) else {}


def _merged(known: Any, unknown: Any, stand_in: Any) -> Any:
    """A planned value with the stand-in at every leaf that is not known yet."""
    if unknown is True:
        return stand_in
    if isinstance(unknown, Mapping):
        before = known if isinstance(known, Mapping) else {}
        stand_ins = {"AWS": _principal(stand_in)}
        merged = {
            name: _merged(value, unknown.get(name, False), stand_ins.get(name, stand_in))
            for name, value in before.items()
        }
        for name in unknown.keys() - before.keys():
            if unknown[name] is True:
                merged[name] = stand_ins.get(name, stand_in)
        return merged
    if isinstance(unknown, list) and isinstance(known, list):
        marks = [*unknown, *([False] * (len(known) - len(unknown)))]
        values = [*known, *([None] * (len(marks) - len(known)))]
        return [_merged(v, m, stand_in) for v, m in zip(values, marks, strict=True)]
    return known


def _principal(stand_in: Any) -> Any:
    """Who stands for principals of the key's account that are not known yet."""
    arn = parse_arn(stand_in) if isinstance(stand_in, str) else None
    return arn and f"arn:{arn.partition}:iam::{arn.account}:role/{STAND_IN_PRINCIPAL}"
