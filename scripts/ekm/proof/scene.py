"""One class of principals that does one class of actions to one class of resources.

What is left open in a scene are the condition keys that follow from none of the three.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ekm.evaluation import Request
from ekm.evaluation.caller import CallerForm, parse_caller
from ekm.evaluation.decision import OpenPoint
from ekm.evaluation.services import Route, route
from ekm.evaluation.situate import situate
from ekm.proof.keys import ACCOUNT_KEYS, OF_PRINCIPAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ekm.evaluation.policies import PreparedPolicies
    from ekm.evaluation.request import Situation
    from ekm.proof.actions import Action
    from ekm.proof.askers import Asker
    from ekm.proof.values import Value

__all__ = ["Place", "Scene", "set_scene"]

# AWS says that aws:PrincipalAccount is in every request, and not what it holds for a service or a
# provider, which are of no account.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
NOBODYS = frozenset({CallerForm.SERVICE, CallerForm.PROVIDER})


@dataclass(frozen=True, slots=True)
class Place:
    """A class of resources.

    Args:
        resource: The witness: an ARN, or `*` for actions without a resource.
        account: Whose it is; None for `*`.
        fixed: Values of condition keys, by lower-case name, that are known of it; None when the
            key is missing.
    """

    resource: str
    account: str | None
    fixed: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene:
    """One class of each.

    Args:
        asker: Who.
        action: Does what.
        place: To what.
        policies: In force.
        situation: The same as the evaluator sees it, free condition keys apart.
        by_resource: Whether the resource's policy is the root of access; else identity policies.
    """

    asker: Asker
    action: Action
    place: Place
    policies: PreparedPolicies
    situation: Situation
    by_resource: bool

    def known(self, lookup: str) -> tuple[bool, Value]:
        """Whether a condition key's value follows from the scene, and the value."""
        for fixed in (self.asker.fixed, self.place.fixed):
            if lookup in fixed:
                return True, fixed[lookup]
        found = self.situation.context.get(lookup)
        if found is not None:
            return True, found
        if lookup in ACCOUNT_KEYS and self.asker.caller.form in NOBODYS:
            return False, None
        return lookup in OF_PRINCIPAL, None

    def request(self, chosen: Mapping[str, Value]) -> Request:
        """The request of this scene with values for its free keys.

        Args:
            chosen: By the key's name; None when it is missing.
        """
        context = dict(self.situation.request.context)
        context |= {key: value for key, value in chosen.items() if value is not None}
        return replace(self.situation.request, context=context)


def set_scene(
    asker: Asker, action: Action, place: Place, policies: PreparedPolicies, names: Mapping[str, str]
) -> Scene | None:
    """Put a scene together.

    Args:
        asker: Who.
        action: Does what.
        place: To what.
        policies: In force.
        names: How documents spell condition keys, by lower-case name; fixed values of others
            need not stand in the request.

    Returns:
        The scene, or None when there is no such request: an action that needs no permission, or
        never bears on such a resource, or on a role by a root user.
    """
    context: dict[str, str | tuple[str, ...]] = dict(asker.context)
    for fixed in (asker.fixed, place.fixed):
        context |= {
            names[key]: value for key, value in fixed.items() if value is not None and key in names
        }
    request = Request(asker.principal, action.name, place.resource, place.account, context)
    situation = _situate(request, asker, bounded=policies.permissions_boundary is not None)
    if isinstance(situation, OpenPoint):
        return None
    by_resource = situation.service == "sts" and not action.exists
    if by_resource and asker.caller.form is CallerForm.ROOT:
        return None
    if not by_resource:
        way = route(situation, has_resource_policy=False)
        if isinstance(way, OpenPoint):
            return None
        by_resource = way is Route.RESOURCE
    return Scene(asker, action, place, policies, situation, by_resource)


def _situate(request: Request, asker: Asker, *, bounded: bool) -> Situation | OpenPoint:
    """Read a request; whose principal the evaluator cannot read is put where another would stand.

    These are providers named by a domain, and services of another domain than AWS's usual one.
    """
    if parse_caller(request.principal) is not None and not asker.unreadable:
        return situate(request, bounded=bounded)
    stand_in = replace(request, principal="a.amazonaws.com")
    found = situate(stand_in, bounded=bounded)
    if isinstance(found, OpenPoint):
        return found
    service = asker.caller.form is CallerForm.SERVICE
    known = {
        key: asker.caller.name if key == "aws:principalservicename" else value
        for key, value in found.context.derived.items()
        if service or not key.startswith("aws:principal")
    }
    return replace(
        found, request=request, caller=asker.caller, context=replace(found.context, derived=known)
    )
