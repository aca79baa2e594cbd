"""Search classes of requests for one that breaks a claim, and check that it does.

`openai_ekm.evaluation.decide` decides a witness again before it is shown. If proof and evaluator
disagree, the proof has a defect, and the claim does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from openai_ekm.evaluation import Decision, OpenPoints, Outcome, decide
from openai_ekm.evaluation.statements import examine
from openai_ekm.proof.allowed_set import find_allowed_set
from openai_ekm.proof.boxes import EVERYTHING, Box, meet
from openai_ekm.proof.result import Counterexample

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai_ekm.evaluation import Request, StatementRef
    from openai_ekm.evaluation.policies import NamedDocument
    from openai_ekm.proof.condition_domains import ConditionDomains
    from openai_ekm.proof.request_classes import RequestClass
    from openai_ekm.proof.universe import Universe
    from openai_ekm.value_classes.domains import Value

__all__ = [
    "Search",
    "Witness",
    "example",
    "find_witness",
    "statements",
    "witness_in",
    "write_example",
]

# Boxes of one request class from which a witness is tried: more only look for a smaller one.
TRIED = 24


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that is allowed, or may be.

    Args:
        request_class: Where it was met.
        request: The request.
        decision: What the evaluator says.
        confirmed: Whether the evaluator agrees: allowed, or open.
    """

    request_class: RequestClass
    request: Request
    decision: Decision
    confirmed: bool

    @property
    def order(self) -> tuple[object, ...]:
        """Return the order in which witnesses are shown: surer and smaller first."""
        size = sum(map(len, (self.request.principal, self.request.action, self.request.resource)))
        context = self.request.context
        return (
            not self.confirmed,
            not self.decision.allowed,
            not self.request_class.action.exists,
            len(context),
            sum(len(str(value)) for value in context.values()),
            size,
            self.request.principal,
        )


@dataclass(slots=True)
class Search:
    """The result of a search.

    Args:
        classes: How many classes were decided.
        witness: The smallest request, or None.
        points: Open points that were met.
    """

    classes: int = 0
    witness: Witness | None = None
    points: dict[str, None] = field(default_factory=dict)

    def add(self, other: Search) -> None:
        """Take in what another search found."""
        self.classes += other.classes
        self.points |= other.points
        if other.witness is not None and (
            self.witness is None or other.witness.order < self.witness.order
        ):
            self.witness = other.witness


def find_witness(
    domains: ConditionDomains,
    request_class: RequestClass,
    within: Sequence[Box] = (EVERYTHING,),
    *,
    lenient: bool = True,
) -> Search:
    """Look for a request of a request class that is allowed.

    Args:
        domains: The condition keys.
        request_class: Who does what to what.
        within: Where to look: the boxes of requests that matter.
        lenient: Whether open points count as allowed.
    """
    found = find_allowed_set(domains, request_class, lenient=lenient)
    keys = found.keys | {key for box in within for key in box}
    search = Search(prod(len(domains.domain(key).values) for key in keys), None, found.points)
    boxes = meet((found.boxes, within)) if found.boxes else []
    for box in sorted(boxes, key=len)[:TRIED]:
        search.add(Search(0, witness_in(domains, request_class, box)))
    if lenient and search.witness is not None and not search.witness.decision.allowed:
        # A smaller request that is only left open must not hide one that is surely allowed.
        sure = find_witness(domains, request_class, within, lenient=False)
        search.add(Search(0, sure.witness))
    return search


def witness_in(domains: ConditionDomains, request_class: RequestClass, box: Box) -> Witness:
    """Return the smallest request of a box, as the evaluator decides it."""
    request = request_class.request(write_example(domains, box))
    decision = decide(request, request_class.policies)
    agrees = decision.allowed or (
        decision.outcome is Outcome.IMPLICITLY_DENIED
        and request_class.allows(request, OpenPoints.ALLOWED)
    )
    return Witness(request_class, request, decision, confirmed=agrees)


def write_example(domains: ConditionDomains, box: Box) -> dict[str, Value]:
    """Return the smallest value for each key of a box, none where it may be missing."""
    chosen: dict[str, Value] = {}
    for lookup, classes in box.items():
        domain = domains.domain(lookup)
        values = [each for index, each in enumerate(domain.values) if classes >> index & 1]
        chosen[domain.key] = min(values, key=_size)
    return chosen


def _size(value: Value) -> tuple[int, int, str]:
    """Order missing before present, and the empty text last: it means something else."""
    if value is None:
        return (0, 0, "")
    return (1 if value else 2, sum(map(len, value)), str(value))


def example(universe: Universe, witness: Witness) -> Counterexample:
    """Return a witness as a counterexample, with its statements by snapshot path."""
    refs: Iterable[StatementRef] = witness.decision.decided_by
    if not witness.decision.allowed:
        refs = _may_allow(witness)
    return Counterexample(witness.request, statements(universe, witness.request_class, refs))


def _may_allow(witness: Witness) -> list[StatementRef]:
    """Return the statements that allow a request that an open point keeps from being allowed."""
    policies = witness.request_class.policies
    documents: list[NamedDocument] = [*policies.identity]
    documents += [] if policies.resource is None else [policies.resource]
    found = examine(documents, witness.request_class.situation_of(witness.request))
    return [*found.allowing, *(ref for ref, _, _ in found.open_allows)]


def statements(
    universe: Universe, request_class: RequestClass, refs: Iterable[StatementRef]
) -> tuple[StatementRef, ...]:
    """Return statements by snapshot path, without documents that were only assumed."""
    documents = universe.documents
    paths: dict[str, str] = {"permissions_boundary": "permissions_boundary"}
    resource = request_class.policies.resource
    for part in (documents.trust, documents.key_policy, *(p for _, p in documents.further_keys)):
        if part is not None and resource is not None and resource.document is part.document:
            paths["resource"] = part.path
    if universe.is_role(request_class.principal):
        paths |= {f"identity[{i}]": part.path for i, part in enumerate(documents.identity)}
    own = ("scps[", "rcps[", "grants[")
    return tuple(
        ref.at(paths.get(ref.document, ref.document))
        for ref in refs
        if ref.document in paths or ref.document.startswith(own)
    )
