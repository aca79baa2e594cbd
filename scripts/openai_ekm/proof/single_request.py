"""Decide one request with open points taken as allowed, or as denied.

`openai_ekm.evaluation.decide` never allows an open point. This module uses the same parts of the
evaluator to say what would be allowed if the open points were allowed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openai_ekm.evaluation.caller import CallerForm
from openai_ekm.evaluation.principals import MatchCloseness, match_closeness
from openai_ekm.evaluation.request import Context
from openai_ekm.evaluation.routes import Layers, by_identity, by_resource
from openai_ekm.evaluation.statements import Findings, examine
from openai_ekm.policy.letters import lower_ascii

if TYPE_CHECKING:
    from openai_ekm.evaluation import Request, StatementRef
    from openai_ekm.evaluation.policies import NamedDocument
    from openai_ekm.evaluation.request import Situation, Value
    from openai_ekm.proof.request_classes import RequestClass

__all__ = ["allows", "situation_of"]


def allows(request_class: RequestClass, request: Request, *, lenient: bool) -> bool:
    """Return whether a request of a request class is allowed.

    Args:
        request_class: Who does what to what, and the policies in force.
        request: One of its requests.
        lenient: Whether open points count as allowed; else as denied.
    """
    situation = situation_of(request_class, request)
    layers, guardrails = _layers(request_class, situation, lenient=lenient)
    found = [layers.identity, layers.resource, *guardrails]
    found += [each for each in (layers.boundary, layers.session) if each is not None]
    if any(each.denies or (each.open_denies and not lenient) for each in found):
        return False
    if not all(each.allows for each in guardrails):
        return False
    answer = (by_resource if request_class.by_resource else by_identity)(layers, situation)
    return answer.granted is not None or (lenient and bool(answer.points))


def situation_of(request_class: RequestClass, request: Request) -> Situation:
    """Return a request of a request class in the form in which the evaluator compares it."""
    given: dict[str, Value] = {
        lower_ascii(key): value if isinstance(value, str) else tuple(value)
        for key, value in request.context.items()
    }
    foreign = not all(map(str.isascii, given))
    context = Context(given, request_class.situation.context.derived, foreign)
    return replace(request_class.situation, request=request, context=context)


def _level(
    documents: tuple[NamedDocument, ...], ref: StatementRef, situation: Situation
) -> MatchCloseness:
    """Return how closely a statement names the caller; as closely as can be when that is open."""
    document = next(each.document for each in documents if each.name == ref.document)
    found = match_closeness(document.statements[ref.statement], situation)
    return found if isinstance(found, MatchCloseness) else MatchCloseness.ITSELF


def _layers(
    request_class: RequestClass, situation: Situation, *, lenient: bool
) -> tuple[Layers, list[Findings]]:
    policies = request_class.policies

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
