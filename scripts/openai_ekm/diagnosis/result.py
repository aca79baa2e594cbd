"""The result of a diagnosis: outcome, faults and warnings."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.evaluation import Decision, StatementRef

__all__ = ["AwsError", "Change", "Diagnosis", "Fault", "NearMiss", "Outcome", "Warned"]

Step = str | int

# OpenAI's calls in the order it makes them; one that was not decided is null in JSON.
CALLS = ("sts:AssumeRole", "kms:Encrypt", "kms:Decrypt")


class Outcome(StrEnum):
    """The kind of the first fault.

    Source: docs/diagnosis.md#from-openais-error-text-to-the-fault
    """

    OK = "ok"
    ASSUME_ROLE_DENIED = "assume_role_denied"
    ENCRYPT_DENIED = "encrypt_denied"
    DECRYPT_DENIED = "decrypt_denied"
    KEY_NOT_FOUND = "key_not_found"
    KEY_DISABLED = "key_disabled"
    KEY_PENDING_DELETION = "key_pending_deletion"
    KEY_PENDING_IMPORT = "key_pending_import"
    KEY_UNAVAILABLE = "key_unavailable"
    NOT_SYMMETRIC = "not_symmetric"
    WRONG_REGION = "wrong_region"
    INVALID_ARN = "invalid_arn"
    POLICY_MALFORMED = "policy_malformed"
    # Everything that was seen lets OpenAI in, and the key's state was not seen.
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class AwsError:
    """The error that AWS would answer.

    Args:
        operation: API operation, such as `AssumeRole`.
        code: AWS's error code, such as `AccessDenied`.
        message: AWS's own words.
    """

    operation: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a fix, as JSON Patch (RFC 6902) has it.

    Args:
        op: `add`, `replace` or `remove`.
        path: Steps from the snapshot's root; a document that is kept as JSON text is stepped
            into as if it were the object.
        value: What is put there; nothing for `remove`.
    """

    op: str
    path: tuple[Step, ...]
    value: Any = None

    def as_json(self) -> dict[str, Any]:
        """Return the step with its path as a JSON pointer (RFC 6901)."""
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in self.path)
        written: dict[str, Any] = {"op": self.op, "path": "".join(f"/{step}" for step in steps)}
        return written if self.op == "remove" else {**written, "value": self.value}


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An element that keeps a statement or a grant from deciding a refused call otherwise.

    Args:
        document: Snapshot path, such as `keys[0].policy` or `grants[0]`.
        statement: Index in the document; None for a grant.
        sid: The statement's Sid, or the grant's name.
        element: Such as `Condition.StringEquals.kms:ViaService`, `Version` or `constraints`.
        found: What is there.
        needed: What would have to be there.
    """

    document: str
    statement: int | None
    sid: str | None
    element: str
    found: str
    needed: str

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        return {
            "document": self.document,
            "statement": self.statement,
            "sid": self.sid,
            "element": self.element,
            "found": self.found,
            "needed": self.needed,
        }

    def __str__(self) -> str:
        place = self.document
        if self.statement is not None:
            place += f" statement {self.statement}" + (f' "{self.sid}"' if self.sid else "")
        what = (
            self.found if self.element.startswith("Condition.") else f"{self.element} {self.found}"
        )
        return f"{place}: {what} has to be {self.needed}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that keeps OpenAI from using the key.

    Args:
        id: Stable snake_case name of the kind of fault (docs/diagnosis.md lists them).
        document: Snapshot path, such as `trust_policy` or `registration`.
        statement: Index in the document; None when no statement is at fault.
        sid: The statement's Sid.
        element: What of it, such as `Condition.StringEquals.sts:ExternalId` or `state`.
        found: What is there.
        needed: What has to be there.
        message: One sentence.
        remedy: What to do, in one sentence.
        fix: The smallest change of the snapshot that cures it; empty when no change of what was
            collected does.
        near_misses: What else is there and comes near: statements and grants that would let the
            call pass but for one element; for a statement that denies, the exceptions that the
            call does not meet.
    """

    id: str
    document: str
    statement: int | None
    sid: str | None
    element: str | None
    found: str | None
    needed: str | None
    message: str
    remedy: str
    fix: tuple[Change, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()

    @property
    def location(self) -> str:
        """Document, statement and element, in words."""
        found = self.document
        if self.statement is not None:
            found += f", statement {self.statement}" + (f" ({self.sid})" if self.sid else "")
        return f"{found}, {self.element}" if self.element else found

    def as_json(self) -> dict[str, Any]:
        """Return the fault as `--json` prints it."""
        return {
            "id": self.id,
            "document": self.document,
            "statement": self.statement,
            "sid": self.sid,
            "element": self.element,
            "found": self.found,
            "needed": self.needed,
            "message": self.message,
            "remedy": self.remedy,
            "fix": [change.as_json() for change in self.fix],
            "near_misses": [near.as_json() for near in self.near_misses],
        }


class Warned(Fault):
    """It works, and is wrong: the members of a fault, under an id that docs/diagnosis.md lists."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The answer of OpenAI's validation to a snapshot.

    Args:
        outcome: The first thing at fault; `ok`; or `undecided`, where the key's state was not seen.
        decisions: Permission to decision, for every call that could be decided.
        error: What AWS would answer; `None` when the outcome is `ok`.
        deciding: The statements that decided the call at fault.
        missing: Kinds of policy that would have to allow that call and do not.
        faults: What is at fault, in the order AWS meets it; each fix supposes those before it.
        warnings: What works and is wrong.
        unseen: Snapshot paths that were not collected.
        reasons: Why, by snapshot path, where the reader knew.
        open_point: What AWS's pages leave open, where that alone makes the call count as refused;
            what AWS would answer is then not known.
        curable_by_waiting: Waiting for IAM to settle could cure it: false when what was read
            live already refuses.
    """

    outcome: Outcome
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    error: AwsError | None = None
    deciding: tuple[StatementRef, ...] = ()
    missing: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Warned, ...] = ()
    unseen: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    open_point: str | None = None
    curable_by_waiting: bool = False

    @property
    def allows(self) -> bool:
        """Return whether all that was seen lets OpenAI use the key."""
        return self.outcome in {Outcome.OK, Outcome.UNDECIDED}

    @property
    def message(self) -> str:
        """Return AWS's own words; empty when the outcome is `ok`, or what AWS answers is open."""
        known = self.error is not None and self.open_point is None
        return self.error.message if known and self.error is not None else ""

    def as_json(self) -> dict[str, Any]:
        """Return what was found, as `--json` prints it."""
        return {
            "outcome": str(self.outcome),
            "decisions": {
                name: str(self.decisions[name].outcome) if name in self.decisions else None
                for name in CALLS
            },
            "message": self.message,
            "open_point": self.open_point,
            "faults": [fault.as_json() for fault in self.faults],
            "warnings": [warned.as_json() for warned in self.warnings],
            "unseen": list(self.unseen),
            "unseen_reasons": dict(self.reasons),
        }
