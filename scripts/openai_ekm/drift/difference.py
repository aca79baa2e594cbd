"""A difference between what was meant and what is there."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.drift.canonical import canonical

if TYPE_CHECKING:
    from openai_ekm.proof.result import Counterexample

__all__ = [
    "ID",
    "Acceptance",
    "Difference",
    "State",
    "Subject",
    "identify",
    "not_compared",
]

ID: Final = re.compile(r"[a-z_]{1,40}-[0-9a-f]{16}")


class State(StrEnum):
    """The answer to a difference."""

    DRIFT = "drift"
    ACCEPTED = "accepted"
    NO_EFFECT = "no_effect"  # a change of a text that allows no request more or less
    UNDECIDED = "undecided"  # not seen, or not to be decided


@dataclass(frozen=True, slots=True)
class Subject:
    """The set-up that was looked at: an accepted difference is one of this role and key."""

    role_arn: str
    kms_arn: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepts a difference, and why.

    Args:
        reason: Why.
        by: Who; None for what `--accept-undecided` names.
        expires: Last day in UTC, as `2027-03-31`; None likewise.
    """

    reason: str
    by: str | None = None
    expires: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON of `ekm drift` holds it."""
        return {"reason": self.reason, "by": self.by, "expires": self.expires}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs, or that was not seen.

    Args:
        check: Id of the check.
        subject: What it is about.
        message: What differs, in a sentence.
        state: What is said of it.
        remedy: What to do; None takes that of the check.
        meant: The value that was meant, as JSON; None where nothing says it.
        observed: The value that is there, as JSON; None where there is none.
        more: Requests that are allowed and were not meant to be.
        less: Requests that were meant to be allowed and are not.
        accepted: Who accepts it.
        document: Whether `observed` is a policy document, which is compared by its meaning.
    """

    check: str
    subject: str
    message: str
    state: State = State.DRIFT
    remedy: str | None = None
    meant: Any = None
    observed: Any = None
    more: tuple[Counterexample, ...] = field(default=())
    less: tuple[Counterexample, ...] = field(default=())
    accepted: Acceptance | None = None
    document: bool = False


def identify(difference: Difference, subject: Subject) -> str:
    """Return the id of exactly this difference: another value has another id.

    Args:
        difference: What differs.
        subject: Of which role and key.
    """
    told = [
        difference.check,
        difference.subject,
        subject.role_arn,
        subject.kms_arn,
        canonical(difference.meant),
        canonical(difference.observed),
    ]
    text = json.dumps(told, sort_keys=True, ensure_ascii=True)
    return f"{difference.check}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def not_compared(check: str, subject: str, why: str) -> Difference:
    """Return that something was not compared, and is undecided so.

    Args:
        check: Id of the check.
        subject: What was not compared.
        why: The reason.
    """
    return Difference(
        check=check,
        subject=subject,
        message=f"Not compared: the {subject} ({why}).",
        state=State.UNDECIDED,
        remedy="Look as somebody who may read it, or accept it with --accept-undecided.",
    )
