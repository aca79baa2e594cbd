"""May this request happen? As AWS's pages say it is decided.

1. A malformed document anywhere makes the answer `error`.
2. A Deny that applies, in any document, is the end.
3. Every level of resource control policies and of service control policies must allow.
4. A role or key is used only if its own policy (or, for a key, a grant) lets the caller in; how
   closely that names the caller says which of the caller's own policies must allow as well.

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
from ekm.evaluation.decision import Decision, OpenPoint, Outcome, StatementRef
from ekm.evaluation.explain import NothingAllows
from ekm.evaluation.findings import NOTHING, Findings, examine
from ekm.evaluation.policies import NamedDocument, Policies, PreparedPolicies
from ekm.evaluation.routes import Answer, Layers, by_identity, by_resource
from ekm.evaluation.services import Route, route
from ekm.evaluation.situate import contradiction, situate
from ekm.policy.malformed import MalformedPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ekm.evaluation.request import Request, Situation

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
    way = route(situation, has_resource_policy=policies.resource is not None)
    if isinstance(way, OpenPoint):
        return _undecided(way)
    layers = _layers(policies, situation)
    guardrails = _guardrails(policies, situation)
    everything = [layers.identity, layers.resource]
    everything += [each for each in (layers.boundary, layers.session) if each is not None]
    everything += [findings for _, _, findings in guardrails]
    denied = open_denies = False
    for findings in everything:
        denied = denied or bool(findings.denies)
        open_denies = open_denies or bool(findings.open_denies)
    if denied:
        refs = tuple([ref for findings in everything for ref in findings.denies])
        return Decision(Outcome.EXPLICITLY_DENIED, refs)
    if way is Route.RESOURCE:
        answer = by_resource(layers, situation)
    else:
        answer = by_identity(layers, situation)
    return _conclude(answer, guardrails, everything if open_denies else (), situation)


def _layers(policies: PreparedPolicies, situation: Situation) -> Layers:
    """What each document that is not a guardrail says."""
    resource, boundary, session = policies.resource, policies.permissions_boundary, policies.session
    return Layers(
        policies,
        examine(policies.identity, situation) if policies.identity else NOTHING,
        NOTHING if resource is None else examine((resource,), situation),
        None if boundary is None else examine((boundary,), situation),
        None if session is None else examine((session,), situation),
    )


Guardrail = tuple[str, tuple[NamedDocument, ...], Findings]


def _guardrails(policies: PreparedPolicies, situation: Situation) -> list[Guardrail]:
    """The levels of RCPs and SCPs that bear on the request.

    Service-linked roles are subject to neither, service principals to no SCP, and
    `kms:RetireGrant` to no RCP.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
    """
    if not (policies.rcps or policies.scps) or situation.service_linked:
        return []
    levels = [
        (f"resource control policies at level {index}", level)
        for index, level in enumerate(policies.rcps)
        if situation.action != "kms:retiregrant"
    ]
    if situation.caller.form is not CallerForm.SERVICE:
        levels += [
            (f"service control policies at level {index}", level)
            for index, level in enumerate(policies.scps)
        ]
    return [(name, level, examine(level, situation)) for name, level in levels]


def _undecided(point: OpenPoint) -> Decision:
    return Decision(Outcome.IMPLICITLY_DENIED, missing=(point.text,), message=point.text)


def _conclude(
    answer: Answer,
    guardrails: list[Guardrail],
    unsaid: Iterable[Findings],
    situation: Situation,
) -> Decision:
    """Put the answer of the caller's way together with guardrails and open denials (`unsaid`)."""
    if not unsaid and not guardrails and answer.granted is not None:
        impossible = contradiction(situation)
        if impossible is None:
            return Decision(Outcome.ALLOWED, answer.granted)
        return _undecided(impossible)
    missing = list(answer.missing)
    points = [
        OpenPoint(f"{ref} may deny: {point.text}")
        for findings in unsaid
        for ref, point in findings.open_denies
    ]
    points += answer.points
    granted: tuple[StatementRef, ...] = answer.granted or ()
    for name, documents, findings in guardrails:
        if findings.allows:
            granted += findings.allowing
        else:
            missing.append(NothingAllows(name, documents, situation))
            points += (point for _, point in findings.open_allows)
    if answer.granted is not None and not missing and not points:
        impossible = contradiction(situation)
        if impossible is None:
            return Decision(Outcome.ALLOWED, decided_by=granted)
        points.append(impossible)
    texts = tuple(dict.fromkeys(point.text for point in points))
    return Decision(
        Outcome.IMPLICITLY_DENIED,
        missing=(*missing, *texts),
        message="; ".join(texts) or None,
    )
