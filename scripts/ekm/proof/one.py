"""Whether one request is allowed when open points count one way or the other.

`ekm.evaluation.decide` never allows what it leaves open, and so cannot say what would be allowed
if the open points went the other way; this asks the same parts of the evaluator again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ekm.evaluation.caller import CallerForm
from ekm.evaluation.findings import Findings, examine
from ekm.evaluation.principals import Level, level_of
from ekm.evaluation.request import Context
from ekm.evaluation.routes import Layers, by_identity, by_resource

if TYPE_CHECKING:
    from ekm.evaluation import Request, StatementRef
    from ekm.evaluation.policies import NamedDocument
    from ekm.evaluation.request import Situation, Value
    from ekm.proof.scene import Scene

__all__ = ["allows", "situation_of"]


def allows(scene: Scene, request: Request, *, lenient: bool) -> bool:
    """Whether a request of a scene is allowed.

    Args:
        scene: Who does what to what, and the policies in force.
        request: One of its requests.
        lenient: Whether open points count as allowed; else as denied.
    """
    situation = situation_of(scene, request)
    layers, guardrails = _layers(scene, situation, lenient=lenient)
    found = [layers.identity, layers.resource, *guardrails]
    found += [each for each in (layers.boundary, layers.session) if each is not None]
    if any(each.denies or (each.open_denies and not lenient) for each in found):
        return False
    if not all(each.allows for each in guardrails):
        return False
    answer = (by_resource if scene.by_resource else by_identity)(layers, situation)
    return answer.granted is not None or (lenient and bool(answer.points))


def situation_of(scene: Scene, request: Request) -> Situation:
    """A request of a scene in the form in which the evaluator compares it."""
    given: dict[str, Value] = {
        key.lower(): value if isinstance(value, str) else tuple(value)
        for key, value in request.context.items()
    }
    context = Context(given, scene.situation.context.derived)
    return replace(scene.situation, request=request, context=context)


def _level(documents: tuple[NamedDocument, ...], ref: StatementRef, situation: Situation) -> Level:
    """How closely a statement names the caller; as closely as can be when that is open itself."""
    document = next(each.document for each in documents if each.name == ref.document)
    found = level_of(document.statements[ref.statement], situation)
    return found if isinstance(found, Level) else Level.ITSELF


def _layers(scene: Scene, situation: Situation, *, lenient: bool) -> tuple[Layers, list[Findings]]:
    policies = scene.policies

    def look(documents: tuple[NamedDocument, ...]) -> Findings:
        found = examine(documents, situation)
        if not lenient:
            return found
        opened = [(ref, _level(documents, ref, situation)) for ref, _ in found.open_allows]
        return Findings([*found.allows, *opened], found.denies)

    def optional(document: NamedDocument | None) -> Findings | None:
        return None if document is None else look((document,))

    levels = [level for level in policies.rcps if situation.action != "kms:retiregrant"]
    if situation.caller.form is not CallerForm.SERVICE:
        levels += policies.scps
    return (
        Layers(
            policies=policies,
            identity=look(policies.identity),
            resource=optional(policies.resource) or Findings(),
            boundary=optional(policies.permissions_boundary),
            session=optional(policies.session),
        ),
        [] if situation.service_linked else [look(level) for level in levels],
    )
