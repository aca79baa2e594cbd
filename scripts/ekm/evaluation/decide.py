"""May this request happen? As AWS's pages say it is decided.

1. A malformed document anywhere makes the answer `error`.
2. A Deny that applies, in any document, is the end.
3. Every level of resource control policies and of service control policies must allow.
4. A role or key is used only if its own policy (or, for a key, a grant) lets the caller in; how
   closely that names the caller says which of the caller's own policies must allow as well.
5. What no policy can allow (another partition, administering another account's key) fails.

Whatever stays open on the way never allows, and is named in the message.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.evaluation.caller import CallerForm
from ekm.evaluation.decision import Decision, OpenPoint, Outcome
from ekm.evaluation.explain import NothingAllows
from ekm.evaluation.findings import NOTHING, Findings, look
from ekm.evaluation.policies import Policies, PreparedPolicies
from ekm.evaluation.reach import out_of_reach
from ekm.evaluation.routes import Answer, Layers, by_identity, by_resource
from ekm.evaluation.services import Route, route
from ekm.evaluation.situate import contradiction, situate
from ekm.evaluation.view import Guardrail
from ekm.policy.malformed import MalformedPolicy

if TYPE_CHECKING:
    from ekm.evaluation.request import Request, Situation
    from ekm.evaluation.view import View

__all__ = ["decide"]


def decide(request: Request, policies: Policies | PreparedPolicies) -> Decision:
    """Decide one request.

    Args:
        request: What is asked.
        policies: Every policy in force, read already or not.

    Returns:
        The decision; for any request and any documents, never an exception.
    """
    if isinstance(policies, Policies):
        try:
            policies = policies.prepare(request.action)
        except MalformedPolicy as fault:
            return Decision(Outcome.ERROR, message=str(fault))
    situation = situate(request, bounded=policies.permissions_boundary is not None)
    if isinstance(situation, OpenPoint):
        return _undecided(situation)
    way = situation.way
    if way is not Route.RESOURCE:  # most are, and need no further look
        way = route(situation, has_resource_policy=policies.resource is not None)
        if isinstance(way, OpenPoint):
            return _undecided(way)
    view = policies.about(situation.action)
    layers = Layers(
        policies,
        look(view.identity, situation) if view.identity else NOTHING,
        look(view.resource, situation) if view.resource else NOTHING,
        None if view.boundary is None else look(view.boundary, situation),
        None if view.session is None else look(view.session, situation),
    )
    guardrails = _guardrails(view, situation) if view.guardrails else ()
    points: tuple[OpenPoint, ...] = ()
    if view.denies:  # most documents hold no Deny for the action
        said = _said(layers, guardrails)
        denied = tuple([ref for findings in said for ref in findings.denies])
        if denied:
            return Decision(Outcome.EXPLICITLY_DENIED, denied)
        points = _open_denies(said)
    if way is Route.RESOURCE:
        answer = by_resource(layers, situation)
    else:
        answer = by_identity(layers, situation)
    return _conclude(answer, guardrails, points, situation)


Judged = tuple[Guardrail, Findings]


def _guardrails(view: View, situation: Situation) -> tuple[Judged, ...]:
    """The levels of RCPs and SCPs that bear on the request.

    Service-linked roles are subject to neither, service principals to no SCP.
    """
    if situation.service_linked:
        return ()
    service = situation.caller.form is CallerForm.SERVICE
    return tuple(
        [
            (each, look(each.statements, situation))
            for each in view.guardrails
            if not (service and each.about_caller)
        ]
    )


def _said(layers: Layers, guardrails: tuple[Judged, ...]) -> list[Findings]:
    """What is found, in any layer."""
    said = [layers.identity, layers.resource, layers.boundary, layers.session]
    found = [each for each in said if each is not None]
    return found + [each for _, each in guardrails]


def _open_denies(said: list[Findings]) -> tuple[OpenPoint, ...]:
    """Of which statements it is open whether they deny."""
    return tuple(
        [
            OpenPoint(f"{ref} may deny: {point.text}")
            for findings in said
            for ref, point in findings.open_denies
        ]
    )


def _undecided(point: OpenPoint) -> Decision:
    return Decision(Outcome.IMPLICITLY_DENIED, missing=(point.text,), message=point.text)


def _conclude(
    answer: Answer,
    guardrails: tuple[Judged, ...],
    points: tuple[OpenPoint, ...],
    situation: Situation,
) -> Decision:
    """Put the answer of the caller's way together with guardrails and open denials."""
    granted, missing = answer.granted, answer.missing
    points += answer.points
    for guardrail, findings in guardrails:
        if findings.allows:
            if granted is not None:
                granted += findings.allowing
        else:
            missing += (NothingAllows(guardrail.name, guardrail.documents, situation),)
            points += tuple([point for _, point in findings.open_allows])
    if granted is not None and not missing and not points:
        impossible = contradiction(situation)
        beyond = out_of_reach(situation)
        if impossible is None and beyond is None:
            return Decision(Outcome.ALLOWED, granted)
        points = () if impossible is None else (impossible,)
        missing = () if beyond is None else (beyond,)
    if not points:
        return Decision(Outcome.IMPLICITLY_DENIED, (), missing)
    texts = tuple(dict.fromkeys([point.text for point in points]))
    return Decision(Outcome.IMPLICITLY_DENIED, (), missing + texts, "; ".join(texts))
