"""Additions to an instance's role and key, by resources that are not the module's own.

A root module can put a policy on the role, a grant on the key, or another key policy in the place
of the module's. Without them, a plan that gives the key away would look like one that does not.

A document that the plan knows is judged with the module's. A member is unseen, with the reason, if
the plan does not know the document, or if two resources write it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.snapshot.members import Alias, NamedPolicy, Role
from openai_ekm.snapshot.plan_references import may_come_from
from openai_ekm.snapshot.plan_values import merge_change, unknown_places
from openai_ekm.snapshot.symbols import GRANTEE, ROLE_NAME
from openai_ekm.snapshot.unseen import UNSEEN

if TYPE_CHECKING:
    from openai_ekm.snapshot.snapshot import Snapshot

__all__ = ["add_resources"]

_POLICIES: Final = "permission_policies"
_KEY_POLICY: Final = "keys[0].policy"
_RELATED: Final = "keys[0].related"
_OWN_POLICY: Final = "module.role.aws_iam_role_policy.use"
# What lets a grantee make or read ciphertext, or pass the key on.
_USE: Final = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "CreateGrant")
_HARMLESS: Final = frozenset({"DescribeKey", "RetireGrant", "GetPublicKey"})


@dataclass(frozen=True, slots=True)
class _Addition:
    """One resource that bears on the role or the key.

    Args:
        address: Its address.
        values: Its arguments, with a mark at what the plan does not know yet.
        may_come_from: Whether an argument of it may be made of the instance.
    """

    address: str
    values: Mapping[str, Any]
    may_come_from: Callable[[str], bool]

    def text(self, argument: str) -> str | None:
        """Return an argument that is a known text, else None."""
        value = self.values.get(argument)
        return value if isinstance(value, str) else None


def add_resources(
    snapshot: Snapshot,
    plan: Mapping[str, Any],
    changes: list[Mapping[str, Any]],
    instances: list[str],
    prefix: str,
) -> Snapshot:
    """Add to a snapshot of an instance what other resources of the plan do to its role and key.

    Args:
        snapshot: What the instance's own resources tell.
        plan: `terraform show -json PLAN`, decoded.
        changes: Its resource changes.
        instances: The beginning of every address inside an instance, for each instance.
        prefix: The same of this instance.
    """
    for change in changes:
        bearing = _BEARING.get(change["type"])
        if bearing is None or change.get("mode") == "data" or _is_own(change, instances):
            continue
        argument, of_key, add = bearing
        values = _after(change)
        address = change["address"]

        def may_come(name: str, instance: str = prefix.rstrip("."), place: str = address) -> bool:
            return may_come_from(instance, plan, place, name)

        addition = _Addition(address, values, may_come)
        if values and _bears(addition, argument, snapshot, of_key=of_key):
            snapshot = add(snapshot, addition)
    return snapshot


def _is_own(change: Mapping[str, Any], instances: list[str]) -> bool:
    """Return whether a resource is of the module itself, and told of already."""
    address: str = change["address"]
    if change["type"] == "aws_kms_alias":
        return address.startswith(tuple(f"{each}module.key[0]." for each in instances))
    return any(address == each + _OWN_POLICY for each in instances)


def _after(change: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what will be there: what Terraform only forgets stays as it was."""
    body = change["change"]
    if list(body.get("actions") or ()) == ["forget"]:
        before = body.get("before")
        return before if isinstance(before, Mapping) else {}
    return merge_change(change)


def _bears(addition: _Addition, argument: str, snapshot: Snapshot, *, of_key: bool) -> bool:
    """Return whether a resource is, or may be, on the role or the key."""
    value = addition.values.get(argument)
    ours = _names_of_key(snapshot) if of_key else _names_of_role(snapshot)
    named: list[Any] = value if isinstance(value, list) else [value]
    if any(isinstance(each, str) and each in ours for each in named):
        return True
    # A role's name that is not known yet may be a name that is written out.
    unknown: bool = any(unknown_places(value, " ")) or ROLE_NAME in ours
    return unknown and bool(addition.may_come_from(argument))


def _names_of_role(snapshot: Snapshot) -> set[str]:
    arn = snapshot.registration.role_arn
    return {arn, arn.rpartition("/")[2]}


def _names_of_key(snapshot: Snapshot) -> set[str]:
    key = snapshot.registered_key
    arn = snapshot.registration.kms_arn if key is None else key.arn
    return {arn, arn.rpartition("/")[2], snapshot.registration.kms_arn}


def _add_inline(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    document = addition.text("policy")
    name = addition.text("name") or addition.address
    policy = NamedPolicy(name, UNSEEN if document is None else document, type="inline")
    return _add_policy(snapshot, policy, f"the plan does not know {addition.address}.policy yet")


def _add_attached(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    arn = addition.text("policy_arn")
    name = addition.address if arn is None else arn.rpartition("/")[2]
    policy = NamedPolicy(name, UNSEEN, type="managed", arn=UNSEEN if arn is None else arn)
    told = "a policy" if arn is None else arn
    return _add_policy(
        snapshot, policy, f"{addition.address} attaches {told}, which the plan does not hold"
    )


def _add_policy(snapshot: Snapshot, policy: NamedPolicy, reason: str) -> Snapshot:
    role = snapshot.role
    if not isinstance(role, Role) or role.permission_policies is UNSEEN:
        return snapshot
    role = replace(role, permission_policies=(*role.permission_policies, policy))
    found = replace(snapshot, role=role)
    return found if policy.document is not UNSEEN else _with_reason(found, _POLICIES, reason)


def _take_policies_away(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    """Leave the role's policies unseen: the resource may remove the module's own."""
    if not isinstance(snapshot.role, Role):
        return snapshot
    role = replace(snapshot.role, permission_policies=UNSEEN)
    reason = f"{addition.address} removes policies of the role, too"
    return _with_reason(replace(snapshot, role=role), _POLICIES, reason)


def _replace_key_policy(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    """Leave the key policy unseen: which of the two that write it comes last, nobody knows."""
    reason = f"{addition.address} writes the key policy, too"
    return _with_reason(_with_key(snapshot, policy=UNSEEN), _KEY_POLICY, reason)


def _add_replica(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    reason = f"{addition.address} replicates the key, with a policy of its own"
    return _with_reason(_with_key(snapshot, related=UNSEEN), _RELATED, reason)


def _add_alias(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    name, key = addition.text("name"), snapshot.registered_key
    if snapshot.aliases is UNSEEN or key is None:
        return snapshot
    if name is None:
        reason = f"the plan does not know {addition.address}.name yet"
        return _with_reason(replace(snapshot, aliases=UNSEEN), "aliases", reason)
    arn = f"{key.arn.rpartition(':')[0]}:{name}"
    return replace(snapshot, aliases=(*snapshot.aliases, Alias(arn, key.arn)))


def _add_grant(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    """Add a grant, unless it lets nobody do what a claim speaks of.

    The grants of a key that exists are unseen. A grant that gives the key away breaks a claim,
    whatever others there are; a harmless one must not make the others count as seen.
    """
    key = snapshot.registered_key
    if key is None:
        return snapshot
    operations = addition.values.get("operations")
    known = isinstance(operations, list) and not any(unknown_places(operations, " "))
    named = tuple(operations) if known and isinstance(operations, list) else _USE
    grantee = _grantee(snapshot, addition)
    to_role = grantee == snapshot.registration.role_arn
    if set(named) <= (_HARMLESS | {"Encrypt", "Decrypt"} if to_role else _HARMLESS):
        return snapshot
    grant: dict[str, Any] = {
        "name": addition.address,
        "grantee_principal": grantee,
        "operations": named,
        "key_arn": key.arn,
    }
    return replace(snapshot, grants=(*(snapshot.grants or ()), grant))


def _grantee(snapshot: Snapshot, addition: _Addition) -> str:
    told = addition.text("grantee_principal")
    if told is not None:
        return told
    role_arn = snapshot.registration.role_arn
    return f"{role_arn.partition(':role/')[0]}:role/{GRANTEE}"


def _with_key(snapshot: Snapshot, **members: Any) -> Snapshot:
    """Put members into the one key of a plan's snapshot."""
    keys = tuple(replace(each, **members) for each in snapshot.keys or ())
    return replace(snapshot, keys=keys)


def _with_reason(snapshot: Snapshot, path: str, reason: str) -> Snapshot:
    told = snapshot.reasons.get(path)
    joined = reason if told is None else f"{told}; {reason}"
    return replace(snapshot, reasons={**snapshot.reasons, path: joined})


_Add = Callable[["Snapshot", _Addition], "Snapshot"]
# By type: the argument that names role or key, whether it names a key, and what it does.
_BEARING: Final[dict[str, tuple[str, bool, _Add]]] = {
    "aws_iam_policy_attachment": ("roles", False, _add_attached),
    "aws_iam_role_policies_exclusive": ("role_name", False, _take_policies_away),
    "aws_iam_role_policy": ("role", False, _add_inline),
    "aws_iam_role_policy_attachment": ("role", False, _add_attached),
    "aws_iam_role_policy_attachments_exclusive": ("role_name", False, _take_policies_away),
    "aws_kms_alias": ("target_key_id", True, _add_alias),
    "aws_kms_grant": ("key_id", True, _add_grant),
    "aws_kms_key_policy": ("key_id", True, _replace_key_policy),
    "aws_kms_replica_key": ("primary_key_arn", True, _add_replica),
}
