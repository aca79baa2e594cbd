"""Additions to an instance's role and key, by resources that are not the module's own.

A root module can put a policy on the role, a grant on the key, or another key policy in the place
of the module's. Without them, a plan that gives the key away would look like one that does not.

A document that the plan knows is judged with the module's. A member is unseen, with the reason, if
the plan does not know the document, or if two resources write it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.snapshot.members import UNSEEN, Alias, Key, NamedPolicy, Role
from openai_ekm.snapshot.plan_instances import merge_change, unknown_places
from openai_ekm.snapshot.plan_references import may_come_from
from openai_ekm.snapshot.symbols import GRANTEE, OTHER_KEY_ID, ROLE_NAME, holds_symbol

if TYPE_CHECKING:
    from openai_ekm.snapshot.snapshot import Snapshot

__all__ = ["add_resources"]

_POLICIES: Final = "permission_policies"
_KEY_POLICY: Final = "keys[0].policy"
_RELATED: Final = "keys[0].related"
_OWN_ROLE: Final = "module.role.aws_iam_role.this"
_OWN: Final = (
    _OWN_ROLE,
    "module.role.aws_iam_role_policy.use",
    "module.key[0].aws_kms_key.this",
)
_ANY: Final = "*"  # any argument
_ROLE_ARGUMENTS: Final = frozenset({"role", "role_name", "roles"})
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
        other_roles: Names of roles that the plan makes beside the instance's, in small letters.
    """

    address: str
    values: Mapping[str, Any]
    may_come_from: Callable[[str], bool]
    other_roles: frozenset[str] = frozenset()

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
    others = _names_of_other_roles(changes, prefix)
    own = prefix.rstrip(".")
    beside = [each.rstrip(".") for each in instances if each != prefix]
    for change in changes:
        if change.get("mode") == "data" or _is_own(change, instances):
            continue
        address = change["address"]
        may_come = partial(may_come_from, own, plan, address, other_instances=beside)
        for values in _states(change):
            addition = _Addition(address, values, may_come, others)
            for type_, argument, of_key, add in _BEARING:
                if not fnmatchcase(change["type"], type_):
                    continue
                if _bears(addition, argument, snapshot, of_key=of_key):
                    snapshot = add(snapshot, addition)
    return snapshot


def _is_own(change: Mapping[str, Any], instances: list[str]) -> bool:
    """Return whether a resource is of the module itself, and told of already."""
    address: str = change["address"]
    if change["type"] == "aws_kms_alias":
        return address.startswith(tuple(f"{each}module.key[0]." for each in instances))
    return any(address == each + own for each in instances for own in _OWN)


def _names_of_other_roles(changes: list[Mapping[str, Any]], prefix: str) -> frozenset[str]:
    """Return the names of roles that the plan makes and that are not the instance's."""
    return frozenset(
        name.casefold()
        for each in changes
        if each["type"] == "aws_iam_role"
        and each["address"] != prefix + _OWN_ROLE
        and isinstance(name := (each["change"].get("after") or {}).get("name"), str)
    )


def _states(change: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a resource will be, and what it was where that still bears.

    A resource that Terraform only forgets stays as it was. A key policy that is deleted, or moved
    to another key, leaves AWS's default policy behind. An import is told by its id, too.
    """
    body = change["change"]
    actions, before = body.get("actions") or (), body.get("before")
    imported = (body.get("importing") or {}).get("id")
    after = merge_change(change)
    found: list[Mapping[str, Any]] = []
    if after:
        found.append({**after, "importing": imported} if imported else after)
    leaves = change["type"] == "aws_kms_key_policy" and actions not in (["no-op"], ["create"])
    if isinstance(before, Mapping) and ("forget" in actions or leaves):
        found.append(before)
    return found


def _bears(addition: _Addition, argument: str, snapshot: Snapshot, *, of_key: bool) -> bool:
    """Return whether a resource is, or may be, on the role or the key."""
    ours = _names_of_key(snapshot) if of_key else _names_of_role(snapshot)
    if argument == _ANY:
        written = [text.casefold() for text in _texts(addition.values)]
        return any(_stands_in(each, text) for text in written for each in ours) or any(
            addition.may_come_from(name)
            for name, value in addition.values.items()
            if any(unknown_places(value, " "))
        )
    value = addition.values.get(argument)
    named: list[Any] = value if isinstance(value, list) else [value]
    texts = [each.casefold() for each in named if isinstance(each, str)]
    arns = [each for each in ours if ":" in each]
    if any(text in ours or any(_stands_in(each, text) for each in arns) for text in texts):
        return True
    if any(unknown_places(value, " ")):
        return bool(addition.may_come_from(argument))
    # A role's name that is not known yet may be one that is written out.
    return (
        not of_key
        and ROLE_NAME in ours
        and argument in _ROLE_ARGUMENTS
        and any(text not in addition.other_roles for text in texts)
    )


def _stands_in(name: str, text: str) -> bool:
    """Return whether a name or an ARN stands in a text, and not as a part of a longer one."""
    return re.search(rf"(?<![\w+=,.@-]){re.escape(name)}(?![\w+=,.@/-])", text) is not None


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _names_of_role(snapshot: Snapshot) -> set[str]:
    arn = snapshot.registration.role_arn.casefold()
    return {arn, arn.rpartition("/")[2]}


def _names_of_key(snapshot: Snapshot) -> set[str]:
    key = snapshot.registered_key
    registered = snapshot.registration.kms_arn.casefold()
    arn = registered if key is None else key.arn.casefold()
    return {arn, arn.rpartition("/")[2], registered}


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
    """Add a grant on the key, unless it lets nobody do what a claim speaks of.

    The grants of a key that exists are unseen. A grant that gives the key away breaks a claim,
    whatever others there are; a harmless one must not make the others count as seen.
    """
    key = snapshot.registered_key
    if key is None:
        return snapshot
    grantee = _grantee(snapshot, addition)
    to_role = grantee == snapshot.registration.role_arn
    harmless = _HARMLESS | {"Encrypt", "Decrypt"} if to_role else _HARMLESS
    return _with_grant(snapshot, addition, grantee, key.arn, harmless)


def _add_grant_to_role(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    """Add a grant on another key to the role: the role may use nothing but the key."""
    if _bears(addition, "key_id", snapshot, of_key=True):
        return snapshot  # told as a grant on the key
    arn = _other_key(snapshot, addition, "key_id")
    return _with_grant(snapshot, addition, snapshot.registration.role_arn, arn, _HARMLESS)


def _with_grant(
    snapshot: Snapshot, addition: _Addition, grantee: str, key_arn: str, harmless: frozenset[str]
) -> Snapshot:
    operations = addition.values.get("operations")
    known = isinstance(operations, list) and not any(unknown_places(operations, " "))
    named = tuple(operations) if known and isinstance(operations, list) else _USE
    if set(named) <= harmless:
        return snapshot
    grant: dict[str, Any] = {
        "name": addition.address,
        "grantee_principal": grantee,
        "operations": named,
        "key_arn": key_arn,
    }
    return replace(snapshot, grants=(*(snapshot.grants or ()), grant))


def _other_key(snapshot: Snapshot, addition: _Addition, argument: str) -> str:
    """Return the ARN of another key: as the plan knows it, else with a symbol for its id."""
    told = addition.text(argument)
    if told is not None and told.startswith("arn:"):
        return told
    key = snapshot.registered_key
    ours = snapshot.registration.kms_arn if key is None else key.arn
    return f"{ours.rpartition('key/')[0]}key/{told or OTHER_KEY_ID}"


def _add_other_key(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    """Add another key whose policy names the role, or may: the role may use nothing but the key."""
    argument = "arn" if "key_usage" in addition.values else "key_id"
    arn = _other_key(snapshot, addition, argument)
    if snapshot.registered_key is not None and arn == snapshot.registered_key.arn:
        return snapshot
    if _bears(addition, argument, snapshot, of_key=True) or snapshot.keys is UNSEEN:
        return snapshot  # told as a policy of the key
    others = [each for each in snapshot.keys[1:] if each.arn != arn]
    document = addition.text("policy") if len(others) == len(snapshot.keys) - 1 else None
    key = Key(arn=arn, policy=UNSEEN if document is None else document)
    found = replace(snapshot, keys=(snapshot.keys[0], *others, key))
    if document is not None:
        return found
    reason = f"the plan does not know {addition.address}.policy yet, which may name the role"
    return _with_reason(found, f"keys[{len(others) + 1}].policy", reason)


def _take_role_over(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    """Leave the role unseen: a second resource writes it."""
    if not isinstance(snapshot.role, Role):
        return snapshot
    role = replace(snapshot.role, trust_policy=UNSEEN, permission_policies=UNSEEN)
    reason = f"{addition.address} writes the role, too"
    found = _with_reason(replace(snapshot, role=role), _POLICIES, reason)
    return _with_reason(found, "trust_policy", reason)


def _take_over(snapshot: Snapshot, addition: _Addition) -> Snapshot:
    """Leave role and key policy unseen: the resource can make anything in AWS."""
    return _replace_key_policy(_take_role_over(snapshot, addition), addition)


def _grantee(snapshot: Snapshot, addition: _Addition) -> str:
    told = addition.text("grantee_principal")
    if told is not None and not holds_symbol(told):
        return told
    role_arn = snapshot.registration.role_arn
    return f"{role_arn.partition(':role/')[0]}:role/{GRANTEE}"


def _with_key(snapshot: Snapshot, **members: Any) -> Snapshot:
    """Put members into the registered key of a plan's snapshot, which is the first."""
    if snapshot.keys is UNSEEN or not snapshot.keys:
        return snapshot
    first, *others = snapshot.keys
    return replace(snapshot, keys=(replace(first, **members), *others))


def _with_reason(snapshot: Snapshot, path: str, reason: str) -> Snapshot:
    told = snapshot.reasons.get(path)
    joined = reason if told is None or reason in told else f"{told}; {reason}"
    return replace(snapshot, reasons={**snapshot.reasons, path: joined})


_Add = Callable[["Snapshot", _Addition], "Snapshot"]
# Type (a pattern), the argument that names role or key, whether it names a key, what it does.
_BEARING: Final[tuple[tuple[str, str, bool, _Add], ...]] = (
    ("aws_iam_policy_attachment", "roles", False, _add_attached),
    ("aws_iam_role", "arn", False, _take_role_over),
    ("aws_iam_role", "importing", False, _take_role_over),
    ("aws_iam_role", "name", False, _take_role_over),
    ("aws_iam_role_policies_exclusive", "role_name", False, _take_policies_away),
    ("aws_iam_role_policy", "role", False, _add_inline),
    ("aws_iam_role_policy_attachment", "role", False, _add_attached),
    ("aws_iam_role_policy_attachments_exclusive", "role_name", False, _take_policies_away),
    ("aws_kms_alias", "target_key_id", True, _add_alias),
    ("aws_kms_external_key", "policy", False, _add_other_key),
    ("aws_kms_grant", "grantee_principal", False, _add_grant_to_role),
    ("aws_kms_grant", "key_id", True, _add_grant),
    ("aws_kms_key", "arn", True, _replace_key_policy),
    ("aws_kms_key", "importing", True, _replace_key_policy),
    ("aws_kms_key", "key_id", True, _replace_key_policy),
    ("aws_kms_key", "policy", False, _add_other_key),
    ("aws_kms_key_policy", "key_id", True, _replace_key_policy),
    ("aws_kms_key_policy", "policy", False, _add_other_key),
    ("aws_kms_replica_external_key", "primary_key_arn", True, _add_replica),
    ("aws_kms_replica_key", "primary_key_arn", True, _add_replica),
    # What can make anything, and names role or key.
    ("aws_cloudcontrolapi_resource", _ANY, False, _take_over),
    ("aws_cloudcontrolapi_resource", _ANY, True, _take_over),
    ("aws_cloudformation_stack*", _ANY, False, _take_over),
    ("aws_cloudformation_stack*", _ANY, True, _take_over),
    ("awscc_iam_*", _ANY, False, _take_over),
    ("awscc_kms_*", _ANY, True, _take_over),
)
