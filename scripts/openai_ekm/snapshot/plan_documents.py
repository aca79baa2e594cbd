"""The documents of one instance of the module: what its own resources write, and its role shows.

The module notes its documents in a `terraform_data`, since an argument with an unknown value is
unknown as a whole. A changed copy of the module may note one document and write another. So the
note counts only where it says why the argument is unknown, and never against a known argument.

A changed copy of the module can give its role further policies in the role's own block. A role that
exists shows all that it has in AWS, also what somebody put on it outside Terraform.

Source:
https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.snapshot.members import UNSEEN, NamedPolicy, Role
from openai_ekm.snapshot.plan_instances import (
    KEY,
    ROLE,
    UNKNOWN,
    USE,
    find_further,
    find_notes,
    find_own,
    known_values,
    merge_change,
    unknown_places,
)
from openai_ekm.snapshot.plan_references import written_arguments
from openai_ekm.snapshot.symbols import EXTERNAL_ID, PRINCIPAL

if TYPE_CHECKING:
    from openai_ekm.snapshot.snapshot import Snapshot

__all__ = ["Symbols", "add_policies_of_role", "find_documents"]

# The module's statements whose one principal is the account's root user.
_OF_ACCOUNT: Final = ("AllowUseByRole", "DelegateToAccount")
_ADMINISTRATION: Final = "AllowAdministration"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a document is written.

    Args:
        path: The snapshot's member.
        resource: Address of the resource inside the instance.
        argument: Its argument.
        reference: What the argument is made of in the module.
        further: A second resource of the type of this one is not of the module.
    """

    path: str
    resource: str
    argument: str
    reference: str
    further: str


_PLACES: Final = {
    "trust_policy": _Place(
        "trust_policy", ROLE, "assume_role_policy", "local.trust_policy_json", ROLE
    ),
    "permission_policy": _Place(
        "permission_policies", USE, "policy", "local.permission_policy_json", ROLE
    ),
    "key_policy": _Place("keys[0].policy", KEY, "policy", "local.policy_json", KEY),
}


@dataclass(frozen=True, slots=True)
class Symbols:
    """The values that one instance's plan knows, else a symbol for each.

    Args:
        account: Twelve digits.
        account_known: Whether the plan knows it.
        region: The Region.
        role_arn: ARN of the role.
        key_arn: ARN of the key.
    """

    account: str
    account_known: bool
    region: str
    role_arn: str
    key_arn: str


def find_documents(
    plan: Mapping[str, Any],
    inside: list[Mapping[str, Any]],
    prefixes: Iterable[str],
    prefix: str,
    symbols: Symbols,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the documents with their symbols, and why one is not seen.

    Args:
        plan: `terraform show -json PLAN`, decoded.
        inside: Its resource changes inside the instance.
        prefixes: The beginning of every address inside an instance, for each instance.
        prefix: The beginning of every address inside the instance.
        symbols: What stands for its unknown values.

    Returns:
        The documents by their names, and the reasons by the paths of the snapshot's members. A
        policy of the role that the plan deletes is in neither.
    """
    notes = [merge_change(each).get("input") for each in find_notes(inside, prefix)]
    note = notes[0] if len(notes) == 1 else UNKNOWN
    found: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name, place in _PLACES.items():
        own = find_own(inside, prefix, place.resource)
        further = find_further(inside, prefixes, prefix, place.further)
        if further is not None:
            reasons[place.path] = f"{further} is no resource of the module"
        elif not isinstance(note, Mapping):
            reasons[place.path] = f"the plan does not tell {prefix}terraform_data.documents"
        elif name == "key_policy" and note.get(name) is None and known_values(own) == {}:
            reasons[place.path] = "the plan holds no policy of a key that the module does not make"
        elif own is None:
            reasons[place.path] = f"the plan has no {prefix}{place.resource}"
        elif name == "permission_policy" and _is_deleted(own):
            continue  # The role then has no policy of the module's.
        elif name == "permission_policy" and _is_on_another_role(inside, prefix, own):
            reasons[place.path] = f"{own['address']} is on another role"
        elif isinstance(document := _document(plan, own, note.get(name), name, symbols), _Lost):
            reasons[place.path] = document.reason
        else:
            found[name] = document
    return found, reasons


def _is_deleted(change: Mapping[str, Any]) -> bool:
    return list(change["change"].get("actions") or ()) == ["delete"]


def _is_on_another_role(
    inside: list[Mapping[str, Any]], prefix: str, own: Mapping[str, Any]
) -> bool:
    role, name = known_values(own).get("role"), known_values(find_own(inside, prefix, ROLE))
    return isinstance(role, str) and role != name.get("name", role)


@dataclass(frozen=True, slots=True)
class _Lost:
    """Why a document is not known."""

    reason: str


def _document(
    plan: Mapping[str, Any], own: Mapping[str, Any], noted: Any, name: str, symbols: Symbols
) -> Any:
    """Return the document that a resource writes, with symbols; or why it is not known."""
    place, values, address = _PLACES[name], merge_change(own), own["address"]
    written = values.get(place.argument)
    filled = _fill_symbols(noted, name, symbols)
    lost = next(unknown_places(filled), None)
    if isinstance(written, str):
        return filled if lost is None and _is_json(written, filled) else written
    told = f"{address}.{place.argument}"
    arguments = written_arguments(plan, address)
    reason = None
    if not values:
        reason = f"the plan takes {address} away"
    elif written is not UNKNOWN or (arguments is not None and place.argument not in arguments):
        reason = f"{told} is not given"
    elif arguments is not None and _references(arguments[place.argument]) != [place.reference]:
        reason = f"{told} is not made as the module makes it"
    elif noted is None or not any(unknown_places(noted, " ")):
        # An argument is unknown only where a value of its document is.
        reason = f"the plan does not know {told} yet"
    elif lost is not None:
        reason = f"the plan does not know {name}{lost} yet"
    return filled if reason is None else _Lost(reason)


def _references(expression: Any) -> Any:
    return expression.get("references") if isinstance(expression, Mapping) else None


def _is_json(text: str, value: Any) -> bool:
    try:
        return bool(json.loads(text) == value)
    except (ValueError, RecursionError):
        return False


def _fill_symbols(document: Any, name: str, symbols: Symbols) -> Any:
    """Return a document with a symbol at each unknown place whose meaning is known."""
    if not isinstance(document, Mapping) or not isinstance(document.get("Statement"), list):
        return document
    return {
        **document,
        "Statement": [_statement(each, name, symbols) for each in document["Statement"]],
    }


def _statement(statement: Any, name: str, symbols: Symbols) -> Any:
    if not isinstance(statement, Mapping):
        return statement
    found, sid = dict(statement), statement.get("Sid")
    if name == "permission_policy" and found.get("Resource") is UNKNOWN:
        found["Resource"] = symbols.key_arn
    if name == "key_policy" and isinstance(found.get("Principal"), Mapping):
        principal = dict(found["Principal"])
        principal["AWS"] = _principals(principal.get("AWS"), sid, symbols)
        found["Principal"] = principal
    known = {"sts:ExternalId": EXTERNAL_ID}
    if name == "key_policy" and sid in _OF_ACCOUNT:
        known["aws:PrincipalArn"] = symbols.role_arn
    if isinstance(found.get("Condition"), Mapping):
        found["Condition"] = {
            operator: _values(keys, known) if isinstance(keys, Mapping) else keys
            for operator, keys in found["Condition"].items()
        }
    return found


def _values(keys: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    return {
        key: [known.get(key, each) if each is UNKNOWN else each for each in values]
        if isinstance(values, list)
        else (known.get(key, values) if values is UNKNOWN else values)
        for key, values in keys.items()
    }


def _principals(given: Any, sid: Any, symbols: Symbols) -> Any:
    """Return the principals of a statement of the key policy.

    The module takes administrators from its own account alone, and never the role. It sorts them,
    so that one that is unknown makes all of them unknown; the account's root user stands before
    them, and is unknown alone where the account is.
    """
    root = f"arn:aws:iam::{symbols.account}:root"
    some = f"arn:aws:iam::{symbols.account}:role/{PRINCIPAL}"
    if sid in _OF_ACCOUNT and given is UNKNOWN:
        return root
    if sid != _ADMINISTRATION:
        return given
    if given is UNKNOWN:
        return [some]
    if not isinstance(given, list):
        return given
    first = some if symbols.account_known else root
    return [
        (first if index == 0 else some) if each is UNKNOWN else each
        for index, each in enumerate(given)
    ]


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
