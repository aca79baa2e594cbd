"""A question is about one key, one role, and a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from openai_ekm.arns import account_of, region_of
from openai_ekm.registration.record import timestamp

__all__ = ["EARLIEST", "FIRST_YEAR", "LAST_YEAR", "LONGEST_SESSION", "Target", "time_text"]

# Years between which a day more or less is a day, too, and no time is before EARLIEST.
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9998
EARLIEST: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
# Seconds: OpenAI assumes the role from a role, and AWS ends such a session after an hour.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
LONGEST_SESSION: Final = 3600


@dataclass(frozen=True, slots=True)
class Target:
    """One key and one role.

    Args:
        kms_arn: What is registered: the ARN of a key or of an alias.
        role_arn: The role that OpenAI assumes.
        since: Records before it are left out; None for no limit.
        until: Records from it on are left out; None for no limit.
        regions: Log files of other Regions are left out; empty for no limit.
    """

    kms_arn: str
    role_arn: str
    since: datetime | None = None
    until: datetime | None = None
    regions: frozenset[str] = frozenset()

    @property
    def earliest(self) -> datetime | None:
        """Return the time, in UTC, of the earliest AssumeRole whose session may still go on."""
        if self.since is None:
            return None
        return (self.since - timedelta(seconds=LONGEST_SESSION)).astimezone(UTC)

    @property
    def key_account(self) -> str:
        """Return the account of the key."""
        return account_of(self.kms_arn)

    @property
    def key_region(self) -> str:
        """Return the Region of the key."""
        return region_of(self.kms_arn)

    @property
    def role_account(self) -> str:
        """Return the account of the role."""
        return account_of(self.role_arn)

    @property
    def role_name(self) -> str:
        """Return the role's name, without its path."""
        return self.role_arn.rpartition("/")[2]

    def texts(self) -> tuple[tuple[str, str], ...]:
        """Return the texts by which records name the key, each with its kind.

        The pattern of replicas is for LIKE: a multi-Region key has the same id everywhere.
        """
        resource = self.kms_arn.split(":", 5)[5]
        rest = resource.partition("/")[2]
        found = [("none", "")]
        if resource.startswith("alias/"):
            return (*found, ("alias", self.kms_arn), ("alias_name", resource))
        found += [("key", self.kms_arn), ("key_id", rest)]
        if rest.startswith("mrk-"):
            found.append(("replica", f"arn:aws:kms:%:{self.key_account}:key/{rest}"))
        return tuple(found)


def time_text(when: datetime) -> str:
    """Return a time as CloudTrail writes it."""
    return timestamp(when)
