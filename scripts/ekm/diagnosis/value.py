"""What OpenAI's validation would answer, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ekm.evaluation import Decision

__all__ = ["AwsError", "DecidingStatement", "Diagnosis", "Outcome"]


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
class Diagnosis:
    """What OpenAI's validation would answer to a snapshot.

    Args:
        outcome: The first thing at fault, or `ok`.
        decisions: Permission to decision, for every call that could be decided.
        error: What AWS would answer; `None` when the outcome is `ok`.
        deciding: The statements that decided the call at fault.
        missing: Kinds of policy that would have to allow that call and do not.
        unseen: Snapshot paths that were not collected.
        curable_by_waiting: Waiting for IAM to settle could cure it: false when what was read
            live already refuses.
    """

    outcome: Outcome
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    error: AwsError | None = None
    deciding: tuple[DecidingStatement, ...] = ()
    missing: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    curable_by_waiting: bool = False

    @property
    def message(self) -> str:
        """AWS's own words; empty when the outcome is `ok`."""
        return self.error.message if self.error is not None else ""

    def as_json(self) -> dict[str, Any]:
        """Return what was found, as `--json` prints it."""
        return {
            "outcome": str(self.outcome),
            "decisions": {name: str(made.outcome) for name, made in self.decisions.items()},
            "message": self.message,
            "unseen": list(self.unseen),
        }
