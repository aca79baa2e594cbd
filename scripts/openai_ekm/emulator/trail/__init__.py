"""Records of CloudTrail for the emulator's calls in AWS, and the files and the bus they go to."""

from openai_ekm.emulator.trail.records import Assumption, KeyUse, Origin, RoleSession, new_id
from openai_ekm.emulator.trail.trail import Trail

__all__ = ["Assumption", "KeyUse", "Origin", "RoleSession", "Trail", "new_id"]
