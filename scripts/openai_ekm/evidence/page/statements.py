"""The statements of the snapshot's policies, and what each lets somebody do, for showing.

The proof judges; this reading is for the eye. It takes a document as it is: of one that is
malformed it shows what it can read, and the page says elsewhere that AWS would not take it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from openai_ekm.evidence.page.text import object_of
from openai_ekm.policy.pattern import compile_pattern

__all__ = ["By", "Permission", "permissions"]

USE: Final = (
    *("kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
    *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext"),
)
CHANGE: Final = (
    *("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:CreateGrant"),
    *("kms:ReplicateKey", "kms:DeleteImportedKeyMaterial"),
)


@dataclass(frozen=True, slots=True)
class By:
    """The place of a statement.

    Args:
        document: Its path in the snapshot.
        statement: Its index there.
        sid: Its Sid, or a grant's name.
    """

    document: str
    statement: Any
    sid: str | None


@dataclass(frozen=True, slots=True)
class Permission:
    """The part of a statement that lets one principal do something.

    Args:
        who: The principal.
        target: `role` or `key`.
        actions: As the policy spells them.
        uses: The actions that make or read ciphertext, of those.
        changes: The actions that change the key, its policy, or who may use it.
        by: The statement.
        only_if: Its conditions, a sentence each.
    """

    who: str
    target: str
    actions: tuple[str, ...]
    uses: tuple[str, ...]
    changes: tuple[str, ...]
    by: By
    only_if: tuple[str, ...]


def permissions(snapshot: Mapping[str, Any], role: str) -> tuple[Permission, ...]:
    """Return what the policies and grants of a snapshot let principals do with role and key.

    Args:
        snapshot: The JSON of `ekm snapshot`.
        role: ARN of the registered role.
    """
    found: list[Permission] = []
    holder = object_of(snapshot.get("role"))
    for by, statement in _allowing("trust_policy", holder.get("trust_policy")):
        found += [_permission(who, "role", by, statement) for who in _principals(statement)]
    for index, policy in enumerate(_list(holder.get("permission_policies"))):
        name = f"permission_policies[{index}]"
        for by, statement in _allowing(name, object_of(policy).get("document")):
            found.append(_permission(role, "key", by, statement))
    for index, key in enumerate(_list(snapshot.get("keys"))):
        for by, statement in _allowing(f"keys[{index}].policy", object_of(key).get("policy")):
            whom = _narrowed(statement) or _principals(statement)
            found += [_permission(who, "key", by, statement) for who in whom]
    for index, grant in enumerate(_list(snapshot.get("grants"))):
        found += _granted(index, object_of(grant))
    return tuple(found)


def _permission(who: str, target: str, by: By, statement: Mapping[str, Any]) -> Permission:
    actions = tuple(str(each) for each in _list(statement.get("Action")))
    if not actions and "NotAction" in statement:
        excluded = [str(each) for each in _list(statement["NotAction"])]
        actions = (f"everything but {', '.join(excluded)}",)
        uses = tuple(each for each in USE if not _matches(excluded, each))
        changes = tuple(each for each in CHANGE if not _matches(excluded, each))
    else:
        uses, changes = _spelt(actions, USE), _spelt(actions, CHANGE)
    return Permission(who, target, actions, uses, changes, by, tuple(_conditions(statement)))


def _spelt(actions: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the actions, as they are spelt, that cover one of some names."""
    return tuple(each for each in actions if any(_matches([each], name) for name in names))


def _matches(patterns: list[str], action: str) -> bool:
    return any(compile_pattern(each.lower()).matches(action.lower()) for each in patterns)


def _granted(index: int, grant: Mapping[str, Any]) -> Iterator[Permission]:
    grantee = grant.get("grantee_principal")
    if not isinstance(grantee, str):
        return
    names = _list(grant.get("operations"))
    actions = tuple(f"kms:{each}" for each in names)
    name = grant.get("name") or grant.get("grant_id")
    by = By(f"grants[{index}]", 0, name if isinstance(name, str) else None)
    conditions = grant.get("constraints")
    only_if = (f"the grant's constraints: {json.dumps(conditions)}",) if conditions else ()
    yield Permission(
        grantee, "key", actions, _spelt(actions, USE), _spelt(actions, CHANGE), by, only_if
    )


def _allowing(document: str, policy: Any) -> Iterator[tuple[By, Mapping[str, Any]]]:
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except (ValueError, RecursionError):
            return
    for index, each in enumerate(_list(object_of(policy).get("Statement"))):
        statement = object_of(each)
        if statement.get("Effect") == "Allow":
            sid = statement.get("Sid")
            yield By(document, index, sid if isinstance(sid, str) else None), statement


def _principals(statement: Mapping[str, Any]) -> tuple[str, ...]:
    if "NotPrincipal" in statement:
        return ("everybody but those named",)
    named = statement.get("Principal")
    if isinstance(named, Mapping):
        return tuple(str(each) for values in named.values() for each in _list(values))
    return tuple(str(each) for each in _list(named)) or ("nobody named",)


def _narrowed(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the principals that a condition on `aws:PrincipalArn` leaves of those named."""
    for operator, block in object_of(statement.get("Condition")).items():
        if operator in {"ArnEquals", "ArnLike", "StringEquals"}:
            for key, values in object_of(block).items():
                if key.lower() == "aws:principalarn":
                    return tuple(str(each) for each in _list(values))
    return ()


def _conditions(statement: Mapping[str, Any]) -> Iterator[str]:
    for operator, block in object_of(statement.get("Condition")).items():
        for key, values in object_of(block).items():
            shown = " or ".join(str(each) for each in _list(values))
            yield f"{key} {operator} {shown}"


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
