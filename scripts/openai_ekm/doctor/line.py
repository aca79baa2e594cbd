"""A line: the answer of one check, and the exit code of several."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import AwsRefused, NotReachable, OpenAIRefused
from openai_ekm.reports.finding import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.errors import EkmError

__all__ = ["Family", "Line", "State", "exit_code", "failed", "family_of", "remedy_of", "unseen"]


class State(StrEnum):
    """The answer of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"
    NOT_SEEN = "not_seen"


class Family(StrEnum):
    """The party that a failure is of; it decides the exit code."""

    HERE = "here"
    AWS = "aws"
    OPENAI = "openai"
    NETWORK = "network"


_EXIT_CODES: Final = {
    Family.AWS: AwsRefused.exit_code,
    Family.OPENAI: OpenAIRefused.exit_code,
    Family.NETWORK: NotReachable.exit_code,
}
_MIXED: Final = 1


@dataclass(frozen=True, slots=True)
class Line:
    """The answer of one check.

    Args:
        id: A name of `openai_ekm.doctor.catalogue.CHECKS`.
        state: The answer.
        found: What was found, or why it was not seen; sentences.
        remedy: What to do; None where there is nothing to do.
        family: Of a failure: whose it is.
    """

    id: str
    state: State
    found: str
    remedy: str | None = None
    family: Family = Family.HERE

    def as_json(self, group: str, title: str) -> dict[str, Any]:
        """Return the line as `--json` prints it.

        Args:
            group: Of the check.
            title: Of the check.
        """
        return {
            "id": self.id,
            "group": group,
            "title": title,
            "state": self.state.value,
            "found": self.found,
            "remedy": self.remedy,
        }


def family_of(error: EkmError) -> Family:
    """Return whose failure an error is."""
    by_code = {code: family for family, code in _EXIT_CODES.items()}
    return by_code.get(error.exit_code, Family.HERE)


def failed(id: str, error: EkmError) -> Line:
    """Return the failure that an error is."""
    return Line(id, State.FAILURE, sentence(error.message), error.remedy, family_of(error))


def remedy_of(error: EkmError, permission: str) -> str | None:
    """Return what helps against a read that failed: the permission, where AWS refused it.

    Args:
        error: Of the read.
        permission: A sentence that names what to allow.
    """
    return permission if isinstance(error, AwsRefused) else error.remedy


def unseen(id: str, why: str, remedy: str | None = None) -> Line:
    """Return the line of a check that could not be made."""
    return Line(id, State.NOT_SEEN, sentence(why), remedy)


def exit_code(lines: Iterable[Line]) -> int:
    """Return 0 when nothing fails; 3, 4 or 5 when all failures are of that family; else 1."""
    families = {each.family for each in lines if each.state is State.FAILURE}
    if not families:
        return 0
    return _EXIT_CODES.get(families.pop(), _MIXED) if len(families) == 1 else _MIXED
