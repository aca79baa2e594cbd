"""Request classes: one class of principals, one of actions, and one of resources.

The condition keys that follow from none of the three stay free.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from openai_ekm.evaluation import Request, allows
from openai_ekm.evaluation.context import read_context
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import CallerForm, Context, RequiredGrants, derive, parse_caller
from openai_ekm.evaluation.services import route
from openai_ekm.policy import Family, parse_arn
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.proof.actions import is_about
from openai_ekm.proof.principals import ACCOUNT, NAME, account_pattern
from openai_ekm.value_classes.condition_keys import ACCOUNT_KEYS, OF_PRINCIPAL, OF_RESOURCE
from openai_ekm.value_classes.string_classes import (
    PRINTABLE,
    WORD,
    Chars,
    Step,
    TextPattern,
    arn_pattern,
    chars,
    class_texts,
    literal,
    many,
    one,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from openai_ekm.evaluation import OpenPoints
    from openai_ekm.evaluation.policies import PreparedPolicies
    from openai_ekm.evaluation.request import Situation
    from openai_ekm.policy import Condition, Statement
    from openai_ekm.proof.actions import Action
    from openai_ekm.proof.principals import PrincipalClass
    from openai_ekm.proof.universe import Universe
    from openai_ekm.value_classes.domains import Value
    from openai_ekm.value_classes.string_classes import Run

__all__ = [
    "NOWHERE",
    "RequestClass",
    "ResourceClass",
    "aliases",
    "keys",
    "make_request_class",
    "others",
    "roles",
]

# AWS says that aws:PrincipalAccount is in every request, and not what it holds for a service or a
# provider, which are of no account.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
NOBODYS = frozenset({CallerForm.SERVICE, CallerForm.PROVIDER})


@dataclass(frozen=True, slots=True)
class ResourceClass:
    """A class of resources.

    Args:
        resource: The witness: an ARN, or `*` for actions without a resource.
        account: Whose it is; None for `*`.
        fixed: Values of condition keys, by lower-case name, that are known of it; None when the
            key is missing.
        shared: Whether it is of another account than the role, whose policy may let the role in.
    """

    resource: str
    account: str | None
    fixed: Mapping[str, Value] = field(default_factory=dict)
    shared: bool = False


@dataclass(frozen=True, slots=True)
class RequestClass:
    """One class of each.

    Args:
        principal: Who.
        action: Does what.
        place: To what.
        policies: In force.
        situation: The same as the evaluator sees it, free condition keys apart.
        by_resource: Whether the resource's policy is the root of access; else identity policies.
    """

    principal: PrincipalClass
    action: Action
    place: ResourceClass
    policies: PreparedPolicies
    situation: Situation
    by_resource: bool

    def known(self, lookup: str) -> tuple[bool, Value]:
        """Return whether a condition key's value follows from the request class, and the value."""
        for fixed in (self.principal.fixed, self.place.fixed):
            if lookup in fixed:
                return True, fixed[lookup]
        found = self.situation.context.get(lookup)
        if found is not None:
            return True, found
        if lookup in ACCOUNT_KEYS and self.principal.caller.form in NOBODYS:
            return False, None
        return lookup in OF_PRINCIPAL, None

    def request(self, chosen: Mapping[str, Value]) -> Request:
        """Return the request of this request class with values for its free keys.

        Args:
            chosen: By the key's name; None when it is missing.
        """
        context = dict(self.situation.request.context)
        context |= {key: value for key, value in chosen.items() if value is not None}
        return replace(self.situation.request, context=context)

    def situation_of(self, request: Request) -> Situation:
        """Return a request of this request class in the form in which the evaluator compares it."""
        given = {
            lower_ascii(key): value if isinstance(value, str) else tuple(value)
            for key, value in request.context.items()
        }
        foreign = not all(map(str.isascii, given))
        context = Context(given, self.situation.context.derived, foreign)
        return replace(self.situation, request=request, context=context)

    def allows(self, request: Request, open_points: OpenPoints) -> bool:
        """Return whether the policies in force allow a request of this request class.

        Args:
            request: One of its requests.
            open_points: Whether an open point counts as allowed or as denied.
        """
        return allows(
            self.situation_of(request),
            self.policies,
            by_resource_policy=self.by_resource,
            open_points=open_points,
        )


def make_request_class(
    principal: PrincipalClass,
    action: Action,
    place: ResourceClass,
    policies: PreparedPolicies,
    names: Mapping[str, str],
) -> RequestClass | None:
    """Put a request class together.

    Args:
        principal: Who.
        action: Does what.
        place: To what.
        policies: In force.
        names: How documents spell condition keys, by lower-case name; fixed values of others
            need not stand in the request.

    Returns:
        The request class, or None when there is no such request: an action that needs no
        permission, or never bears on such a resource, or on a role by a root user.
    """
    context: dict[str, str | tuple[str, ...]] = dict(principal.context)
    for fixed in (principal.fixed, place.fixed):
        context |= {
            names[key]: value for key, value in fixed.items() if value is not None and key in names
        }
    request = Request(principal.principal, action.name, place.resource, place.account, context)
    situation = _read_context(request, principal, bounded=policies.permissions_boundary is not None)
    if isinstance(situation, OpenPoint):
        return None
    by_resource = situation.service == "sts" and not action.exists
    if by_resource and principal.caller.form is CallerForm.ROOT:
        return None
    if not by_resource:
        way = route(situation, has_resource_policy=False)
        if isinstance(way, OpenPoint):
            return None
        by_resource = way is RequiredGrants.RESOURCE
        if place.shared and not by_resource:
            # Its owner's policy, which is not seen, may let in: the caller's own policies decide.
            situation = replace(situation, resource_account=principal.account)
    return RequestClass(principal, action, place, policies, situation, by_resource)


def _read_context(
    request: Request, principal: PrincipalClass, *, bounded: bool
) -> Situation | OpenPoint:
    """Read a request; whose principal the evaluator cannot read is put where another would stand.

    These are providers named by a domain, and services of another domain than AWS's usual one.
    """
    if parse_caller(request.principal) is not None and not principal.unreadable:
        return read_context(request, bounded=bounded)
    stand_in = replace(request, principal="a.amazonaws.com")
    found = read_context(stand_in, bounded=bounded)
    if isinstance(found, OpenPoint):
        return found
    service = principal.caller.form is CallerForm.SERVICE
    known = {
        key: principal.caller.name if key == "aws:principalservicename" else value
        for key, value in found.context.derived.items()
        if service or not key.startswith("aws:principal")
    }
    return replace(
        found,
        request=request,
        caller=principal.caller,
        context=replace(found.context, derived=known),
    )


# The classes of resources that the role may reach for are other keys and roles, aliases, and
# whatever other services have, in any account. Their ARNs are cut by every Resource of every
# document, and by what documents say of account and Region. The policy of another account's
# resource is not seen: it may let the role in, as far as the role's own policies do.
KEY_ID = chars(string.ascii_letters + string.digits + "-")
ALIAS = chars(string.ascii_letters + string.digits + "-/_")
NOWHERE = ResourceClass("*", None)


def keys(universe: Universe, principal: PrincipalClass) -> list[ResourceClass]:
    """Return other keys, of any account."""
    own = universe.documents.key.arn if universe.documents.key else ""
    granted = [each.key_arn for each in universe.documents.grants if each.key_arn != own]
    apart = [literal(each) for each in (own, *granted)]
    found = _arns(universe, principal, ACCOUNT, "key/", KEY_ID, apart)
    return [each for each in found if each.resource != own]


def aliases(universe: Universe, principal: PrincipalClass) -> list[ResourceClass]:
    """Return aliases of the role's account."""
    return _arns(universe, principal, one(principal.account), "alias/", ALIAS)


def _arns(  # noqa: PLR0917 - the parts of an ARN
    universe: Universe,
    principal: PrincipalClass,
    account: Sequence[Step],
    kind: str,
    name: Chars,
    apart: Sequence[TextPattern] = (),
) -> list[ResourceClass]:
    start = [*one(f"arn:{universe.documents.partition}:kms:"), *one(WORD), *many(WORD), *one(":")]
    within = TextPattern((*start, *account, *one(f":{kind}"), *one(name), *many(name)))
    return _resource_classes(principal, [within], _about(universe, "kms"), apart)


def roles(universe: Universe, principal: PrincipalClass) -> list[ResourceClass]:
    """Return other roles, of any account."""
    start = [*one(f"arn:{universe.documents.partition}:iam::"), *ACCOUNT, *one(":role/")]
    within = TextPattern((*start, *many(PRINTABLE), *one(NAME)))
    found = _resource_classes(
        principal, [within], _about(universe, "sts"), [literal(principal.role_arn)]
    )
    return [each for each in found if each.resource != principal.role_arn]


def others(
    universe: Universe, principal: PrincipalClass, statements: Iterable[Statement]
) -> list[ResourceClass]:
    """Return what other services have in any account, whether its ARN says the account or not.

    Args:
        universe: The universe of requests.
        principal: Who asks.
        statements: Those that cover the action that is asked for: no other tells resources apart.
    """
    partition = universe.documents.partition
    start = [*one(f"arn:{partition}:"), *one(WORD), *many(WORD), *one(":"), *many(WORD), *one(":")]
    end = [*one(":"), *one(PRINTABLE), *many(PRINTABLE)]
    within = [TextPattern((*start, *ACCOUNT, *end)), TextPattern((*start, *end))]
    return [NOWHERE, *_resource_classes(principal, within, statements)]


def _about(universe: Universe, service: str) -> list[Statement]:
    return [each for each in universe.documents.statements if is_about(each, service)]


def _resource_classes(
    principal: PrincipalClass,
    within: Sequence[TextPattern],
    statements: Iterable[Statement],
    apart: Sequence[TextPattern] = (),
) -> list[ResourceClass]:
    """Return a place for each class of ARNs; one that names no account is of the role's own."""
    account = principal.account
    text_patterns = [*_patterns(statements, principal), account_pattern((account, False)), *apart]
    found: list[ResourceClass] = []
    for each in class_texts(
        within, [text_pattern for text_pattern in text_patterns if text_pattern is not None]
    ):
        arn = parse_arn(each)
        if arn is not None:
            owner = arn.account or account
            found.append(ResourceClass(each, owner, shared=owner != account))
    return found


def _patterns(statements: Iterable[Statement], principal: PrincipalClass) -> list[TextPattern]:
    """Return what tells ARNs apart: Resource elements, and conditions on account and Region."""
    told = dict(derive(principal.principal, principal.role_arn, "kms", principal.account, ""))
    told |= {key: value for key, value in principal.fixed.items() if isinstance(value, str)}
    found: list[TextPattern | None] = []
    for statement in statements:
        for pattern in statement.resources or ():
            if pattern.everything:
                continue
            runs: tuple[Run, ...] = ((pattern.text, True),)
            if pattern.template is not None:
                filled = pattern.template.fill(told.get)
                if filled is None:
                    continue
                runs = filled
            found.append(arn_pattern(runs))
            if pattern.unsettled is not None:
                found.append(arn_pattern([(f"{pattern.text}*", True)]))
        found += (
            text_pattern
            for each in statement.conditions
            if each.lookup in OF_RESOURCE
            for text_pattern in _of_condition(each)
        )
    return list(dict.fromkeys(text_pattern for text_pattern in found if text_pattern is not None))


def _of_condition(condition: Condition) -> Sequence[TextPattern | None]:
    """Return a condition on a resource's account or Region, as one on the ARN that holds it."""
    if condition.operator.family is not Family.STRING:
        return ()
    wild = condition.operator.positive == "StringLike"
    before, after = ("arn:*:*:*:", ":*") if "account" in condition.lookup else ("arn:*:*:", ":*:*")
    return [
        arn_pattern([(before, True), (value, wild), (after, True)])
        for value in condition.values
        if ":" not in value
    ]
