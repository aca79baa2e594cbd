"""Every check in the order in which things fail, the line that answers it, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import AwsRefused, NotReachable, OpenAIRefused
from openai_ekm.reports.finding import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.errors import EkmError

__all__ = [
    "CHECKS",
    "Check",
    "Family",
    "Line",
    "State",
    "exit_code",
    "failed",
    "family_of",
    "remedy_of",
    "unseen",
]


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
        id: A name of `openai_ekm.doctor.checks.CHECKS`.
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


_OK, _WARNING, _FAILURE, _NOT_SEEN = State


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        id: Stable name.
        group: The part of the set-up that it belongs to.
        title: What it looks at, in a few words.
        states: The answers that it can have.
    """

    id: str
    group: str
    title: str
    states: tuple[State, ...]


_TABLE: Final = (
    ("python_version", "versions", "Python", (_OK, _WARNING, _FAILURE)),
    ("terraform_version", "versions", "Terraform or OpenTofu", (_OK, _WARNING, _FAILURE)),
    ("module_version", "versions", "package and module", (_OK, _WARNING, _NOT_SEEN)),
    ("named", "versions", "what is named", (_OK, _FAILURE, _NOT_SEEN)),
    ("aws_credentials", "aws", "AWS credentials and their source", (_OK, _FAILURE, _NOT_SEEN)),
    ("aws_expiry", "aws", "expiry of the credentials", (_OK, _WARNING, _FAILURE, _NOT_SEEN)),
    ("aws_role_chaining", "aws", "one-hour limit of role chaining", (_OK, _WARNING, _NOT_SEEN)),
    ("aws_account", "aws", "account and caller", (_OK, _WARNING, _FAILURE, _NOT_SEEN)),
    ("aws_region", "aws", "Region, and whether it is enabled", tuple(State)),
    ("aws_management_account", "aws", "management account", (_OK, _WARNING, _NOT_SEEN)),
    ("clock", "clock", "clock of this machine", (_OK, _WARNING, _FAILURE, _NOT_SEEN)),
    ("network_proxies", "network", "proxies", (_OK, _FAILURE)),
    ("network_authorities", "network", "certificate authorities", (_OK, _WARNING, _FAILURE)),
    ("network_aws", "network", "way to AWS", (_OK, _FAILURE, _NOT_SEEN)),
    ("network_openai", "network", "way to OpenAI", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_admin_key", "openai", "admin key", tuple(State)),
    ("openai_certificate", "openai", "client certificate", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_address", "openai", "IP allowlist", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_organization", "openai", "organization", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_feature", "openai", "Enterprise Key Management enabled", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_read_scopes", "openai", "read scopes", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_write_scopes", "openai", "write scopes", (_NOT_SEEN,)),
    ("permissions_apply", "permissions", "permissions to apply", tuple(State)),
    ("permissions_register", "permissions", "permissions to register", tuple(State)),
    ("permissions_drill", "permissions", "permissions to rehearse", tuple(State)),
    ("organization_scps", "organization", "SCPs", (_OK, _FAILURE, _NOT_SEEN)),
    ("organization_rcps", "organization", "RCPs", (_OK, _FAILURE, _NOT_SEEN)),
    ("trail_key_changes", "trail", "log of changes of the key", (_OK, _WARNING, _NOT_SEEN)),
    ("trail_key_use", "trail", "log of the key's use", (_OK, _WARNING, _NOT_SEEN)),
    ("trail_role_changes", "trail", "log of changes of the role", (_OK, _WARNING, _NOT_SEEN)),
    ("trail_role_use", "trail", "log of the role's use", (_OK, _WARNING, _NOT_SEEN)),
    ("alarms", "trail", "alarm on the key", (_OK, _WARNING, _NOT_SEEN)),
    ("record", "record", "record", (_OK, _WARNING, _FAILURE, _NOT_SEEN)),
    ("record_lease", "record", "lease of the record", (_OK, _WARNING, _NOT_SEEN)),
)

CHECKS: Final = {row[0]: Check(*row) for row in _TABLE}
