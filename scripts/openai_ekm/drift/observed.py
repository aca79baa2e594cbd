"""The set-up that AWS has: a snapshot, and what no snapshot holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openai_ekm.snapshot import UNSEEN, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.snapshot.members import UnseenType

__all__ = ["Observed"]


@dataclass(frozen=True, slots=True)
class Observed:
    """The set-up that AWS has; a member that could not be read is unseen.

    Args:
        snapshot: Role, key, policies, aliases, grants and tags.
        role_unique_id: The role's id, `AROA…`.
        role_created: When the role was made, ISO 8601 UTC.
        deletion_date: When the key will be deleted, ISO 8601 UTC; None when it is not to be.
        rotation: Whether the key is rotated.
        rotation_days: Days between two rotations; None where there is no rotation.
        alias_targets: Of each alias that was asked for by its name, the ARN of the key that it
            leads to, or None when there is no such alias.
        reasons: Why a member is unseen, by its name.
    """

    snapshot: Snapshot
    role_unique_id: str | UnseenType = UNSEEN
    role_created: str | UnseenType = UNSEEN
    deletion_date: str | None = None
    rotation: bool | UnseenType = UNSEEN
    rotation_days: int | UnseenType | None = UNSEEN
    alias_targets: Mapping[str, str | None] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    def reason(self, *paths: str) -> str:
        """Return why something was not seen.

        Args:
            paths: Snapshot paths or names of members, the nearest first.
        """
        known = {**self.snapshot.reasons, **self.reasons}
        return next((known[each] for each in paths if each in known), "it was not collected")
