"""What OpenAI's validation would say to a snapshot, in AWS's own words."""

from __future__ import annotations

from ekm.diagnosis.constants import OPENAI_ACCOUNT, OPENAI_ROLE_ARN, OPENAI_SESSION_ARN
from ekm.diagnosis.diagnose import diagnose
from ekm.diagnosis.judge import judge, judge_assume_role, judge_use
from ekm.diagnosis.value import (
    AwsError,
    Change,
    DecidingStatement,
    Diagnosis,
    Fault,
    Outcome,
    Warned,
)

__all__ = [
    "OPENAI_ACCOUNT",
    "OPENAI_ROLE_ARN",
    "OPENAI_SESSION_ARN",
    "AwsError",
    "Change",
    "DecidingStatement",
    "Diagnosis",
    "Fault",
    "Outcome",
    "Warned",
    "diagnose",
    "judge",
    "judge_assume_role",
    "judge_use",
]
