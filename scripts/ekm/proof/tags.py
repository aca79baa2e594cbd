"""The tags of role and key, as condition keys.

They speak where something must be possible. What must be impossible must be so whatever the tags:
who may tag changes them without a change of any policy.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from ekm.snapshot import Key, Role

__all__ = ["PRINCIPAL_TAG", "RESOURCE_TAG", "tags_of"]

PRINCIPAL_TAG: Final = "aws:principaltag"
RESOURCE_TAG: Final = "aws:resourcetag"


def tags_of(holder: Role | Key, prefix: str) -> dict[str, str]:
    """The tags of a role or key; none when they were not collected.

    Args:
        holder: The role or key.
        prefix: `PRINCIPAL_TAG` of a role's sessions, `RESOURCE_TAG` of what is asked about.

    Returns:
        Tags by condition key in lower case.
    """
    if holder.tags is UNSEEN:
        return {}
    return {f"{prefix}/{name}".lower(): value for name, value in holder.tags.items()}
