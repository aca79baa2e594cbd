"""The two ways a request can be granted, once nothing denies it.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.evaluation.decision import OpenPoint, Reason, StatementRef
from openai_ekm.evaluation.explain import NothingAllows
from openai_ekm.evaluation.grants import grant_applies
from openai_ekm.evaluation.principals import MatchCloseness
from openai_ekm.evaluation.request import CallerForm
from openai_ekm.policy.light import light

if TYPE_CHECKING:
    from openai_ekm.evaluation.policies import PreparedPolicies
    from openai_ekm.evaluation.request import Situation
    from openai_ekm.evaluation.statements import Findings

__all__ = ["Answer", "Layers", "by_identity", "by_resource"]


@light(frozen=True, slots=True)
class Layers:
    """The findings of each layer for a request.

    Args:
        policies: The documents themselves.
        identity: Findings of the identity policies.
        resource: Of the resource's policy.
        boundary: Of the permissions boundary; None when there is none.
        session: Of the session policy; None when there is none.
    """

    policies: PreparedPolicies
    identity: Findings
    resource: Findings
    boundary: Findings | None
    session: Findings | None

    def with_open_allows(self) -> Layers:
        """Return these layers with each open Allow as an Allow, and without the open Denies."""
        return Layers(
            self.policies,
            self.identity.with_open_allows(),
            self.resource.with_open_allows(),
            None if self.boundary is None else self.boundary.with_open_allows(),
            None if self.session is None else self.session.with_open_allows(),
        )


@light(frozen=True, slots=True)
class Answer:
    """The answer of one way to an allowance; made for one decision and never changed.

    Args:
        granted: The statements that it rests on; None when it does not lead there.
        missing: What it lacked.
        points: The open points on it.
    """

    granted: tuple[StatementRef, ...] | None = None
    missing: tuple[Reason, ...] = ()
    points: tuple[OpenPoint, ...] = ()


NOTHING_NEEDED = Answer(granted=())
POLICY_NAMES = {"kms": "key policy", "sts": "trust policy"}


def by_identity(layers: Layers, situation: Situation) -> Answer:
    """Decide by the caller's own policies what has no policy of its own.

    An account's root user needs none.
    """
    caller = situation.caller
    if caller.form in (CallerForm.SERVICE, CallerForm.PROVIDER):
        return Answer(missing=(f"{caller.text} has no identity policies",))
    account = situation.resource_account
    if not account and situation.resource is not None:
        point = OpenPoint(f"whose {situation.request.resource} is, is not known")
        return Answer(missing=(point.text,), points=(point,))
    if account and account != caller.account:
        lack = (
            f"{situation.request.resource} is of account {account}: a policy of the "
            f"resource would have to let {caller.text} in"
        )
        return Answer(missing=(lack,))
    return _own_policies(layers, situation)


def by_resource(layers: Layers, situation: Situation) -> Answer:
    """Decide by the resource's own policy, or by a grant on the key.

    Same account: a grant to the session, the user or the root user itself is enough; to the role
    it stays inside boundary and session policy; to the account it delegates to identity policies.
    Across accounts the caller's own policies must always allow as well.
    """
    first = _by_policy(layers, situation)
    if first.granted is not None or not layers.policies.grants:
        return first
    second = _by_grant(layers, situation)
    if second.granted is not None:
        return second
    return Answer(missing=first.missing + second.missing, points=first.points + second.points)


def _by_policy(layers: Layers, situation: Situation) -> Answer:
    found = layers.resource
    # A service has no account, so it is never of another one.
    across = situation.caller.account not in ("", situation.resource_account)
    if found.allows and not across:
        return _same_account(layers, situation)
    own = _own_policies(layers, situation) if across else NOTHING_NEEDED
    if found.allows:
        return own if own.granted is None else Answer(found.allowing + own.granted)
    policy = layers.policies.resource
    name = POLICY_NAMES.get(situation.service, "resource policy")
    lack = NothingAllows(name, () if policy is None else (policy,), situation)
    points = found.open_points + own.points if found.open_allows else own.points
    return Answer(None, (lack, *own.missing), points)


def _same_account(layers: Layers, situation: Situation) -> Answer:
    """Decide by the resource's policy, which allows or delegates as closely as it names."""
    found = layers.resource
    direct = [ref for ref, level in found.allows if level >= MatchCloseness.EVERYONE]
    if direct:
        return Answer(tuple(direct))
    role = [ref for ref, level in found.allows if level is MatchCloseness.ROLE]
    if role:
        limits = _limits(layers, situation)
        return limits if limits.granted is None else Answer((*role, *limits.granted))
    own = _own_policies(layers, situation)
    return own if own.granted is None else Answer(found.allowing + own.granted)


def _by_grant(layers: Layers, situation: Situation) -> Answer:
    """Decide by grants on the key; boundaries must allow, since AWS does not say otherwise."""
    missing: list[Reason] = []
    points: list[OpenPoint] = []
    for grant in layers.policies.grants:
        level = grant_applies(grant, situation)
        if level is None:
            continue
        if isinstance(level, OpenPoint):
            points.append(level)
            continue
        same_account = situation.caller.account == situation.resource_account
        if same_account and level is not MatchCloseness.ACCOUNT:
            own, question = _limits(layers, situation), "boundary or session policy"
        else:
            own, question = _own_policies(layers, situation), "identity policies"
        if own.granted is not None:
            return Answer(granted=(grant.ref, *own.granted))
        missing += own.missing
        points.append(
            OpenPoint(
                f"{grant.ref} covers it, and AWS does not say whether {question} "
                "that does not allow stands against that"
            )
        )
    if not missing and not points:
        missing.append(
            f"no grant covers {situation.request.action} on {situation.request.resource} "
            f"for {situation.request.principal}"
        )
    return Answer(missing=tuple(missing), points=tuple(points))


def _own_policies(layers: Layers, situation: Situation) -> Answer:
    """Decide by identity policies, inside boundary and session policy."""
    caller = situation.caller
    if caller.form is CallerForm.ROOT:
        return NOTHING_NEEDED
    limits = _limits(layers, situation)
    if caller.form is CallerForm.FEDERATED_USER and layers.session is None:
        return Answer(missing=("a federated user without a session policy has no permissions",))
    if layers.identity.allows and limits.granted is not None:
        return Answer(granted=layers.identity.allowing + limits.granted)
    missing = limits.missing
    points = limits.points
    if not layers.identity.allows:
        lack = NothingAllows("identity policy", layers.policies.identity, situation)
        missing = (lack, *missing)
        points += layers.identity.open_points
    return Answer(missing=missing, points=points)


def _limits(layers: Layers, situation: Situation) -> Answer:
    """Decide by permissions boundary and session policy: each, when there is one, must allow."""
    unlimited = layers.boundary is None and layers.session is None
    if unlimited or situation.caller.form is CallerForm.ROOT:
        return NOTHING_NEEDED
    granted: tuple[StatementRef, ...] = ()
    missing: list[Reason] = []
    points: list[OpenPoint] = []
    policies = layers.policies
    for name, document, findings in (
        ("permissions boundary", policies.permissions_boundary, layers.boundary),
        ("session policy", policies.session, layers.session),
    ):
        if document is None or findings is None:
            continue
        if findings.allows:
            granted += findings.allowing
        else:
            missing.append(NothingAllows(name, (document,), situation))
            points += findings.open_points
    if missing:
        return Answer(missing=tuple(missing), points=tuple(points))
    return Answer(granted=granted)
