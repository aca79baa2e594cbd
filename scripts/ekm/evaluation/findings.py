"""What the statements of one layer of documents say to a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from ekm.evaluation.decision import OpenPoint, StatementRef
from ekm.evaluation.matching import applies
from ekm.policy.kept import LONGEST_KEPT
from ekm.policy.statement import Effect, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ekm.evaluation.policies import NamedDocument
    from ekm.evaluation.principals import Level
    from ekm.evaluation.request import Situation

__all__ = ["NOTHING", "Findings", "examine", "ref_of"]


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


@lru_cache(maxsize=8192)
def _ref(document: str, index: int, sid: str | None, effect: Effect) -> StatementRef:
    return StatementRef(document, index, sid, effect.value)


def ref_of(named: NamedDocument, statement: Statement) -> StatementRef:
    """How a decision names a statement."""
    if statement.sid is not None and len(statement.sid) > LONGEST_KEPT:
        return _ref.__wrapped__(named.name, statement.index, statement.sid, statement.effect)
    return _ref(named.name, statement.index, statement.sid, statement.effect)


def examine(documents: Iterable[NamedDocument], situation: Situation) -> Findings:
    """Compare every statement of some documents with a request.

    Args:
        documents: The documents of one layer.
        situation: The request.

    Returns:
        What applies.
    """
    findings: Findings | None = None
    action = situation.action
    for named in documents:
        for statement in named.document.statements:
            # Most statements are about other actions: that is asked first, and cheaply.
            if statement.actions.cover(action) is statement.not_action:
                continue
            found = applies(statement, situation)
            if found is None:
                continue
            if findings is None:
                findings = Findings()
            ref = ref_of(named, statement)
            allow = statement.effect is Effect.ALLOW
            if isinstance(found, OpenPoint):
                (findings.open_allows if allow else findings.open_denies).append((ref, found))
            elif allow:
                findings.allows.append((ref, found))
            else:
                findings.denies.append(ref)
    return NOTHING if findings is None else findings
