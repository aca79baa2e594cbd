"""Compare the statements of one layer of documents with a request."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from openai_ekm.evaluation.decision import OpenPoint, StatementRef
from openai_ekm.evaluation.matching import conditions_hold, open_part, resource_matches
from openai_ekm.evaluation.principals import MatchCloseness, match_closeness
from openai_ekm.policy.light import light
from openai_ekm.policy.statement import Effect, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.evaluation.policies import NamedDocument
    from openai_ekm.evaluation.request import Situation

__all__ = ["NOTHING", "Covering", "Findings", "covering", "examine", "find_statements", "ref_of"]

# Statements that cover one action, each with what a decision calls it.
Covering = tuple[tuple[Statement, StatementRef], ...]


@light(frozen=True, slots=True)
class Findings:
    """The statements that apply, in the documents' order.

    Args:
        allows: Each with how closely it names the caller.
        denies: Those that deny.
        open_allows: Those that an open point keeps from allowing, each with how closely it would
            name the caller.
        open_denies: Those of which an open point leaves unsaid whether they deny.
    """

    allows: list[tuple[StatementRef, MatchCloseness]] = field(default_factory=list)
    denies: list[StatementRef] = field(default_factory=list)
    open_allows: list[tuple[StatementRef, OpenPoint, MatchCloseness]] = field(default_factory=list)
    open_denies: list[tuple[StatementRef, OpenPoint]] = field(default_factory=list)

    @property
    def allowing(self) -> tuple[StatementRef, ...]:
        """Return the statements that allow, at whatever level."""
        return tuple([ref for ref, _ in self.allows])

    @property
    def open_points(self) -> tuple[OpenPoint, ...]:
        """Return the open points that keep statements from allowing."""
        return tuple([point for _, point, _ in self.open_allows])

    def with_open_allows(self) -> Findings:
        """Return these findings with each open Allow as an Allow, and without the open Denies."""
        opened = [(ref, closeness) for ref, _, closeness in self.open_allows]
        return Findings([*self.allows, *opened], self.denies)


# Of a layer without a statement that applies; never changed.
NOTHING = Findings()


def ref_of(named: NamedDocument, statement: Statement) -> StatementRef:
    """Return the reference by which a decision names a statement."""
    return StatementRef(named.name, statement.index, statement.sid, statement.effect)


def covering(documents: Iterable[NamedDocument], action: str) -> Covering:
    """Return the statements of some documents that are about an action.

    Args:
        documents: The documents of one layer.
        action: In lower case.

    Returns:
        Those statements, in the documents' order. Most statements are about other actions: that
        is asked first, and cheaply.
    """
    return tuple(
        [
            (statement, ref_of(named, statement))
            for named in documents
            for statement in named.document.statements
            if statement.actions.cover(action) is not statement.not_action
        ]
    )


def examine(documents: Iterable[NamedDocument], situation: Situation) -> Findings:
    """Compare every statement of some documents with a request.

    Args:
        documents: The documents of one layer.
        situation: The request.

    Returns:
        What applies.
    """
    return find_statements(covering(documents, situation.action), situation)


def find_statements(statements: Covering, situation: Situation) -> Findings:
    """Compare statements that cover a request's action with the request.

    A statement applies when its resource, its principal and its conditions match. A document that
    names nobody is about its caller itself, and a trust policy about its role.

    Args:
        statements: Of one layer, in the documents' order.
        situation: The request.

    Returns:
        What applies, or would but for an open point.
    """
    findings = NOTHING
    for statement, ref in statements:
        resource = True if statement.resources is None else resource_matches(statement, situation)
        if resource is False:
            continue
        found = (
            MatchCloseness.ITSELF
            if statement.principals is None
            else match_closeness(statement, situation)
        )
        if found is None:
            continue
        holds = conditions_hold(statement, situation) if statement.conditions else True
        if holds is False:
            continue
        closeness = found
        if resource is not True or holds is not True or statement.not_action:
            found = open_part(statement, resource, holds) or found
        if findings is NOTHING:
            findings = Findings([], [], [], [])
        if isinstance(found, OpenPoint):
            if statement.effect is Effect.DENY:
                findings.open_denies.append((ref, found))
            else:
                # As closely as can be, when that is open too.
                closest = MatchCloseness.ITSELF if isinstance(closeness, OpenPoint) else closeness
                findings.open_allows.append((ref, found, closest))
        elif statement.effect is Effect.ALLOW:
            findings.allows.append((ref, found))
        else:
            findings.denies.append(ref)
    return findings
