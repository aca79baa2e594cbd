"""The tags of role and key, as condition keys.

They count for requests that must be possible. A request that must be impossible must be so under
any tags, because a principal who may tag changes them without a change of a policy.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_ekm.policy.letters import lower_ascii
from openai_ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from openai_ekm.snapshot import Key, Role

__all__ = ["PRINCIPAL_TAG", "RESOURCE_TAG", "tags_of"]

PRINCIPAL_TAG: Final = "aws:principaltag"
RESOURCE_TAG: Final = "aws:resourcetag"


def tags_of(holder: Role | Key, prefix: str) -> dict[str, str]:
    """Return the tags of a role or key; none when they were not collected.

    Args:
        holder: The role or key.
        prefix: `PRINCIPAL_TAG` of a role's sessions, `RESOURCE_TAG` of what is asked about.

    Returns:
        Tags by condition key in lower case.
    """
    if holder.tags is UNSEEN:
        return {}
    return {lower_ascii(f"{prefix}/{name}"): value for name, value in holder.tags.items()}
