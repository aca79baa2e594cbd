"""The decision: the answer of `decide`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from openai_ekm.policy.light import light

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Decision", "Lack", "OpenPoint", "Outcome", "Reason", "StatementRef"]


class Outcome(StrEnum):
    """The four answers."""

    ALLOWED = "Allowed"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    ERROR = "error"


@light(frozen=True, slots=True)
class OpenPoint:
    """A question that AWS's documents, or the request, leave open; it never allows.

    Args:
        text: The question, with the value that raises it.
    """

    text: str


@light(frozen=True, slots=True)
class StatementRef:
    """Names one statement of one document.

    Args:
        document: In a decision `resource`, `identity[0]`, `permissions_boundary`, `session`,
            `scps[0][1]`, `rcps[0][0]` or `grants[0]`; in a proof or a diagnosis the snapshot
            path, such as `trust_policy` or `keys[0].policy`.
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

    def at(self, document: str) -> StatementRef:
        """Return the same statement with another name for its document."""
        return StatementRef(document, self.statement, self.sid, self.effect)

    def as_json(self) -> dict[str, object]:
        """Return it as `ekm decide` and `ekm prove` print it."""
        return {
            "document": self.document,
            "statement": self.statement,
            "sid": self.sid,
            "effect": str(self.effect),
        }


class Lack(Protocol):
    """The permission that a denial lacked, put into words only when somebody asks."""

    def sentences(self) -> Iterable[str]:
        """Say it."""


Reason = str | Lack


class Decision:
    """The answer to one request. Immutable; equal to another by what it says.

    Args:
        outcome: The answer.
        decided_by: For a denial every Deny that applies; for an allowance every statement that
            it rests on; empty for an implicit denial, which rests on what is not there.
        missing: What an implicit denial lacked: sentences, or what becomes sentences when
            `missing` is read.
        message: Why it is an error, or which open point kept it from being allowed; else None.
    """

    __slots__ = ("_decided_by", "_message", "_missing", "_outcome", "_worded")

    def __init__(
        self,
        outcome: Outcome,
        decided_by: tuple[StatementRef, ...] = (),
        missing: tuple[Reason, ...] = (),
        message: str | None = None,
    ) -> None:
        self._outcome = outcome
        self._decided_by = decided_by
        self._missing = missing
        self._message = message
        self._worded: tuple[str, ...] | None = None

    @property
    def outcome(self) -> Outcome:
        """Return the answer."""
        return self._outcome

    @property
    def decided_by(self) -> tuple[StatementRef, ...]:
        """Return the statements that it rests on."""
        return self._decided_by

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what an implicit denial lacked, a sentence each, none twice."""
        if self._worded is None:
            sentences: dict[str, None] = {}
            for reason in self._missing:
                found = (reason,) if isinstance(reason, str) else reason.sentences()
                sentences.update(dict.fromkeys(found))
            self._worded = tuple(sentences)
        return self._worded

    @property
    def message(self) -> str | None:
        """Return why it is an error, or which open point kept it from being allowed."""
        return self._message

    @property
    def allowed(self) -> bool:
        """Return whether the request may happen."""
        return self._outcome is Outcome.ALLOWED

    def _members(self) -> tuple[object, ...]:
        return self._outcome, self._decided_by, self.missing, self._message

    def __eq__(self, other: object) -> bool:
        return (
            self._members() == other._members() if isinstance(other, Decision) else NotImplemented
        )

    def __hash__(self) -> int:
        return hash(self._members())

    def __reduce__(self) -> tuple[type[Decision], tuple[Any, ...]]:
        return Decision, self._members()

    def __repr__(self) -> str:
        outcome, decided_by, missing, message = self._members()
        return f"Decision({outcome!r}, {decided_by!r}, {missing!r}, {message!r})"

    def as_json(self) -> dict[str, object]:
        """Return the decision as an answer of `ekm decide` holds it."""
        answer: dict[str, object] = {
            "decision": self.outcome.value,
            "decided_by": [each.as_json() for each in self.decided_by],
            "missing": list(self.missing),
        }
        if self.message is not None:
            answer["message"] = self.message
        return answer
