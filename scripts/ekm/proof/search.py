"""Looking through scenes for a request that breaks a claim, and making sure that it does.

A witness is asked of `ekm.evaluation.decide` again before anybody sees it: a proof that disagrees
with the evaluator has a defect, and the claim then does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from ekm.evaluation import Decision, Outcome, decide
from ekm.evaluation.findings import examine
from ekm.proof.boxes import EVERYTHING, Box, meet
from ekm.proof.one import allows, situation_of
from ekm.proof.regions import region
from ekm.proof.result import Counterexample, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ekm.evaluation import Request, StatementRef
    from ekm.evaluation.policies import NamedDocument
    from ekm.proof.scene import Scene
    from ekm.proof.setting import Setting
    from ekm.proof.values import Value
    from ekm.proof.worlds import World

__all__ = ["Search", "Witness", "example", "look", "spell", "statements", "witness_in"]

# Boxes of one scene from which a witness is tried: more only look for a smaller one.
TRIED = 24


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that is allowed, or may be.

    Args:
        scene: Where it was met.
        request: The request.
        decision: What the evaluator says.
        confirmed: Whether the evaluator agrees: allowed, or open.
    """

    scene: Scene
    request: Request
    decision: Decision
    confirmed: bool

    @property
    def order(self) -> tuple[object, ...]:
        """Surer and smaller first."""
        size = sum(map(len, (self.request.principal, self.request.action, self.request.resource)))
        context = self.request.context
        return (
            not self.confirmed,
            not self.decision.allowed,
            not self.scene.action.exists,
            len(context),
            sum(len(str(value)) for value in context.values()),
            size,
            self.request.principal,
        )


@dataclass(slots=True)
class Search:
    """What was found.

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


def look(
    world: World, scene: Scene, within: Sequence[Box] = (EVERYTHING,), *, lenient: bool = True
) -> Search:
    """Look for a request of a scene that is allowed.

    Args:
        world: The condition keys.
        scene: Who does what to what.
        within: Where to look: the boxes of requests that matter.
        lenient: Whether open points count as allowed.
    """
    found = region(world, scene, lenient=lenient)
    keys = found.keys | {key for box in within for key in box}
    search = Search(prod(len(world.domain(key).values) for key in keys), None, found.points)
    boxes = meet((found.boxes, within)) if found.boxes else []
    for box in sorted(boxes, key=len)[:TRIED]:
        search.add(Search(0, witness_in(world, scene, box)))
    return search


def witness_in(world: World, scene: Scene, box: Box) -> Witness:
    """The smallest request of a box, as the evaluator decides it."""
    request = scene.request(spell(world, box))
    decision = decide(request, scene.policies)
    agrees = decision.allowed or (
        decision.outcome is Outcome.IMPLICITLY_DENIED and allows(scene, request, lenient=True)
    )
    return Witness(scene, request, decision, confirmed=agrees)


def spell(world: World, box: Box) -> dict[str, Value]:
    """The smallest value for each key of a box, none where it may be missing."""
    chosen: dict[str, Value] = {}
    for lookup, classes in box.items():
        domain = world.domain(lookup)
        values = [each for index, each in enumerate(domain.values) if classes >> index & 1]
        chosen[domain.key] = min(values, key=_size)
    return chosen


def _size(value: Value) -> tuple[int, int, str]:
    """Missing before present, and among texts the empty one last: it means something else."""
    if value is None:
        return (0, 0, "")
    return (1 if value else 2, sum(map(len, value)), str(value))


def example(setting: Setting, witness: Witness) -> Counterexample:
    """A witness as a counterexample, its statements named by where they stand in the snapshot."""
    refs: Iterable[StatementRef] = witness.decision.decided_by
    if not witness.decision.allowed:
        refs = _may_allow(witness)
    return Counterexample(witness.request, statements(setting, witness.scene, refs))


def _may_allow(witness: Witness) -> list[StatementRef]:
    """The statements that allow a request that an open point keeps from being allowed."""
    policies = witness.scene.policies
    documents: list[NamedDocument] = [*policies.identity]
    documents += [] if policies.resource is None else [policies.resource]
    found = examine(documents, situation_of(witness.scene, witness.request))
    return [ref for ref, _ in (*found.allows, *found.open_allows)]


def statements(
    setting: Setting, scene: Scene, refs: Iterable[StatementRef]
) -> tuple[Statement, ...]:
    """Statements by snapshot path; documents that were only assumed are none of them."""
    materials = setting.materials
    paths: dict[str, str] = {"permissions_boundary": "permissions_boundary"}
    resource = scene.policies.resource
    for part in (materials.trust, materials.key_policy, *(part for _, part in materials.related)):
        if part is not None and resource is not None and resource.document is part.document:
            paths["resource"] = part.path
    if setting.is_role(scene.asker):
        paths |= {f"identity[{i}]": part.path for i, part in enumerate(materials.identity)}
    own = ("scps[", "rcps[", "grants[")
    return tuple(
        Statement(paths.get(each.document, each.document), each.statement, each.sid, each.effect)
        for each in refs
        if each.document in paths or each.document.startswith(own)
    )
