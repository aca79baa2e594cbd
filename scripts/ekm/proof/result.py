"""What a proof says: for each claim whether it holds, over how many classes, or what breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ekm.evaluation import Request

__all__ = ["TITLES", "Claim", "Counterexample", "Proof", "Reported", "Statement"]

TITLES: Final = {
    "a": "Only OpenAI's role assumes the role, with a registered external id",
    "b": "The role encrypts and decrypts with this key, and does nothing else anywhere",
    "c": "Nobody else uses the key or gets to use it; only administrators change its policy",
    "d": "OpenAI can assume the role, encrypt and decrypt",
    "e": "An administrator can still change the key policy",
    "f": "Nobody but administrators can disable or delete the key",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """Where a statement stands in the snapshot.

    Args:
        document: Snapshot path: `trust_policy`, `keys[0].policy`, …
        statement: Its index there.
        sid: Its Sid, or None.
        effect: `Allow` or `Deny`.
    """

    document: str
    statement: int
    sid: str | None
    effect: str

    def __str__(self) -> str:
        name = f" ({self.sid})" if self.sid else ""
        return f"{self.effect} in {self.document}, statement {self.statement}{name}"

    def as_json(self) -> dict[str, Any]:
        """As the proof's JSON holds it."""
        return {
            "document": self.document,
            "statement": self.statement,
            "sid": self.sid,
            "effect": self.effect,
        }


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A request that a claim says there is none of, or that it says is allowed and is not.

    Args:
        request: The smallest that was found.
        statements: That allow it, or that deny it; none when what is missing denies it.
    """

    request: Request
    statements: tuple[Statement, ...]

    def as_json(self) -> dict[str, Any]:
        """As the proof's JSON holds it: the request as in a decision case."""
        request: dict[str, Any] = {
            "principal": self.request.principal,
            "action": self.request.action,
            "resource": self.request.resource,
        }
        if self.request.resource_account is not None:
            request["resource_account"] = self.request.resource_account
        request["context"] = {
            key: value if isinstance(value, str) else list(value)
            for key, value in self.request.context.items()
        }
        return {"request": request, "statements": [each.as_json() for each in self.statements]}


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim and its truth value.

    Args:
        id: `a` to `f`.
        holds: Whether it was proven.
        classes: How many classes of requests were decided.
        counterexample: What breaks it; None when it holds, or when no one request does.
        message: In words what breaks it; None when it holds.
    """

    id: str
    holds: bool
    classes: int
    counterexample: Counterexample | None = None
    message: str | None = None

    @property
    def title(self) -> str:
        """What it claims, in a sentence."""
        return TITLES[self.id]

    def as_json(self) -> dict[str, Any]:
        """As the proof's JSON holds it."""
        found = self.counterexample
        return {
            "id": self.id,
            "holds": self.holds,
            "classes": self.classes,
            "counterexample": None if found is None else found.as_json(),
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Reported:
    """Somebody who can do what a reviewer wants to know of, though no claim forbids it.

    Args:
        claim: Where it was met.
        action: What they can do.
        principals: One witness for each class of principals.
        statements: That let them.
        message: The same in words.
    """

    claim: str
    action: str
    principals: tuple[str, ...]
    statements: tuple[Statement, ...]
    message: str

    def as_json(self) -> dict[str, Any]:
        """As the proof's JSON holds it."""
        return {
            "claim": self.claim,
            "action": self.action,
            "principals": list(self.principals),
            "statements": [each.as_json() for each in self.statements],
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Proof:
    """Every claim, what goes with them, and what they rest on.

    Args:
        claims: In order.
        reported: What no claim forbids and a reviewer should know.
        assumed: What was taken for granted, open points included.
        unseen: What was not collected, and what no snapshot shows.
    """

    claims: tuple[Claim, ...]
    reported: tuple[Reported, ...]
    assumed: tuple[str, ...]
    unseen: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return all(each.holds for each in self.claims)

    def as_json(self) -> dict[str, Any]:
        """The proof as `ekm prove --json` prints it."""
        return {
            "holds": self.holds,
            "claims": [each.as_json() for each in self.claims],
            "reported": [each.as_json() for each in self.reported],
            "assumed": list(self.assumed),
            "unseen": list(self.unseen),
        }
