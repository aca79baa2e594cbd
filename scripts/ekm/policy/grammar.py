"""The grammar of a statement, as AWS checks it at save, for each kind of document.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
(its errors are refusals here; its warnings and suggestions are not)
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ekm.policy.condition_block import conditions
from ekm.policy.json_text import members
from ekm.policy.kept import LONGEST_KEPT, total
from ekm.policy.kinds import DocumentKind
from ekm.policy.malformed import MalformedPolicy
from ekm.policy.pattern import ANY
from ekm.policy.principal import (
    PRINCIPAL_TYPES,
    Principal,
    PrincipalForm,
    parse_principal,
    parse_principals,
)
from ekm.policy.statement import (
    Actions,
    ArnPattern,
    Effect,
    Statement,
    parse_actions,
    parse_resources,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["statement", "unique_sids"]

ELEMENTS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
EFFECTS = {"Allow": Effect.ALLOW, "Deny": Effect.DENY}
NAMES_PRINCIPALS = frozenset({DocumentKind.TRUST, DocumentKind.KEY, DocumentKind.RCP})
# Trust policies are for the actions of one service; `*` is carried along, since it ends there.
TRUST_SERVICE = "sts:"
# Sids of IAM and Organizations documents are unique; a key policy's only should be.
SID_MAY_REPEAT = frozenset({DocumentKind.KEY})
ANYONE = parse_principal("AWS", "*")

Read = TypeVar("Read")
READ_PRINCIPALS = {
    each: (partial(parse_principals, each), partial(parse_principals.__wrapped__, each))
    for each in PRINCIPAL_TYPES
}
READ_RESOURCES = {
    each: (
        partial(parse_resources, variables=each),
        partial(parse_resources.__wrapped__, variables=each),
    )
    for each in (False, True)
}


def statement(raw: Any, index: int, kind: DocumentKind, *, variables: bool) -> Statement:
    """Read one statement.

    Args:
        raw: The decoded JSON.
        index: Its place in the document, from zero.
        kind: The document's kind.
        variables: Whether `${…}` is a variable (Version 2012-10-17).

    Returns:
        The statement.

    Raises:
        MalformedPolicy: With the place, from `Statement[index]` on.
    """
    try:
        return _statement(raw, index, kind, variables=variables)
    except MalformedPolicy as fault:
        raise fault.inside(f"Statement[{index}]") from None


def _statement(raw: Any, index: int, kind: DocumentKind, *, variables: bool) -> Statement:
    raw = members(raw, "a statement is a JSON object", "element")
    if not raw.keys() <= ELEMENTS:
        unknown = next(name for name in raw if name not in ELEMENTS)
        raise MalformedPolicy(f"{unknown!r} is not an element of a statement")
    sid = _sid(raw.get("Sid"), kind) if "Sid" in raw else None
    effect = _effect(raw)
    not_principal = "NotPrincipal" in raw
    principals = _principals(raw, kind, effect)
    if kind is DocumentKind.RCP:
        _everyone(principals)
        principals = None
    not_action = "NotAction" in raw
    actions = _actions(raw, kind)
    not_resource = "NotResource" in raw
    resources = _resources(raw, kind, variables=variables)
    block = conditions(raw["Condition"], variables=variables) if "Condition" in raw else ()
    read = Statement(
        index,
        sid,
        effect,
        principals,
        not_principal,
        actions,
        not_action,
        resources,
        not_resource,
        block,
    )
    if kind is DocumentKind.RCP:
        _full_access(read)
    return read


def unique_sids(statements: tuple[Statement, ...], kind: DocumentKind) -> None:
    """Check that no Sid stands twice, where the kind of document asks for that.

    Raises:
        MalformedPolicy: Naming the second statement of the same Sid.
    """
    if len(statements) == 1 or kind in SID_MAY_REPEAT:
        return
    seen: dict[str, int] = {}
    for each in statements:
        if each.sid is None:
            continue
        if each.sid in seen:
            raise MalformedPolicy(
                f"{each.sid!r} is already the Sid of statement {seen[each.sid]}",
                f"Statement[{each.index}].Sid",
            )
        seen[each.sid] = each.index


def _sid(sid: Any, kind: DocumentKind) -> str | None:
    if not isinstance(sid, str):
        raise MalformedPolicy("must be a string", "Sid")
    if sid and kind is not DocumentKind.KEY and not (sid.isascii() and sid.isalnum()):
        raise MalformedPolicy(f"{sid!r} holds characters other than A-Z, a-z and 0-9", "Sid")
    return sid or None


def _effect(raw: Mapping[str, Any]) -> Effect:
    found = raw.get("Effect")
    effect = EFFECTS.get(found) if isinstance(found, str) else None
    if effect is not None:
        return effect
    if "Effect" not in raw:
        raise MalformedPolicy("the statement has no Effect")
    raise MalformedPolicy(f"{found!r} is neither Allow nor Deny", "Effect")


def _either(raw: Mapping[str, Any], name: str, inverse: str) -> str | None:
    """Which of an element and its inverse a statement has."""
    if name in raw:
        if inverse in raw:
            raise MalformedPolicy(f"{name} and {inverse} cannot stand in one statement", inverse)
        return name
    return inverse if inverse in raw else None


def _principals(
    raw: Mapping[str, Any], kind: DocumentKind, effect: Effect
) -> tuple[Principal, ...] | None:
    element = _either(raw, "Principal", "NotPrincipal")
    if kind not in NAMES_PRINCIPALS:
        if element:
            raise MalformedPolicy(f"no principal stands in an {kind.value} policy", element)
        return None
    if element is None:
        raise MalformedPolicy("the statement names no Principal")
    if element == "NotPrincipal":
        if kind is not DocumentKind.KEY:
            raise MalformedPolicy(f"a {kind.value} policy takes no NotPrincipal", element)
        if effect is Effect.ALLOW:
            raise MalformedPolicy("NotPrincipal must be used with Deny", element)
    value = raw[element]
    if value == "*" and isinstance(value, str):
        return (ANYONE,)
    try:
        value = members(value, "must be * or an object of principal types", "type")
        return _principal_map(value, kind)
    except MalformedPolicy as fault:
        raise fault.inside(element) from None


def _principal_map(value: Mapping[str, Any], kind: DocumentKind) -> tuple[Principal, ...]:
    named: list[Principal] = []
    for type_, texts in value.items():
        if type_ not in PRINCIPAL_TYPES or type_ == "CanonicalUser":
            raise MalformedPolicy(f"{type_!r} is not a type of principal that this policy takes")
        if type_ == "Federated" and kind is not DocumentKind.TRUST:
            raise MalformedPolicy("a federated principal stands in a trust policy only", type_)
        named += _read(texts, type_, *READ_PRINCIPALS[type_])
    return tuple(named)


def _read(
    value: Any,
    element: str,
    read: Callable[[tuple[str, ...]], Read],
    anew: Callable[[tuple[str, ...]], Read],
) -> Read:
    """Read a string or a list of strings, naming the one at fault.

    `read` keeps what it made by the texts; `anew`, for texts too long to be kept, does not.
    """
    texts = _texts(value, element)
    if (len(texts[0]) if len(texts) == 1 else total(texts)) > LONGEST_KEPT:
        read = anew
    try:
        return read(texts)
    except MalformedPolicy as fault:
        place = "" if isinstance(value, str) else fault.place
        raise MalformedPolicy(fault.message, f"{element}{place}") from None


def _actions(raw: Mapping[str, Any], kind: DocumentKind) -> Actions:
    element = _either(raw, "Action", "NotAction")
    if element is None:
        raise MalformedPolicy("the statement has neither Action nor NotAction")
    if kind is DocumentKind.RCP and element == "NotAction":
        raise MalformedPolicy("a resource control policy takes no NotAction", element)
    actions = _read(raw[element], element, parse_actions, parse_actions.__wrapped__)
    if kind is DocumentKind.TRUST:
        for text in actions.texts:
            if text != "*" and not text.lower().startswith(TRUST_SERVICE):
                raise MalformedPolicy(f"{text!r}: a trust policy is about actions of sts", element)
    return actions


def _texts(value: Any, element: str) -> tuple[str, ...]:
    """A string or a list of strings as a tuple."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise MalformedPolicy("must be a string or a list of strings", element)
    for position, text in enumerate(value):
        if not isinstance(text, str):
            raise MalformedPolicy("must be a string", f"{element}[{position}]")
    return tuple(value)


def _resources(
    raw: Mapping[str, Any], kind: DocumentKind, *, variables: bool
) -> tuple[ArnPattern, ...] | None:
    element = _either(raw, "Resource", "NotResource")
    if kind is DocumentKind.TRUST:
        if element:
            raise MalformedPolicy("a trust policy is about its own role", element)
        return None
    if element is None:
        raise MalformedPolicy("the statement has neither Resource nor NotResource")
    return _read(raw[element], element, *READ_RESOURCES[variables])


def _everyone(principals: tuple[Principal, ...] | None) -> None:
    """The principal of a resource control policy is everyone, so it says nothing."""
    if not principals or any(each.form is not PrincipalForm.ANYONE for each in principals):
        raise MalformedPolicy("the principal of a resource control policy is *", "Principal")


def _full_access(read: Statement) -> None:
    """In resource control policies Allow stands in one form alone."""
    full = (
        read.actions.patterns == (ANY,)
        and not read.not_resource
        and any(each.everything for each in read.resources or ())
        and not read.conditions
    )
    if read.effect is Effect.ALLOW and not full:
        raise MalformedPolicy("Allow stands in RCPFullAWSAccess only: every action on *", "Effect")
