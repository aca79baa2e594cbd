"""What OpenAI's validation would say to a snapshot, in AWS's own words."""

from __future__ import annotations

from ekm.diagnosis.constants import OPENAI_ACCOUNT, OPENAI_ROLE_ARN, OPENAI_SESSION_ARN
from ekm.diagnosis.judge import judge, judge_assume_role, judge_use
from ekm.diagnosis.value import AwsError, DecidingStatement, Diagnosis, Outcome

__all__ = [
    "OPENAI_ACCOUNT",
    "OPENAI_ROLE_ARN",
    "OPENAI_SESSION_ARN",
    "AwsError",
    "DecidingStatement",
    "Diagnosis",
    "Outcome",
    "judge",
    "judge_assume_role",
    "judge_use",
]
