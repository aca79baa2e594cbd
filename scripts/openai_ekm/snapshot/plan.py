"""A snapshot from a saved plan: the policies before anything is applied.

A value that the plan does not know yet is a symbol (`openai_ekm.snapshot.symbols`). It is the same
text wherever the plan shows the same thing, so that values that are equal after the apply are equal
in the snapshot. Symbols replace only unknown values of the module's own documents whose meaning is
known. A document with any other unknown value is unseen, with the reason.

Source: https://developer.hashicorp.com/terraform/internals/json-format (after, after_unknown).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from openai_ekm.errors import BadInput
from openai_ekm.policy import parse_arn
from openai_ekm.snapshot.members import UNSEEN, Alias
from openai_ekm.snapshot.plan_additions import add_resources
from openai_ekm.snapshot.plan_documents import Symbols, add_policies_of_role, find_documents
from openai_ekm.snapshot.plan_instances import (
    KEY,
    ROLE,
    UNKNOWN,
    USE,
    find_own,
    find_prefixes,
    known_values,
    merge_change,
    refuse_partial,
)
from openai_ekm.snapshot.symbols import (
    EXTERNAL_ID,
    KEY_ID,
    REGION,
    REPLICATED_KEY_ID,
    ROLE_NAME,
)
from openai_ekm.snapshot.terraform_outputs import made_of

if TYPE_CHECKING:
    from openai_ekm.snapshot.members import Key
    from openai_ekm.snapshot.snapshot import Snapshot

__all__ = ["snapshot_of", "snapshots_of"]


def snapshots_of(plan: Mapping[str, Any]) -> dict[str, Snapshot]:
    """Return what a plan tells of every instance of the module, by the instance's address.

    Args:
        plan: `terraform show -json PLAN`, decoded. An instance that is the root is named "".

    Raises:
        BadInput: It is no plan, or leaves changes out, or has no instance.
    """
    changes = _changes(plan)
    prefixes = find_prefixes(changes)
    if not prefixes:
        raise _without_instance(None)
    return {each.rstrip("."): _of_instance(plan, changes, prefixes, each) for each in prefixes}


def snapshot_of(plan: Mapping[str, Any], *, module: str | None = None) -> Snapshot:
    """Return what a plan tells of one instance of the module.

    Args:
        plan: `terraform show -json PLAN`, decoded.
        module: Address of the instance, such as `module.ekm["prod"]`; needed when there are
            several. Empty for the module as the root.

    Raises:
        BadInput: It is no plan, or leaves changes out, or has no such instance, or several.
    """
    changes = _changes(plan)
    prefixes = find_prefixes(changes)
    found = [each for each in prefixes if module is None or each.rstrip(".") == module]
    if not found:
        raise _without_instance(module)
    if len(found) > 1:
        raise BadInput(
            "plan_with_several_instances",
            f"The plan has {len(found)} instances of the module: "
            f"{', '.join(each.rstrip('.') for each in found)}.",
            at_fault="--from-plan",
            remedy="Choose one with --module ADDRESS.",
        )
    return _of_instance(plan, changes, prefixes, found[0])


def _changes(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    # Terraform leaves them out of a plan that has no resource.
    changes = plan.get("resource_changes", [] if "planned_values" in plan else None)
    if not isinstance(changes, list) or not all(_is_change(each) for each in changes):
        raise BadInput(
            "plan_malformed",
            "This is not a plan as `terraform show -json PLAN` prints it.",
            at_fault="--from-plan",
            remedy="terraform plan -out=PLAN; terraform show -json PLAN | ekm snapshot "
            "--from-plan -",
        )
    refuse_partial(plan)
    return changes


def _is_change(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("address"), str)
        and isinstance(value.get("type"), str)
        and isinstance(value.get("change"), Mapping)
    )


def _without_instance(module: str | None) -> BadInput:
    return BadInput(
        "plan_without_documents",
        f"The plan has no instance of the module{f' at {module}' if module else ''}.",
        at_fault="--from-plan",
        remedy="Plan a root that calls the module, and give its address if it is not alone.",
    )


def _of_instance(
    plan: Mapping[str, Any], changes: list[Mapping[str, Any]], prefixes: list[str], prefix: str
) -> Snapshot:
    inside = [each for each in changes if each["address"].startswith(prefix)]
    own_role = find_own(inside, prefix, ROLE)
    role = known_values(own_role)
    made = _made(inside, prefix)
    existing = _existing(plan, prefix)
    symbols = _symbols(plan, inside, prefix, role)
    policies, reasons = find_documents(plan, inside, prefixes, prefix, symbols)
    found: dict[str, Any] = {"policies": policies, "external_ids": None}
    found |= _outputs(plan, prefix)
    external_id = _guarded_value(inside, "external_id")
    found |= {} if external_id is None else {"external_id": external_id}
    found |= {"role_arn": symbols.role_arn, "key_arn": symbols.key_arn}
    found["kms_arn"] = _guarded_value(inside, "kms_arn") or symbols.key_arn
    if not isinstance(found.get("external_id"), str):
        trusted = _trusted_ids(policies.get("trust_policy"))
        found |= {"external_id": trusted[0] if trusted else EXTERNAL_ID}
        found["external_ids"] = trusted or None
    snapshot = made_of(found, "The plan's values")
    assert snapshot.keys is not UNSEEN  # nosec B101 # narrows the type
    assert snapshot.role is not UNSEEN  # nosec B101 # narrows the type
    assert snapshot.role is not None  # nosec B101 # narrows the type
    duration = role.get("max_session_duration")
    bounded = role.get("permissions_boundary", UNKNOWN)
    key = _key(snapshot.keys[0], made, existing)
    snapshot = replace(
        snapshot,
        keys=(key,),
        role=replace(
            snapshot.role,
            # Neither there nor unseen: the plan deletes it.
            permission_policies=snapshot.role.permission_policies
            if "permission_policy" in policies or "permission_policies" in reasons
            else (),
            # Of a role whose plan says so, as null or as an empty text.
            permissions_boundary=None if bounded in {None, ""} else UNSEEN,
            max_session_duration=duration if isinstance(duration, int) else UNSEEN,
            tags=_tags(role),
        ),
        unknown_account=None if symbols.account_known else symbols.account,
        reasons=reasons,
    )
    if made is not None and "create" in made["change"].get("actions", ()):
        # A key that the plan makes has the grants, replicas and aliases of the plan alone.
        aliases = tuple(_aliases(inside, symbols))
        snapshot = replace(snapshot, grants=(), keys=(replace(key, related=()),), aliases=aliases)
    snapshot = add_policies_of_role(snapshot, plan, changes, own_role)
    return add_resources(snapshot, plan, changes, prefixes, prefix)


def _made(inside: list[Mapping[str, Any]], prefix: str) -> Mapping[str, Any] | None:
    """Return the key that the module makes; None where it makes none, or takes it away."""
    own = find_own(inside, prefix, KEY)
    return own if own is not None and merge_change(own) else None


def _key(key: Key, made: Mapping[str, Any] | None, existing: Mapping[str, Any]) -> Key:
    """Add what the resource, or the data source of an existing key, tells of the key."""
    if made is not None:
        known = known_values(made)
        return replace(
            key,
            state="Enabled" if known.get("is_enabled", True) else "Disabled",
            spec=known.get("customer_master_key_spec") or UNSEEN,
            usage=known.get("key_usage") or UNSEEN,
            origin="AWS_KMS",
            multi_region="PRIMARY" if known.get("multi_region") is True else None,
            tags=_tags(known),
        )
    if not existing:
        return key
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


def _tags(known: Mapping[str, Any]) -> Any:
    """Return the tags of a resource, the provider's included; unseen when one is not known."""
    tags = known.get("tags_all")
    if not isinstance(tags, Mapping) or not all(isinstance(each, str) for each in tags.values()):
        return UNSEEN
    return dict(tags)


def _aliases(inside: list[Mapping[str, Any]], symbols: Symbols) -> Iterator[Alias]:
    for each in inside:
        name = known_values(each).get("name") if each["type"] == "aws_kms_alias" else None
        if isinstance(name, str):
            yield Alias(f"arn:aws:kms:{symbols.region}:{symbols.account}:{name}", symbols.key_arn)


def _symbols(
    plan: Mapping[str, Any],
    inside: list[Mapping[str, Any]],
    prefix: str,
    role: Mapping[str, Any],
) -> Symbols:
    """Return account, Region, role and key: as the plan knows them, else a symbol each."""
    existing = _existing(plan, prefix)
    made = known_values(_made(inside, prefix))
    registered = _guarded_value(inside, "kms_arn") or ""
    key_arn = existing.get("arn") or made.get("arn") or _guarded_value(inside, "key_arn")
    if key_arn is None and ":key/" in registered:
        key_arn = registered
    role_arn = role.get("arn") or _guarded_value(inside, "role_arn")
    account, region = _account_and_region(plan, prefix)
    told = (role_arn, key_arn, registered)
    for known in (parse_arn(each) for each in told if isinstance(each, str)):
        if known is not None:
            account, region = account or known.account, region or known.region
    number, region = account or _free_number(plan), region or REGION
    if not isinstance(role_arn, str):
        named = role.get("name") or known_values(find_own(inside, prefix, USE)).get("role")
        path, name = role.get("path") or "/", named or ROLE_NAME
        role_arn = f"arn:aws:iam::{number}:role{path}{name}"
    if not isinstance(key_arn, str):
        key_id = REPLICATED_KEY_ID if made.get("multi_region") is True else KEY_ID
        key_arn = f"arn:aws:kms:{region}:{number}:key/{key_id}"
    return Symbols(number, account is not None, region, role_arn, key_arn)


def _guarded_value(inside: list[Mapping[str, Any]], name: str) -> str | None:
    """Return what the guards of registration and deletion hold under a name."""
    for each in inside:
        if each["address"].endswith(("terraform_data.guard", "terraform_data.deletion_guard")):
            held = merge_change(each).get("input")
            value = held.get(name) if isinstance(held, dict) else None
            if isinstance(value, str):
                return value
    return None


def _free_number(plan: Mapping[str, Any]) -> str:
    """Return twelve digits that stand nowhere in a plan."""
    text = str(plan)
    return next(each for each in map("{:012d}".format, count()) if each not in text)


def _outputs(plan: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the external ids that an output tells, where the outputs are of this instance."""
    outputs = plan.get("output_changes") or {}
    change = outputs.get("ekm") if prefix else None
    values = change.get("after") if change else {}
    if not prefix:
        values = {name: each.get("after") for name, each in outputs.items()}
    if not isinstance(values, Mapping):
        return {}
    names = ("external_id", "external_ids")
    return {name: values[name] for name in names if values.get(name)}


def _account_and_region(plan: Mapping[str, Any], prefix: str) -> tuple[str | None, str | None]:
    """Return the account and Region that the plan was made with, so far as it knows them."""
    account = region = None
    for each in _data(plan, prefix):
        values = each.get("values") or {}
        if each.get("type") == "aws_caller_identity":
            account = values.get("account_id") or account
        elif each.get("type") == "aws_region":
            region = values.get("region") or values.get("name") or values.get("id") or region
    return account, region


def _existing(plan: Mapping[str, Any], prefix: str) -> Mapping[str, Any]:
    for each in _data(plan, prefix):
        if each.get("type") == "aws_kms_key":
            return each.get("values") or {}
    return {}


def _data(plan: Mapping[str, Any], prefix: str) -> Iterator[Mapping[str, Any]]:
    """Yield the data sources of the instance that were read while planning."""
    root = ((plan.get("prior_state") or {}).get("values") or {}).get("root_module") or {}
    waiting = [root]
    while waiting:
        module = waiting.pop()
        waiting += module.get("child_modules") or ()
        for each in module.get("resources") or ():
            if each.get("mode") == "data" and str(each.get("address")).startswith(prefix):
                yield each


def _trusted_ids(document: Any) -> list[str]:
    """Return the external ids that a trust policy names, where nothing else tells them."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            return []
    found: list[Any] = []
    statements = document.get("Statement") if isinstance(document, Mapping) else ()
    for statement in statements if isinstance(statements, list) else ():
        conditions = statement.get("Condition") if isinstance(statement, Mapping) else None
        for keys in conditions.values() if isinstance(conditions, Mapping) else ():
            values = keys.get("sts:ExternalId") or [] if isinstance(keys, Mapping) else []
            found += values if isinstance(values, list) else [values]
    return [value for value in found if isinstance(value, str)]
