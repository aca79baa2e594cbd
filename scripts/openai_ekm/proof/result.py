"""The result of a proof: whether each claim holds, fails or is undecided, and by what.

A claim is undecided if the members that were seen do not break it and one that was not could.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.snapshot.symbols import name_symbols

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.evaluation import Request, StatementRef
    from openai_ekm.snapshot import Snapshot

__all__ = [
    "EXIT_CODES",
    "TITLES",
    "Answer",
    "Claim",
    "Counterexample",
    "Gap",
    "Judged",
    "Proof",
    "Reported",
    "worst",
]


class Answer(StrEnum):
    """The answer to a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


# A failing claim wins over an undecided one.
EXIT_CODES: Final = {Answer.HOLDS: 0, Answer.FAILS: 1, Answer.UNDECIDED: 8}


def worst(answers: Iterable[Answer]) -> Answer:
    """Return one answer to several claims: fails before undecided before holds."""
    found = set(answers)
    for each in (Answer.FAILS, Answer.UNDECIDED):
        if each in found:
            return each
    return Answer.HOLDS


TITLES: Final = {
    "a": "Only OpenAI's role assumes the role, with a registered external id",
    "b": "The role encrypts and decrypts with this key, and does nothing else anywhere",
    "c": "Nobody else uses the key or gets to use it; only administrators change its policy",
    "d": "OpenAI can assume the role, encrypt and decrypt",
    "e": "An administrator can still change the key policy",
    "f": "Nobody but administrators can disable or delete the key",
}


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A request that a claim says there is none of, or that it says is allowed and is not.

    Args:
        request: The smallest that was found.
        statements: That allow it, or that deny it; none when what is missing denies it.
    """

    request: Request
    statements: tuple[StatementRef, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as the proof's JSON holds it, with the request as in a decision case."""
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
class Gap:
    """Something that was not seen and could break a claim.

    Args:
        path: Its snapshot path: `grants`, `keys[0].policy`, …
        reason: What it could do.
        cause: Why it was not seen, where that is known.
    """

    path: str
    reason: str
    cause: str | None = None

    def __str__(self) -> str:
        """Return it as a message names it."""
        cause = "" if self.cause is None else f"; not seen because {self.cause}"
        return f"{self.path} ({self.reason}{cause})"

    def as_json(self) -> dict[str, str]:
        """Return it as the proof's JSON holds it."""
        return {"path": self.path, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim and the answer to it.

    Args:
        id: `a` to `f`.
        holds: True when it was proven, False when it fails, None when it is undecided.
        classes: How many classes of requests were decided.
        counterexample: What breaks it; None when nothing does, or when no one request does.
        message: In words what breaks it or leaves it undecided; None when it holds.
        undecided_by: What was not seen and could break it; empty unless it is undecided.
    """

    id: str
    holds: bool | None
    classes: int
    counterexample: Counterexample | None = None
    message: str | None = None
    undecided_by: tuple[Gap, ...] = ()

    @property
    def answer(self) -> Answer:
        """Return the same as `holds`, as a word."""
        if self.holds is None:
            return Answer.UNDECIDED
        return Answer.HOLDS if self.holds else Answer.FAILS

    @property
    def title(self) -> str:
        """Return what it claims, in a sentence."""
        return TITLES[self.id]

    def as_json(self) -> dict[str, Any]:
        """Return it as the proof's JSON holds it."""
        found = self.counterexample
        return {
            "id": self.id,
            "answer": self.answer.value,
            "holds": self.holds,
            "undecided_by": [each.as_json() for each in self.undecided_by],
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
    statements: tuple[StatementRef, ...]
    message: str

    def as_json(self) -> dict[str, Any]:
        """Return it as the proof's JSON holds it."""
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
    def answer(self) -> Answer:
        """Return the answer to all claims together."""
        return worst(each.answer for each in self.claims)

    @property
    def holds(self) -> bool | None:
        """Return whether every claim holds; None when none fails and one is undecided."""
        return {Answer.HOLDS: True, Answer.FAILS: False}.get(self.answer)

    def as_json(self) -> dict[str, Any]:
        """Return the proof as `ekm prove --json` prints it."""
        return {
            "answer": self.answer.value,
            "holds": self.holds,
            "claims": [each.as_json() for each in self.claims],
            "reported": [each.as_json() for each in self.reported],
            "assumed": list(self.assumed),
            "unseen": list(self.unseen),
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """A snapshot and its proof, as they are shown.

    Args:
        instance: Address of the module's instance; empty when there is none or it is the root.
        snapshot: What was judged.
        proof: The proof.
    """

    instance: str
    snapshot: Snapshot
    proof: Proof

    @property
    def identity(self) -> str:
        """Return what tells it from all else that is judged: instance, key, role, external id."""
        registration = self.snapshot.registration
        parts = (registration.kms_arn, registration.role_arn, registration.external_id)
        named = (name_symbols(each, self.snapshot) for each in parts)
        return "/".join((*([self.instance] if self.instance else ()), *named))

    def as_json(self) -> dict[str, Any]:
        """Return the proof as JSON, with the name of each symbol of the snapshot in its place."""
        found: dict[str, Any] = name_symbols(self.proof.as_json(), self.snapshot)
        return found
