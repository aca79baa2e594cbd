"""Explain why nothing allowed a request: the nearest statements, and what each lacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_ekm.evaluation.conditions import holds
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.principals import match_closeness
from openai_ekm.evaluation.statements import action_matches, ref_of, resource_matches
from openai_ekm.policy.statement import Effect, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai_ekm.evaluation.policies import NamedDocument
    from openai_ekm.evaluation.request import Context, Situation
    from openai_ekm.policy.conditions import Condition

__all__ = ["NothingAllows"]


@dataclass(slots=True)
class NothingAllows:
    """That a layer does not allow, and what its statements lacked; worded when asked.

    Args:
        layer: What the documents are: `key policy`, `identity policies`.
        documents: The layer's documents.
        situation: The request.
    """

    layer: str
    documents: Sequence[NamedDocument]
    situation: Situation

    def sentences(self) -> Iterable[str]:
        """Say it.

        Yields:
            A sentence for the layer, and one for each statement that allows the action but for
            its resource, principal or conditions.
        """
        request = self.situation.request
        asked = f"{request.action} on {request.resource}"
        if not self.documents:
            yield f"there is no {self.layer}, so none allows {asked}"
            return
        yield f"no statement of the {self.layer} allows {asked} to {request.principal}"
        for named in self.documents:
            for statement in named.document.statements:
                if statement.effect is Effect.ALLOW:
                    for lack in _lacks(statement, self.situation):
                        yield f"{ref_of(named, statement)}: {lack}"


def _lacks(statement: Statement, situation: Situation) -> Iterable[str]:
    if action_matches(statement, situation.action) is False:
        return
    if resource_matches(statement, situation) is False:
        texts = ", ".join(each.text for each in statement.resources or ())
        element = "NotResource" if statement.not_resource else "Resource"
        yield (
            f"{element} does not cover it: found {situation.request.resource}, wanted "
            f"{'none of ' if statement.not_resource else ''}{texts or 'nothing'}"
        )
        return
    if match_closeness(statement, situation) is None:
        texts = ", ".join(each.text for each in statement.principals or ())
        yield f"Principal does not name {situation.request.principal}: wanted {texts or 'nobody'}"
        return
    for condition in statement.conditions:
        verdict = holds(condition, situation.context)
        if verdict is False:
            yield _unmet_conditions(condition, situation.context)
        elif isinstance(verdict, OpenPoint):
            yield f"condition {condition.operator.text} {condition.key} is open: {verdict.text}"


def _unmet_conditions(condition: Condition, context: Context) -> str:
    found = context.get(condition.lookup)
    wanted = ", ".join(map(repr, condition.values)) or "nothing"
    if found is None:
        seen = "nothing (the request has no such key)"
    elif isinstance(found, str):
        seen = repr(found)
    else:
        seen = ", ".join(map(repr, found)) or "no value"
    return (
        f"condition {condition.operator.text} {condition.key} did not match: found {seen}, "
        f"wanted {wanted}"
    )
