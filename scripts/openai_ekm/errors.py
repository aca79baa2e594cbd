"""Every error that a user can meet, as one tree; the family says the exit code.

    EkmError
    ├── CheckFailed        1  a check does not hold: counterexample, fault found, differs
    ├── BadInput           2  an argument, a variable, a file or an environment value is wrong
    ├── AwsRefused         3  AWS answered, and the answer is no
    ├── OpenAIRefused      4  OpenAI answered, and the answer is no
    ├── NotReachable       5  no answer, or the deadline passed
    ├── Conflict           6  several matches, in use, another intent, a held lease
    ├── RecordUnreadable   7  the record is there and cannot be read
    │                      8  no error: `ekm prove` or `ekm diagnose` leaves something undecided
    └── Defect            70  ours: what should not have happened

Each error is raised near its cause with a stable id, and rendered once, in `cli.render`.
Ids are documented in docs/errors.md; tests/docs pins that both say the same.
"""

from __future__ import annotations

from typing import ClassVar, Final

__all__ = [
    "AwsRefused",
    "BadInput",
    "CheckFailed",
    "Conflict",
    "Defect",
    "EkmError",
    "NotReachable",
    "OpenAIRefused",
    "RecordUnreadable",
]

EXIT_UNDECIDED: Final = 8
EXIT_INTERRUPTED: Final = 130  # the shell's own code for a program that Ctrl-C ended


class EkmError(Exception):
    """An error: its message, its place, and its remedy.

    Args:
        id: Stable snake_case name, a literal at the place that raises (docs/errors.md lists it).
        message: One sentence that names the value and what is wrong with it.
        at_fault: The statement, argument, file or response field that is to blame.
        remedy: One sentence that says what to do next.
        request_id: OpenAI's or AWS's id of the request, for a support ticket.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        id: str,
        message: str,
        *,
        at_fault: str | None = None,
        remedy: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.id = id
        self.message = message
        self.at_fault = at_fault
        self.remedy = remedy
        self.request_id = request_id

    def as_json(self) -> dict[str, object]:
        """Return the error as `--json` prints it, under the member `error`."""
        return {
            "id": self.id,
            "message": self.message,
            "at_fault": self.at_fault,
            "remedy": self.remedy,
            "request_id": self.request_id,
            "exit_code": self.exit_code,
        }


class CheckFailed(EkmError):
    """A check was made and does not hold."""

    exit_code = 1


class BadInput(EkmError):
    """Something given is wrong; nothing was changed."""

    exit_code = 2


class AwsRefused(EkmError):
    """AWS answered with a refusal."""

    exit_code = 3


class OpenAIRefused(EkmError):
    """OpenAI answered with a refusal."""

    exit_code = 4


class NotReachable(EkmError):
    """No answer could be had, or the deadline passed."""

    exit_code = 5


class Conflict(EkmError):
    """The present state stands against the request."""

    exit_code = 6


class RecordUnreadable(EkmError):
    """The record exists and is not one that this version can read."""

    exit_code = 7


class Defect(EkmError):
    """A defect of this program, beside the documented codes."""

    exit_code = 70
