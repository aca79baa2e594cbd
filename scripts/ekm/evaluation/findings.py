"""What the statements of one layer of documents say to a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ekm.evaluation.decision import OpenPoint, StatementRef
from ekm.evaluation.matching import applies
from ekm.policy.statement import Effect, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ekm.evaluation.policies import NamedDocument
    from ekm.evaluation.principals import Level
    from ekm.evaluation.request import Situation

__all__ = ["NOTHING", "Covering", "Findings", "covering", "examine", "look", "ref_of"]

# Statements that cover one action, each with what a decision calls it.
Covering = tuple[tuple[Statement, StatementRef], ...]


@dataclass(slots=True)
class Findings:
    """The statements that apply, in the documents' order.

    Args:
        allows: Each with how closely it names the caller.
        denies: Those that deny.
        open_allows: Those that an open point keeps from allowing.
        open_denies: Those of which an open point leaves unsaid whether they deny.
    """

    allows: list[tuple[StatementRef, Level]] = field(default_factory=list)
    denies: list[StatementRef] = field(default_factory=list)
    open_allows: list[tuple[StatementRef, OpenPoint]] = field(default_factory=list)
    open_denies: list[tuple[StatementRef, OpenPoint]] = field(default_factory=list)

    def at(self, level: Level) -> tuple[StatementRef, ...]:
        """The statements that allow at one level."""
        return tuple([ref for ref, found in self.allows if found is level])

    @property
    def allowing(self) -> tuple[StatementRef, ...]:
        """The statements that allow, at whatever level."""
        return tuple([ref for ref, _ in self.allows])


# Of a layer without a statement that applies; never changed.
NOTHING = Findings()


def ref_of(named: NamedDocument, statement: Statement) -> StatementRef:
    """How a decision names a statement."""
    return StatementRef(named.name, statement.index, statement.sid, statement.effect)


def covering(documents: Iterable[NamedDocument], action: str) -> Covering:
    """The statements of some documents that are about an action.

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
    return look(covering(documents, situation.action), situation)


def look(statements: Covering, situation: Situation) -> Findings:
    """Compare statements that cover a request's action with the request.

    Args:
        statements: Of one layer, in the documents' order.
        situation: The request.

    Returns:
        What applies.
    """
    findings: Findings | None = None
    for statement, ref in statements:
        found = applies(statement, situation)
        if found is None:
            continue
        if findings is None:
            findings = Findings()
        allow = statement.effect is Effect.ALLOW
        if isinstance(found, OpenPoint):
            (findings.open_allows if allow else findings.open_denies).append((ref, found))
        elif allow:
            findings.allows.append((ref, found))
        else:
            findings.denies.append(ref)
    return NOTHING if findings is None else findings
