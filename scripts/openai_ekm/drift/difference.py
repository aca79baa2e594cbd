"""A difference between what was meant and what is there.

Equal values have one form. Order counts neither in a policy's lists nor among grants and tags, and
a list of one text is the text. So a difference keeps its id when AWS returns the same
in another order. In a Condition a truth value or a number is the text that AWS compares.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.json_reader import UnreadableJsonError, read_json

if TYPE_CHECKING:
    from openai_ekm.proof.result import Counterexample

__all__ = [
    "ID",
    "Acceptance",
    "Difference",
    "State",
    "Subject",
    "canonical",
    "decoded",
    "identify",
    "not_compared",
]


def decoded(document: Any) -> Any:
    """Return a policy document as decoded JSON; a text that is no JSON object as it is.

    Args:
        document: JSON text, or what it decodes to.
    """
    if not isinstance(document, str):
        return document
    try:
        found = read_json(document)
    except UnreadableJsonError:
        return document
    return found if isinstance(found, dict) else document


def canonical(value: Any) -> Any:
    """Return a value in its one form.

    Args:
        value: JSON.
    """
    if isinstance(value, Mapping):
        return {
            str(name): canonical(_as_texts(each) if name == "Condition" else each)
            for name, each in sorted(value.items())
        }
    if isinstance(value, list | tuple):
        found = sorted((canonical(each) for each in value), key=_text)
        unique = [
            each for index, each in enumerate(found) if index == 0 or each != found[index - 1]
        ]
        return unique[0] if len(unique) == 1 and isinstance(unique[0], str) else unique
    return value


def _as_texts(value: Any) -> Any:
    """Return a Condition with texts for its values: Python takes True for 1, and AWS does not."""
    if isinstance(value, Mapping):
        return {name: _as_texts(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_texts(each) for each in value]
    return json.dumps(value) if isinstance(value, bool | int | float) else value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


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

    def id(self, of: Subject) -> str:
        """Return the id of exactly this difference: another value has another id."""
        return identify(of, self.check, self.subject, self.meant, self.observed)


def identify(of: Subject, check: str, subject: str, meant: Any, observed: Any) -> str:
    """Return the id of a difference.

    Args:
        of: The role and the key.
        check: Id of the check.
        subject: What differs.
        meant: The value that was meant.
        observed: The value that is there.
    """
    told = [check, subject, of.role_arn, of.kms_arn, canonical(meant), canonical(observed)]
    text = json.dumps(told, sort_keys=True, ensure_ascii=True)
    return f"{check}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


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
