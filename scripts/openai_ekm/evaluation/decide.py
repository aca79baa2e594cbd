"""Decide one request in the order that AWS's pages give.

1. A malformed document anywhere makes the answer `error`; one of which AWS's pages do not say
   whether it is saved leaves the answer open.
2. A Deny that applies, in any document, is the end.
3. Every level of resource control policies and of service control policies must allow.
4. A role or key is used only if its own policy (or, for a key, a grant) lets the caller in; how
   closely that names the caller says which of the caller's own policies must allow as well.
5. A request that no policy can allow (another partition, administration of another account's
   key) fails.

An open point never allows, and the message names it.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from openai_ekm.evaluation.context import contradiction, read_context
from openai_ekm.evaluation.decision import Decision, OpenPoint, Outcome
from openai_ekm.evaluation.explain import NothingAllows
from openai_ekm.evaluation.policies import Guardrail, Policies, PreparedPolicies
from openai_ekm.evaluation.request import CallerForm, RequiredGrants
from openai_ekm.evaluation.routes import Answer, Layers, by_identity, by_resource
from openai_ekm.evaluation.services import route
from openai_ekm.evaluation.services.kms import ALIAS_ACTIONS
from openai_ekm.evaluation.statements import NOTHING, Findings, find_statements
from openai_ekm.policy.malformed import MalformedPolicy

if TYPE_CHECKING:
    from openai_ekm.evaluation.policies import ApplicableStatements
    from openai_ekm.evaluation.request import Request, Situation

__all__ = ["ACROSS_ACCOUNTS", "OpenPoints", "allows", "decide", "exceeded_limit"]

# Aliases of the keys that AWS manages.
RESERVED_ALIAS = "alias/aws/"

# "Cross-account permission is effective only for the following operations": cryptographic ones and
# seven more. Each operation's page in the API reference says the same ("Cross-account use").
# Source:
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
ACROSS_ACCOUNTS = frozenset(
    {
        "kms:creategrant",
        "kms:decrypt",
        "kms:derivesharedsecret",
        "kms:describekey",
        "kms:encrypt",
        "kms:generatedatakey",
        "kms:generatedatakeypair",
        "kms:generatedatakeypairwithoutplaintext",
        "kms:generatedatakeywithoutplaintext",
        "kms:generatemac",
        "kms:getkeyrotationstatus",
        "kms:getpublickey",
        "kms:listgrants",
        "kms:reencryptfrom",
        "kms:reencryptto",
        "kms:retiregrant",
        "kms:revokegrant",
        "kms:sign",
        "kms:verify",
        "kms:verifymac",
    }
)


def exceeded_limit(situation: Situation) -> str | None:
    """Return why a request fails although every policy that bears on it allows it.

    Access is never delegated from one partition to another, a federated user's credentials call
    no operation of STS but GetCallerIdentity, and no customer makes, moves or deletes an alias
    whose name begins with `alias/aws/`.

    Args:
        situation: The request.

    Returns:
        The reason, or None when there is none.

    Sources:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_compare-resource-policies.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
    https://docs.aws.amazon.com/kms/latest/developerguide/alias-create.html
    """
    caller, resource = situation.caller, situation.resource
    if caller.form is CallerForm.SERVICE:
        return None
    asked = situation.request
    if resource is not None and resource[1] != caller.partition:
        return (
            f"{caller.text} is in the partition {caller.partition}, and {asked.resource} is not: "
            "no access is delegated between partitions"
        )
    if (
        situation.action in ALIAS_ACTIONS
        and resource is not None
        and resource[-1].startswith(RESERVED_ALIAS)
    ):
        return f"{asked.resource} is an alias of AWS's own: {asked.action} is refused on it"
    if situation.service == "sts" and caller.form is CallerForm.FEDERATED_USER:
        return f"a federated user cannot call {asked.action}"
    if (
        situation.service == "kms"
        and caller.account != situation.resource_account
        and resource is not None
        and situation.action not in ACROSS_ACCOUNTS
    ):
        return f"a permission for {asked.action} has no effect on a key of another account"
    return None


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
            if fault.disputed:
                return _undecided_decision(OpenPoint(str(fault)))
            return Decision(Outcome.ERROR, message=str(fault))
    situation = read_context(request, bounded=policies.permissions_boundary is not None)
    if isinstance(situation, OpenPoint):
        return _undecided_decision(situation)
    way = situation.way
    if way is not RequiredGrants.RESOURCE:  # most are, and need no further look
        way = route(situation, has_resource_policy=policies.resource is not None)
        if isinstance(way, OpenPoint):
            return _undecided_decision(way)
    applicable = policies.about(situation.action)
    layers = _find_layers(policies, applicable, situation)
    guardrails = _guardrails(applicable, situation) if applicable.guardrails else ()
    points: tuple[OpenPoint, ...] = ()
    if applicable.denies:  # most documents hold no Deny for the action
        said = _all_findings(layers, guardrails)
        denied = tuple([ref for findings in said for ref in findings.denies])
        if denied:
            return Decision(Outcome.EXPLICITLY_DENIED, denied)
        points = _open_denies(said)
    if way is RequiredGrants.RESOURCE:
        answer = by_resource(layers, situation)
    else:
        answer = by_identity(layers, situation)
    return _conclude(answer, guardrails, points, situation)


class OpenPoints(Enum):
    """How `allows` takes what AWS's pages leave open."""

    ALLOWED = "allowed"
    DENIED = "denied"


def allows(
    situation: Situation,
    policies: PreparedPolicies,
    *,
    by_resource_policy: bool,
    open_points: OpenPoints,
) -> bool:
    """Decide one request by its policies alone, with open points taken one way or the other.

    `decide` says more: which statements decide, and what no policy can allow.

    Args:
        situation: The request, as `read_context` returns it.
        policies: Every policy in force.
        by_resource_policy: Whether the resource's policy is the root of access; else identity
            policies.
        open_points: Whether an open point counts as allowed or as denied.
    """
    applicable = policies.about(situation.action)
    layers = _find_layers(policies, applicable, situation)
    guardrails = _guardrails(applicable, situation)
    taken = open_points is OpenPoints.ALLOWED
    if taken:
        layers = layers.with_open_allows()
        guardrails = tuple((each, findings.with_open_allows()) for each, findings in guardrails)
    if any(each.denies or each.open_denies for each in _all_findings(layers, guardrails)):
        return False
    if not all(findings.allows for _, findings in guardrails):
        return False
    answer = (by_resource if by_resource_policy else by_identity)(layers, situation)
    return answer.granted is not None or (taken and bool(answer.points))


Judged = tuple[Guardrail, Findings]


def _find_layers(
    policies: PreparedPolicies, applicable: ApplicableStatements, situation: Situation
) -> Layers:
    """Compare each layer of policies with the request."""
    return Layers(
        policies,
        find_statements(applicable.identity, situation) if applicable.identity else NOTHING,
        find_statements(applicable.resource, situation) if applicable.resource else NOTHING,
        None if applicable.boundary is None else find_statements(applicable.boundary, situation),
        None if applicable.session is None else find_statements(applicable.session, situation),
    )


def _guardrails(applicable: ApplicableStatements, situation: Situation) -> tuple[Judged, ...]:
    """Return the levels of RCPs and SCPs that bear on the request.

    Service-linked roles are subject to neither, service principals to no SCP.
    """
    if situation.service_linked:
        return ()
    service = situation.caller.form is CallerForm.SERVICE
    return tuple(
        [
            (each, find_statements(each.statements, situation))
            for each in applicable.guardrails
            if not (service and each.about_caller)
        ]
    )


def _all_findings(layers: Layers, guardrails: tuple[Judged, ...]) -> list[Findings]:
    """Return the findings of every layer."""
    said = [layers.identity, layers.resource, layers.boundary, layers.session]
    found = [each for each in said if each is not None]
    return found + [each for _, each in guardrails]


def _open_denies(said: list[Findings]) -> tuple[OpenPoint, ...]:
    """Return the open points that leave open whether a statement denies."""
    return tuple(
        [
            OpenPoint(f"{ref} may deny: {point.text}")
            for findings in said
            for ref, point in findings.open_denies
        ]
    )


def _undecided_decision(point: OpenPoint) -> Decision:
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
            points += findings.open_points
    if granted is not None and not missing and not points:
        impossible = contradiction(situation)
        beyond = exceeded_limit(situation)
        if impossible is None and beyond is None:
            return Decision(Outcome.ALLOWED, granted)
        points = () if impossible is None else (impossible,)
        missing = () if beyond is None else (beyond,)
    if not points:
        return Decision(Outcome.IMPLICITLY_DENIED, (), missing)
    texts = tuple(dict.fromkeys([point.text for point in points]))
    return Decision(Outcome.IMPLICITLY_DENIED, (), missing + texts, "; ".join(texts))
