"""The intended set-up: one instance, as a plan, Terraform's state or the outputs say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import BadInput
from openai_ekm.policy import parse_arn
from openai_ekm.snapshot import UNSEEN, Alias, Snapshot
from openai_ekm.snapshot.plan import snapshot_of
from openai_ekm.snapshot.plan_instances import KEY, ROLE, find_own, find_prefixes, known_values
from openai_ekm.snapshot.symbols import holds_symbol
from openai_ekm.snapshot.terraform_outputs import made_of

if TYPE_CHECKING:
    from openai_ekm.snapshot.members import UnseenType

__all__ = ["Intended", "intended_by_outputs", "intended_by_plan"]

# What the provider shows of a role that other resources, or people, put on it.
_SHOWN: Final = ("inline_policy", "managed_policy_arns")
_GUARD: Final = "terraform_data.deletion_guard"
_REGISTRATION: Final = "module.registration[0].terraform_data.guard"


@dataclass(frozen=True, slots=True)
class Intended:
    """One role and key as they were meant; a member that nothing says is unseen.

    Args:
        source: `plan`, `state` or `outputs`.
        instance: Address of the module's instance, empty where there is one.
        snapshot: The documents, tags and settings.
        makes_key: Whether the module makes the key, and so writes its policy.
        role_unique_id: Id of the role that was made, `AROA…`.
        boundary_arn: The role's permissions boundary, None for none.
        rotation: Whether the key is rotated.
        rotation_days: Days between two rotations.
        aliases: ARNs of aliases that lead to the key.
        grants: Grants that Terraform makes on the key and its replicas, as a snapshot holds them.
        replicas: ARNs of replicas that Terraform makes.
        protected: Whether deletion protection is on.
        record: Place of the record.
        registers: Whether the configuration registers, or names projects for a registration.
    """

    source: str
    instance: str
    snapshot: Snapshot
    makes_key: bool
    role_unique_id: str | UnseenType = UNSEEN
    boundary_arn: str | UnseenType | None = UNSEEN
    rotation: bool | UnseenType = UNSEEN
    rotation_days: int | UnseenType = UNSEEN
    aliases: tuple[str, ...] = ()
    grants: tuple[Mapping[str, Any], ...] = ()
    replicas: tuple[str, ...] = ()
    protected: bool | UnseenType = UNSEEN
    record: str | None = None
    registers: bool = False

    @property
    def role_arn(self) -> str:
        """Return the role's ARN."""
        return self.snapshot.registration.role_arn

    @property
    def key_arn(self) -> str:
        """Return the key's own ARN, also where an alias is registered."""
        keys = self.snapshot.keys
        return keys[0].arn if keys else self.snapshot.registration.kms_arn


def intended_by_plan(
    plan: Mapping[str, Any], source: str, *, module: str | None = None
) -> Intended:
    """Return what a plan says of one instance of the module.

    Args:
        plan: `terraform show -json PLAN`, decoded, or what `plan_of_state` makes of a state.
        source: `plan` or `state`.
        module: Address of the instance, needed when there are several.

    Raises:
        BadInput: It is no plan, or has no such instance, or several; or the role and key are not
            made yet.
    """
    plan = _without_what_others_put_on_roles(plan)
    snapshot = snapshot_of(plan, module=module)
    changes = plan["resource_changes"]
    prefix = next(
        each for each in find_prefixes(changes) if module is None or each.rstrip(".") == module
    )
    role = known_values(find_own(changes, prefix, ROLE))
    key = known_values(find_own(changes, prefix, KEY))
    _refuse_unmade(snapshot)
    arn = snapshot.keys[0].arn if snapshot.keys else snapshot.registration.kms_arn
    registered = snapshot.registration.kms_arn
    aliases = tuple(_aliases(changes, arn, prefix))
    replicas = tuple(_replicas(changes, arn))
    if ":alias/" in registered and registered not in aliases:
        aliases = (registered, *aliases)
    guard = _input(changes, prefix + _GUARD)
    return Intended(
        source=source,
        instance=prefix.rstrip("."),
        snapshot=snapshot,
        makes_key=bool(key),
        role_unique_id=_unique_id(plan, prefix + ROLE, role),
        boundary_arn=(role["permissions_boundary"] or None)
        if "permissions_boundary" in role
        else UNSEEN,
        rotation=_typed(key.get("enable_key_rotation"), bool),
        rotation_days=_typed(key.get("rotation_period_in_days"), int),
        aliases=aliases,
        grants=tuple(_grants(changes, arn, replicas)),
        replicas=replicas,
        protected=_typed(guard.get("deletion_protection"), bool),
        record=_record(changes, prefix, guard),
        registers=bool(_input(changes, prefix + _REGISTRATION)) or _names_projects(plan, prefix),
    )


def intended_by_outputs(found: Mapping[str, Any], source: str) -> Intended:
    """Return what the outputs of one instance of the module say.

    Args:
        found: The outputs' values.
        source: Where they came from, for messages.

    Raises:
        BadInput: They lack an ARN, the external id, or the policies.
    """
    snapshot = made_of(found, source)
    aliases = snapshot.aliases if snapshot.aliases is not UNSEEN else ()
    record = found.get("record")
    policies = found["policies"]
    return Intended(
        source="outputs",
        instance="",
        snapshot=snapshot,
        makes_key=policies.get("key_policy") is not None,
        aliases=tuple(each.arn for each in aliases if isinstance(each, Alias)),
        record=record if isinstance(record, str) and record else None,
        registers=bool(found.get("projects") or found.get("external_key_id")),
    )


def _refuse_unmade(snapshot: Snapshot) -> None:
    """Refuse a plan that does not know yet which role and key there are.

    Raises:
        BadInput: It does not.
    """
    told = [snapshot.registration.role_arn, snapshot.registration.kms_arn]
    told += [each.arn for each in snapshot.keys or ()]
    if snapshot.unknown_account is None and not any(map(holds_symbol, told)):
        return
    raise BadInput(
        "drift_before_apply",
        "The plan makes the role or the key anew, so there is nothing yet to compare with AWS.",
        at_fault="--from-plan",
        remedy="Apply first. If the key was there before, compare with the state, which still "
        "names it: ekm drift --from-terraform DIR.",
    )


def _without_what_others_put_on_roles(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan without the policies that a role shows as AWS has them, by whoever's hand."""
    changes = plan.get("resource_changes")
    if not isinstance(changes, list):
        return dict(plan)
    return {**plan, "resource_changes": [_without_shown(each) for each in changes]}


def _without_shown(change: Any) -> Any:
    body = change.get("change") if isinstance(change, Mapping) else None
    if not isinstance(body, Mapping) or change.get("type") != "aws_iam_role":
        return change
    stripped = {
        name: {key: each for key, each in value.items() if key not in _SHOWN}
        if name in {"before", "after", "after_unknown"} and isinstance(value, Mapping)
        else value
        for name, value in body.items()
    }
    return {**change, "change": stripped}


def _unique_id(plan: Mapping[str, Any], address: str, role: Mapping[str, Any]) -> str | UnseenType:
    """Return the id of the role that was made: what was there before the plan looked, if it says.

    A plan asks AWS before it plans. `resource_drift` has each value that was another one at the
    last apply.
    """
    for each in plan.get("resource_drift") or ():
        if isinstance(each, Mapping) and each.get("address") == address:
            before = (each.get("change") or {}).get("before")
            found = before.get("unique_id") if isinstance(before, Mapping) else None
            if isinstance(found, str) and found:
                return found
    found = role.get("unique_id")
    return found if isinstance(found, str) and found else UNSEEN


def _typed(value: Any, type_: type) -> Any:
    """Return a value of that type, else unseen; a truth value is no number."""
    if isinstance(value, bool) and type_ is int:
        return UNSEEN
    return value if isinstance(value, type_) and value != "" else UNSEEN


def _aliases(changes: list[Mapping[str, Any]], key_arn: str, prefix: str) -> Iterator[str]:
    """Yield the ARNs of the aliases that Terraform lets lead to the key."""
    where = parse_arn(key_arn)
    for each in changes:
        values = known_values(each) if each["type"] == "aws_kms_alias" else {}
        name = values.get("name")
        own = each["address"].startswith(f"{prefix}module.key[0].")
        if not isinstance(name, str) or where is None:
            continue
        if own or values.get("target_key_id") in {key_arn, key_arn.rpartition("/")[2]}:
            yield f"arn:{where.partition}:kms:{where.region}:{where.account}:{name}"


def _grants(
    changes: list[Mapping[str, Any]], key_arn: str, replicas: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    """Yield the grants that Terraform makes on the key and its replicas, as a snapshot holds them.

    A replica has the id of the key: it is meant by its own ARN alone.
    """
    arns = {key_arn.rpartition("/")[2]: key_arn, **{each: each for each in (key_arn, *replicas)}}
    for each in changes:
        values = known_values(each) if each["type"] == "aws_kms_grant" else {}
        on = values.get("key_id")
        if not isinstance(on, str) or on not in arns:
            continue
        limits = values.get("constraints")
        first = limits[0] if isinstance(limits, list) and limits else None
        constraints = {
            name: first[argument]
            for name, argument in (
                ("EncryptionContextEquals", "encryption_context_equals"),
                ("EncryptionContextSubset", "encryption_context_subset"),
            )
            if isinstance(first, Mapping) and first.get(argument)
        }
        yield {
            "grantee_principal": values.get("grantee_principal"),
            "operations": values.get("operations") or [],
            "key_arn": arns[on],
            **({"constraints": constraints} if constraints else {}),
        }


def _replicas(changes: list[Mapping[str, Any]], key_arn: str) -> Iterator[str]:
    for each in changes:
        values = known_values(each) if each["type"] == "aws_kms_replica_key" else {}
        arn = values.get("arn")
        if values.get("primary_key_arn") == key_arn and isinstance(arn, str):
            yield arn


def _input(changes: list[Mapping[str, Any]], address: str) -> Mapping[str, Any]:
    for each in changes:
        if each["address"] == address:
            found = known_values(each).get("input")
            return found if isinstance(found, Mapping) else {}
    return {}


def _record(changes: list[Mapping[str, Any]], prefix: str, guard: Mapping[str, Any]) -> str | None:
    """Return where the record is: as the registration says, else by the module's name."""
    told = _input(changes, prefix + _REGISTRATION).get("record")
    if isinstance(told, str) and told:
        return told
    name = guard.get("name")
    return f"ssm:/openai-ekm/{name}" if isinstance(name, str) and name else None


def _names_projects(plan: Mapping[str, Any], prefix: str) -> bool:
    """Return whether the outputs name projects, where they are of this instance alone."""
    outputs = plan.get("output_changes") or {}
    found = outputs.get("ekm") if prefix else outputs.get("projects")
    after = found.get("after") if isinstance(found, Mapping) else None
    if isinstance(after, Mapping):
        after = after.get("projects")
    return isinstance(after, list | dict) and bool(after)
