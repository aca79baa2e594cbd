"""What `decide` answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Decision", "OpenPoint", "Outcome", "StatementRef"]


class Outcome(StrEnum):
    """The four answers."""

    ALLOWED = "Allowed"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """A question that AWS's documents, or the request, leave open; it never allows.

    Args:
        text: The question, with the value that raises it.
    """

    text: str


@dataclass(frozen=True, slots=True)
class StatementRef:
    """Where a statement stands.

    Args:
        document: `resource`, `identity[0]`, `permissions_boundary`, `session`, `scps[0][1]`,
            `rcps[0][0]` or `grants[0]`.
        statement: Its index in that document; 0 for a grant.
        sid: Its Sid (a grant's name), or None.
        effect: `Allow` or `Deny`.
    """

    document: str
    statement: int
    sid: str | None
    effect: str

    def __str__(self) -> str:
        name = f" ({self.sid})" if self.sid else ""
        return f"{self.document} statement {self.statement}{name}"

    def as_json(self) -> dict[str, object]:
        """The reference as an answer of `ekm decide` holds it."""
        return {
            "document": self.document,
            "statement": self.statement,
            "sid": self.sid,
            "effect": self.effect,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request.

    Args:
        outcome: The answer.
        decided_by: For a denial every Deny that applies; for an allowance every statement that
            it rests on; empty for an implicit denial, which rests on what is not there.
        missing: What an implicit denial lacked, a sentence each.
        message: Why it is an error, or which open point kept it from being allowed; else None.
    """

    outcome: Outcome
    decided_by: tuple[StatementRef, ...] = ()
    missing: tuple[str, ...] = ()
    message: str | None = None

    @property
    def allowed(self) -> bool:
        """Whether the request may happen."""
        return self.outcome is Outcome.ALLOWED

    def as_json(self) -> dict[str, object]:
        """The decision as an answer of `ekm decide` holds it."""
        answer: dict[str, object] = {
            "decision": self.outcome.value,
            "decided_by": [each.as_json() for each in self.decided_by],
            "missing": list(self.missing),
        }
        if self.message is not None:
            answer["message"] = self.message
        return answer
