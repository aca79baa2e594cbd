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
from ekm.evaluation.explain import nothing_allows
from ekm.evaluation.findings import Findings, examine
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
    layers = Layers(
        policies=policies,
        identity=examine(policies.identity, situation),
        resource=_one(policies.resource, situation) or Findings(),
        boundary=_one(policies.permissions_boundary, situation),
        session=_one(policies.session, situation),
    )
    guardrails = _guardrails(policies, situation)
    everything = [layers.identity, layers.resource]
    everything += [each for each in (layers.boundary, layers.session) if each is not None]
    everything += [findings for _, _, findings in guardrails]
    denies = tuple(ref for findings in everything for ref in findings.denies)
    if denies:
        return Decision(Outcome.EXPLICITLY_DENIED, decided_by=denies)
    if way is Route.RESOURCE:
        answer = by_resource(layers, situation)
    else:
        answer = by_identity(layers, situation)
    return _conclude(answer, guardrails, everything, situation)


Guardrail = tuple[str, tuple[NamedDocument, ...], Findings]


def _guardrails(policies: PreparedPolicies, situation: Situation) -> list[Guardrail]:
    """The levels of RCPs and SCPs that bear on the request.

    Service-linked roles are subject to neither, service principals to no SCP, and
    `kms:RetireGrant` to no RCP.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
    """
    if situation.service_linked:
        return []
    if not policies.rcps and not policies.scps:
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


def _one(document: NamedDocument | None, situation: Situation) -> Findings | None:
    return None if document is None else examine((document,), situation)


def _undecided(point: OpenPoint) -> Decision:
    return Decision(Outcome.IMPLICITLY_DENIED, missing=(point.text,), message=point.text)


def _conclude(
    answer: Answer,
    guardrails: list[Guardrail],
    everything: Iterable[Findings],
    situation: Situation,
) -> Decision:
    """Put the answer of the caller's way together with guardrails and open points."""
    missing = list(answer.missing)
    points = [
        OpenPoint(f"{ref} may deny: {point.text}")
        for findings in everything
        for ref, point in findings.open_denies
    ]
    points += answer.points
    granted: tuple[StatementRef, ...] = answer.granted or ()
    for name, documents, findings in guardrails:
        if findings.allows:
            granted += findings.allowing
        else:
            missing += nothing_allows(name, documents, situation)
            points += (point for _, point in findings.open_allows)
    if answer.granted is not None and not missing and not points:
        impossible = contradiction(situation)
        if impossible is None:
            return Decision(Outcome.ALLOWED, decided_by=granted)
        points.append(impossible)
    texts = tuple(dict.fromkeys(point.text for point in points))
    return Decision(
        Outcome.IMPLICITLY_DENIED,
        missing=tuple(dict.fromkeys((*missing, *texts))),
        message="; ".join(texts) or None,
    )
