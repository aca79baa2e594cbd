"""What OpenAI's validation would answer, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ekm.evaluation import Decision

__all__ = ["AwsError", "Change", "DecidingStatement", "Diagnosis", "Fault", "Outcome", "Warned"]

Step = str | int

# OpenAI's calls in the order it makes them; one that was not decided is null in JSON.
CALLS = ("sts:AssumeRole", "kms:Encrypt", "kms:Decrypt")


class Outcome(StrEnum):
    """What the first thing at fault is.

    Source: design, "Formats that others read", Diagnosis.
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


@dataclass(frozen=True, slots=True)
class AwsError:
    """What AWS would answer.

    Args:
        operation: API operation, such as `AssumeRole`.
        code: AWS's error code, such as `AccessDenied`.
        message: AWS's own words.
    """

    operation: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DecidingStatement:
    """A statement that decided a call.

    Args:
        document: Snapshot path, such as `trust_policy` or `keys[0].policy`.
        statement: Index in the document.
        sid: The statement's Sid.
        effect: `Allow` or `Deny`.
    """

    document: str
    statement: int
    sid: str | None
    effect: str


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
        }


class Warned(Fault):
    """It works, and is wrong: the members of a fault, under an id of the design's list."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What OpenAI's validation would answer to a snapshot.

    Args:
        outcome: The first thing at fault, or `ok`.
        decisions: Permission to decision, for every call that could be decided.
        error: What AWS would answer; `None` when the outcome is `ok`.
        deciding: The statements that decided the call at fault.
        missing: Kinds of policy that would have to allow that call and do not.
        faults: What is at fault, in the order AWS meets it; each fix supposes those before it.
        warnings: What works and is wrong.
        unseen: Snapshot paths that were not collected.
        reasons: Why, by snapshot path, where the reader knew.
        curable_by_waiting: Waiting for IAM to settle could cure it: false when what was read
            live already refuses.
    """

    outcome: Outcome
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    error: AwsError | None = None
    deciding: tuple[DecidingStatement, ...] = ()
    missing: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Warned, ...] = ()
    unseen: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    curable_by_waiting: bool = False

    @property
    def message(self) -> str:
        """AWS's own words; empty when the outcome is `ok`."""
        return self.error.message if self.error is not None else ""

    def as_json(self) -> dict[str, Any]:
        """Return what was found, as `--json` prints it."""
        return {
            "outcome": str(self.outcome),
            "decisions": {
                name: str(self.decisions[name].outcome) if name in self.decisions else None
                for name in CALLS
            },
            "message": self.message,
            "faults": [fault.as_json() for fault in self.faults],
            "warnings": [warned.as_json() for warned in self.warnings],
            "unseen": list(self.unseen),
            "unseen_reasons": dict(self.reasons),
        }
