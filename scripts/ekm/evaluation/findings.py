"""What the statements of one layer of documents say to a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ekm.evaluation.decision import OpenPoint, StatementRef
from ekm.evaluation.matching import applies
from ekm.policy.statement import Effect, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ekm.evaluation.policies import NamedDocument
    from ekm.evaluation.principals import Level
    from ekm.evaluation.request import Situation

__all__ = ["Findings", "examine", "ref_of"]


@dataclass(frozen=True, slots=True)
class Findings:
    """The statements that apply, in the documents' order.

    Args:
        allows: Each with how closely it names the caller.
        denies: Those that deny.
        open_allows: Those that an open point keeps from allowing.
        open_denies: Those of which an open point leaves unsaid whether they deny.
    """

    allows: tuple[tuple[StatementRef, Level], ...]
    denies: tuple[StatementRef, ...]
    open_allows: tuple[tuple[StatementRef, OpenPoint], ...]
    open_denies: tuple[tuple[StatementRef, OpenPoint], ...]

    def at(self, level: Level) -> tuple[StatementRef, ...]:
        """The statements that allow at one level."""
        return tuple(ref for ref, found in self.allows if found is level)

    @property
    def allowing(self) -> tuple[StatementRef, ...]:
        """The statements that allow, at whatever level."""
        return tuple(ref for ref, _ in self.allows)


NOTHING = Findings((), (), (), ())


def ref_of(named: NamedDocument, statement: Statement) -> StatementRef:
    """How a decision names a statement."""
    return StatementRef(named.name, statement.index, statement.sid, statement.effect.value)


def examine(documents: Iterable[NamedDocument], situation: Situation) -> Findings:
    """Compare every statement of some documents with a request.

    Args:
        documents: The documents of one layer.
        situation: The request.

    Returns:
        What applies.
    """
    allows: list[tuple[StatementRef, Level]] = []
    denies: list[StatementRef] = []
    open_allows: list[tuple[StatementRef, OpenPoint]] = []
    open_denies: list[tuple[StatementRef, OpenPoint]] = []
    for named in documents:
        for statement in named.document.statements:
            found = applies(statement, situation)
            if found is None:
                continue
            ref = ref_of(named, statement)
            if isinstance(found, OpenPoint):
                (open_allows if statement.effect is Effect.ALLOW else open_denies).append(
                    (ref, found)
                )
            elif statement.effect is Effect.ALLOW:
                allows.append((ref, found))
            else:
                denies.append(ref)
    return Findings(tuple(allows), tuple(denies), tuple(open_allows), tuple(open_denies))
