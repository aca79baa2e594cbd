"""Say what OpenAI's validation would answer to a snapshot, in AWS's own words."""

from __future__ import annotations

from openai_ekm.diagnosis.diagnose import diagnose
from openai_ekm.diagnosis.judge import judge, judge_assume_role, judge_use
from openai_ekm.diagnosis.result import AwsError, Change, Diagnosis, Fault, Outcome, Warned

__all__ = [
    "AwsError",
    "Change",
    "Diagnosis",
    "Fault",
    "Outcome",
    "Warned",
    "diagnose",
    "judge",
    "judge_assume_role",
    "judge_use",
]
