"""The grammar of a statement, as AWS checks it at save, for each kind of document.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
(its errors are refusals here; its warnings and suggestions are not)
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from openai_ekm.policy.conditions import conditions
from openai_ekm.policy.json_text import members
from openai_ekm.policy.malformed import MalformedPolicy
from openai_ekm.policy.pattern import ANY
from openai_ekm.policy.principal import (
    PRINCIPAL_TYPES,
    Principal,
    PrincipalForm,
    parse_principal,
    parse_principals,
)
from openai_ekm.policy.statement import (
    Actions,
    Effect,
    Resources,
    Statement,
    parse_actions,
    parse_resources,
)
from openai_ekm.policy.text_cache import CachedByTexts

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DocumentKind", "Form", "form_of", "statement", "unique_sids"]


class DocumentKind(StrEnum):
    """The kind of a document; permissions boundaries and session policies are IDENTITY."""

    TRUST = "trust"
    IDENTITY = "identity"
    KEY = "key"
    SCP = "service control"
    RCP = "resource control"


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
NAMES_PRINCIPALS = frozenset({DocumentKind.TRUST, DocumentKind.KEY, DocumentKind.RCP})


@dataclass(frozen=True, slots=True)
class Form:
    """The elements of a statement, by what they are for.

    Args:
        sid: Whether it has a Sid.
        principal: `Principal`, `NotPrincipal`, or None in documents that name nobody.
        not_principal: Whether it is `NotPrincipal`.
        action: `Action` or `NotAction`.
        not_action: Whether it is `NotAction`.
        resource: `Resource`, `NotResource`, or None in a trust policy.
        not_resource: Whether it is `NotResource`.
        condition: Whether it has a Condition.
    """

    sid: bool
    principal: str | None
    not_principal: bool
    action: str
    not_action: bool
    resource: str | None
    not_resource: bool
    condition: bool


# Statements come in few forms. What is refused raises, and is not kept.
@lru_cache(maxsize=4096)
def form_of(names: tuple[str, ...], kind: DocumentKind) -> Form:
    """Check which elements a statement has.

    Args:
        names: Its members.
        kind: The kind of document that it stands in.

    Returns:
        Its form.

    Raises:
        MalformedPolicy: An element is unknown, missing, out of place, or beside its inverse.
    """
    for name in names:
        if name not in ELEMENTS:
            raise MalformedPolicy(f"{name!r} is not an element of a statement")
    if "Effect" not in names:
        raise MalformedPolicy("the statement has no Effect")
    principal = _principal(names, kind)
    action = _either(names, "Action", "NotAction")
    if action is None:
        raise MalformedPolicy("the statement has neither Action nor NotAction")
    if kind is DocumentKind.RCP and action == "NotAction":
        raise MalformedPolicy("a resource control policy takes no NotAction", action)
    resource = _either(names, "Resource", "NotResource")
    if kind is DocumentKind.TRUST and resource:
        raise MalformedPolicy("a trust policy is about its own role", resource)
    if kind is not DocumentKind.TRUST and resource is None:
        raise MalformedPolicy("the statement has neither Resource nor NotResource")
    return Form(
        sid="Sid" in names,
        principal=principal,
        not_principal=principal == "NotPrincipal",
        action=action,
        not_action=action == "NotAction",
        resource=resource,
        not_resource=resource == "NotResource",
        condition="Condition" in names,
    )


def _principal(names: tuple[str, ...], kind: DocumentKind) -> str | None:
    element = _either(names, "Principal", "NotPrincipal")
    if kind not in NAMES_PRINCIPALS:
        if element:
            raise MalformedPolicy(f"no principal stands in an {kind.value} policy", element)
        return None
    if element is None:
        raise MalformedPolicy("the statement names no Principal")
    if element == "NotPrincipal" and kind is not DocumentKind.KEY:
        raise MalformedPolicy(f"a {kind.value} policy takes no NotPrincipal", element)
    return element


def _either(names: tuple[str, ...], name: str, inverse: str) -> str | None:
    """Return which of an element and its inverse a statement has."""
    if name in names:
        if inverse in names:
            raise MalformedPolicy(f"{name} and {inverse} cannot stand in one statement", inverse)
        return name
    return inverse if inverse in names else None


EFFECTS = {"Allow": Effect.ALLOW, "Deny": Effect.DENY}
# Trust policies are for the actions of one service; `*` is carried along, since it ends there.
TRUST_SERVICE = "sts:"
# Sids of IAM and Organizations documents are unique; a key policy's only should be.
SID_MAY_REPEAT = frozenset({DocumentKind.KEY})
ANYONE: tuple[Principal, ...] = (parse_principal("AWS", "*"),)

Read = TypeVar("Read")


def _trust_actions(texts: tuple[str, ...]) -> Actions:
    actions = parse_actions(texts)
    for text in texts:
        if text != "*" and not text.lower().startswith(TRUST_SERVICE):
            raise MalformedPolicy(f"{text!r}: a trust policy is about actions of sts")
    return actions


ACTIONS = CachedByTexts(parse_actions)
TRUST_ACTIONS = CachedByTexts(_trust_actions)
RESOURCES = {
    each: CachedByTexts(partial(parse_resources, variables=each)) for each in (False, True)
}
PRINCIPALS = {
    each: CachedByTexts(partial(parse_principals, each))
    for each in PRINCIPAL_TYPES
    if each != "CanonicalUser"
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
        raw = members(raw, "a statement is a JSON object", "element")
        form = form_of(tuple(raw), kind)
        sid = _sid(raw["Sid"], kind) if form.sid else None
        effect = _effect(raw["Effect"])
        principals = None if form.principal is None else _principals(raw, form, effect, kind)
        actions = _read(
            raw[form.action],
            form.action,
            TRUST_ACTIONS if kind is DocumentKind.TRUST else ACTIONS,
        )
        resources: Resources | None = None
        if form.resource is not None:
            resources = _read(raw[form.resource], form.resource, RESOURCES[variables])
        block = conditions(raw["Condition"], variables=variables) if form.condition else ()
        read = Statement(
            index,
            sid,
            effect,
            principals,
            form.not_principal,
            actions,
            form.not_action,
            resources,
            form.not_resource,
            block,
        )
        if kind is DocumentKind.RCP:
            _full_access(read)
    except MalformedPolicy as fault:
        raise fault.inside(f"Statement[{index}]") from None
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


def _effect(found: Any) -> Effect:
    effect = EFFECTS.get(found) if isinstance(found, str) else None
    if effect is None:
        raise MalformedPolicy(f"{found!r} is neither Allow nor Deny", "Effect")
    return effect


def _principals(
    raw: Mapping[str, Any], form: Form, effect: Effect, kind: DocumentKind
) -> tuple[Principal, ...] | None:
    element = form.principal or ""
    if form.not_principal and effect is Effect.ALLOW:
        raise MalformedPolicy("NotPrincipal must be used with Deny", element)
    value = raw[element]
    if value == "*" and isinstance(value, str):
        named = ANYONE
    else:
        try:
            value = members(value, "must be * or an object of principal types", "type")
            named = _principal_map(value, kind)
        except MalformedPolicy as fault:
            raise fault.inside(element) from None
    if kind is not DocumentKind.RCP:
        return named
    # The principal of a resource control policy is everyone, so it says nothing.
    if not named or any(each.form is not PrincipalForm.ANYONE for each in named):
        raise MalformedPolicy("the principal of a resource control policy is *", element)
    return None


def _principal_map(value: Mapping[str, Any], kind: DocumentKind) -> tuple[Principal, ...]:
    named: tuple[Principal, ...] = ()
    for type_, texts in value.items():
        kept = PRINCIPALS.get(type_)
        if kept is None:
            raise MalformedPolicy(f"{type_!r} is not a type of principal that this policy takes")
        if type_ == "Federated" and kind is not DocumentKind.TRUST:
            raise MalformedPolicy("a federated principal stands in a trust policy only", type_)
        named += _read(texts, type_, kept)
    return named


def _read(value: Any, element: str, kept: CachedByTexts[Read]) -> Read:
    """Read a string or a list of strings, naming the one at fault."""
    if type(value) is str:
        texts: tuple[str, ...] = (value,)
    elif type(value) is list:
        texts = tuple(value)
    else:
        texts = _texts(value, element)
    try:
        found = kept.get(texts)
        if found is not None:
            return found
    except TypeError:  # a list or an object among the texts
        pass
    texts = _texts(value, element)
    try:
        return kept.made(texts)
    except MalformedPolicy as fault:
        place = "" if isinstance(value, str) else fault.place
        raise fault.at(f"{element}{place}") from None


def _texts(value: Any, element: str) -> tuple[str, ...]:
    """Return a string or a list of strings as a tuple."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise MalformedPolicy("must be a string or a list of strings", element)
    for position, text in enumerate(value):
        if not isinstance(text, str):
            raise MalformedPolicy("must be a string", f"{element}[{position}]")
    return tuple(value)


def _full_access(read: Statement) -> None:
    """Refuse an Allow of a resource control policy in any form but the one that AWS takes."""
    full = (
        read.actions.patterns == (ANY,)
        and not read.not_resource
        and any(each.everything for each in read.resources or ())
        and not read.conditions
    )
    if read.effect is Effect.ALLOW and not full:
        raise MalformedPolicy("Allow stands in RCPFullAWSAccess only: every action on *", "Effect")
