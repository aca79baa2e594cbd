"""Which requests of a class are allowed, as boxes of condition keys.

The steps are those of `openai_ekm.evaluation.decide`, on sets of requests instead of one: a Deny
that applies removes requests, every level of guardrails must allow, and the resource's policy, a
grant, or the caller's own policies let requests in. `openai_ekm.evaluation.allows` decides the same
for a single request; tests compare the two.

Open points are taken one way or the other: `lenient` as allowed, for claims that something is
impossible, else as denied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.grants import (
    CONTEXT_PREFIX,
    UNCONSTRAINED,
    WITH_CONTEXT,
    Grant,
    grant_applies,
)
from openai_ekm.evaluation.principals import MatchCloseness, match_closeness, named
from openai_ekm.evaluation.request import CallerForm
from openai_ekm.evaluation.statements import action_matches, resource_matches
from openai_ekm.policy import Effect
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.proof.boxes import EVERYTHING, Box, intersect, meet, subtract

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai_ekm.evaluation.policies import NamedDocument
    from openai_ekm.policy import Statement
    from openai_ekm.proof.condition_domains import ConditionDomains
    from openai_ekm.proof.request_classes import RequestClass

__all__ = ["AllowedSet", "find_allowed_set"]


@dataclass(slots=True)
class AllowedSet:
    """The requests of a request class that are allowed.

    Args:
        boxes: They lie in one of these.
        keys: The condition keys that were looked at, in lower case.
        points: The open points that were met.
    """

    boxes: list[Box]
    keys: set[str] = field(default_factory=set)
    points: dict[str, None] = field(default_factory=dict)


def find_allowed_set(
    domains: ConditionDomains, request_class: RequestClass, *, lenient: bool
) -> AllowedSet:
    """Find the requests of a request class that are allowed.

    Args:
        domains: The condition keys.
        request_class: Who does what to what, and the policies in force.
        lenient: Whether open points count as allowed.
    """
    work = _Work(domains, request_class, lenient=lenient)
    boxes = meet(work.ways())
    if boxes:
        denies = work.denies()
        full = {key: domains.domain(key).all for key in work.seen.keys}
        boxes = subtract(boxes, denies, full)
    work.seen.boxes = boxes
    return work.seen


REGION = "aws:requestedregion"
Levelled = tuple[MatchCloseness, Box]


class _Work:
    """One request class on its way to a region."""

    def __init__(
        self, domains: ConditionDomains, request_class: RequestClass, *, lenient: bool
    ) -> None:
        self.domains, self.request_class, self.lenient = domains, request_class, lenient
        self.policies, self.situation = request_class.policies, request_class.situation
        self.seen = AllowedSet([])
        self.guardrails = _guardrails(request_class)

    def ways(self) -> Iterable[Sequence[Box]]:
        """Yield the unions of boxes in all of which a request must lie."""
        for level in self.guardrails:
            yield self.allows(level)
        yield self.by_resource() if self.request_class.by_resource else self.by_identity()

    def denies(self) -> list[Box]:
        """Return the boxes that a Deny takes away."""
        documents = [
            *self.policies.identity,
            *(each for level in self.guardrails for each in level),
        ]
        optional = (
            self.policies.resource,
            self.policies.permissions_boundary,
            self.policies.session,
        )
        documents += [each for each in optional if each is not None]
        return [box for _, box in self._applying(documents, Effect.DENY, not self.lenient)]

    def allows(self, documents: Iterable[NamedDocument]) -> list[Box]:
        """Return the boxes that documents' Allows let in."""
        return [box for _, box in self._applying(documents, Effect.ALLOW, self.lenient)]

    def _applying(
        self, documents: Iterable[NamedDocument], effect: Effect, lenient: bool
    ) -> list[Levelled]:
        found = [
            self._applies(statement, lenient)
            for document in documents
            for statement in document.document.statements
            if statement.effect is effect
        ]
        return [each for each in found if each is not None]

    def _applies(self, statement: Statement, lenient: bool) -> Levelled | None:
        """Return how closely and where a statement applies; `lenient` lets open points apply."""
        action = action_matches(statement, self.situation.action)
        resource = False if action is False else self._resource(statement)
        if resource is False:
            return None
        found = match_closeness(statement, self.situation)
        if found is None:
            return None
        points = [each for each in (action, resource, found) if isinstance(each, OpenPoint)]
        if points and not lenient:
            return None
        box = EVERYTHING
        for condition in statement.conditions:
            lookup, (may, must), point = self.domains.masks(condition, self.request_class)
            mask = may if lenient else must
            if point is not None:
                points.append(point)
            if lookup is not None:
                self.seen.keys.add(lookup)
            both = intersect(box, {} if lookup is None else {lookup: mask}) if mask else None
            if both is None:
                return None
            box = both
        self.seen.points.update((point.text, None) for point in points)
        return (found if isinstance(found, MatchCloseness) else MatchCloseness.ITSELF), box

    def _resource(self, statement: Statement) -> bool | OpenPoint:
        """Compare the resource as the evaluator does; a variable that the request fills is open."""
        for pattern in statement.resources or ():
            told = (self.request_class.known(key)[0] and key != REGION for key in pattern.variables)
            if not all(told):
                return OpenPoint(f"{pattern.text} holds a variable that only the request says")
        return resource_matches(statement, self.situation)

    def by_identity(self) -> list[Box]:
        """Return what the caller's own policies allow, for what has no policy of its own."""
        form, account = self.request_class.principal.caller.form, self.situation.resource_account
        if form in (CallerForm.SERVICE, CallerForm.PROVIDER):
            return []
        if account and account != self.request_class.principal.account:
            return []
        return self.own()

    def by_resource(self) -> list[Box]:
        """Return what the resource's policy, or a grant, allows."""
        policy = self.policies.resource
        documents = () if policy is None else (policy,)
        found = self._applying(documents, Effect.ALLOW, self.lenient)
        caller = self.request_class.principal.caller
        if caller.account and caller.account != self.situation.resource_account:
            boxes = meet(([box for _, box in found], self.own())) if found else []
        else:
            boxes = [
                box
                for level, box in found
                if level in (MatchCloseness.ITSELF, MatchCloseness.EVERYONE)
            ]
            role = [box for level, box in found if level is MatchCloseness.ROLE]
            account = [box for level, box in found if level is MatchCloseness.ACCOUNT]
            boxes += meet((role, self.limits())) if role else []
            boxes += meet((account, self.own())) if account else []
        return boxes + [box for grant in self.policies.grants for box in self._by_grant(grant)]

    def own(self) -> list[Box]:
        """Return what identity policies allow, inside boundary and session policy."""
        form = self.request_class.principal.caller.form
        if form is CallerForm.ROOT:
            return [EVERYTHING]
        if form is CallerForm.FEDERATED_USER and self.policies.session is None:
            return []
        return meet((self.allows(self.policies.identity), self.limits()))

    def limits(self) -> list[Box]:
        """Return what permissions boundary and session policy allow."""
        if self.request_class.principal.caller.form is CallerForm.ROOT:
            return [EVERYTHING]
        layers = (self.policies.permissions_boundary, self.policies.session)
        return meet(self.allows((each,)) for each in layers if each is not None)

    def _by_grant(self, grant: Grant) -> list[Box]:
        """Return where a grant lets in. AWS does not say whether limits stand against it."""
        box = self._covered_by_grant(grant)
        if box is None:
            return []
        level = named(grant.grantee, self.situation)
        if self.lenient:
            return [box]
        if not isinstance(level, MatchCloseness):
            return []
        same = self.request_class.principal.account == self.situation.resource_account
        return meet(
            ([box], self.limits() if same and level is not MatchCloseness.ACCOUNT else self.own())
        )

    def _covered_by_grant(self, grant: Grant) -> Box | None:
        """Return the requests that a grant's operations, grantee and constraints cover."""
        operation = self.situation.action.partition(":")[2]
        if operation not in grant.operations or grant.key_arn != self.situation.request.resource:
            return None
        level = named(grant.grantee, self.situation)
        if level is None:
            return None
        if isinstance(level, OpenPoint):
            self.seen.points[level.text] = None
        constrained = grant.equals is not None or grant.subset is not None
        if not constrained or operation in UNCONSTRAINED:
            return EVERYTHING
        if operation not in WITH_CONTEXT:
            point = grant_applies(grant, self.situation)
            self.seen.points[str(getattr(point, "text", ""))] = None
            return EVERYTHING if self.lenient else None
        return self._constraint_boxes(grant)

    def _constraint_boxes(self, grant: Grant) -> Box | None:
        """Return the boxes of an encryption context that is, or contains, the pairs of a grant."""
        pairs = dict(grant.equals or ()), dict(grant.subset or ())
        if any(pairs[0].get(name, value) != value for name, value in pairs[1].items()):
            return None
        if grant.equals is not None and not pairs[1].keys() <= pairs[0].keys():
            return None
        wanted = {lower_ascii(f"{CONTEXT_PREFIX}{k}"): v for k, v in (pairs[1] | pairs[0]).items()}
        box: Box | None = EVERYTHING
        for lookup, value in wanted.items():
            self.seen.keys.add(lookup)
            box = intersect(box or EVERYTHING, {lookup: self.domains.domain(lookup).where([value])})
            if box is None:
                return None
        if grant.equals is not None:
            for lookup in self.domains.names:
                if lookup.startswith(CONTEXT_PREFIX) and lookup not in wanted:
                    self.seen.keys.add(lookup)
                    absent = self.domains.domain(lookup).where([None])
                    box = intersect(box or EVERYTHING, {lookup: absent})
        return box


def _guardrails(request_class: RequestClass) -> list[tuple[NamedDocument, ...]]:
    """Return the levels of RCPs and SCPs that bear on a request class, as `decide` chooses them."""
    situation, policies = request_class.situation, request_class.policies
    if situation.service_linked:
        return []
    levels = [level for level in policies.rcps if situation.action != "kms:retiregrant"]
    if situation.caller.form is not CallerForm.SERVICE:
        levels += policies.scps
    return levels
