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
from ekm.policy.form import Form, form_of
from ekm.policy.json_text import members
from ekm.policy.kept import KeptByTexts
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
    Effect,
    Resources,
    Statement,
    parse_actions,
    parse_resources,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["statement", "unique_sids"]

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


ACTIONS = KeptByTexts(parse_actions)
TRUST_ACTIONS = KeptByTexts(_trust_actions)
RESOURCES = {each: KeptByTexts(partial(parse_resources, variables=each)) for each in (False, True)}
PRINCIPALS = {
    each: KeptByTexts(partial(parse_principals, each))
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


def _read(value: Any, element: str, kept: KeptByTexts[Read]) -> Read:
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
        raise MalformedPolicy(fault.message, f"{element}{place}") from None


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
