"""CloudTrail's records of calls in an emulated AWS, and the files and the bus they go to."""

from openai_ekm.emulator.trail.delivery import Trail
from openai_ekm.emulator.trail.records import (
    Assumption,
    KeyChange,
    KeyUse,
    Origin,
    RoleSession,
    new_id,
)

__all__ = ["Assumption", "KeyChange", "KeyUse", "Origin", "RoleSession", "Trail", "new_id"]
