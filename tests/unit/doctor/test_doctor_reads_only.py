"""What the golden stories saw the doctor call, held to what only reads."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from tests.support.doctor_reads import READS

STORY = Path(__file__).resolve().parents[2] / "golden" / "expected" / "looking_at_everything.json"
# botocore's ids of services, as the stories note them, and how IAM spells them.
SERVICES = {
    "CloudTrail": "cloudtrail",
    "EventBridge": "events",
    "IAM": "iam",
    "KMS": "kms",
    "Organizations": "organizations",
    "SSM": "ssm",
    "STS": "sts",
}
OPENAI = {"HEAD ", "GET /organization/external_keys", "GET /organization/projects"}


def test_the_doctor_only_reads_and_leaves_nothing() -> None:
    """Guards against: a call that changes something, or an action that the page does not name."""
    steps = [step for step in json.loads(STORY.read_text()) if step["command"][0] == "doctor"]
    assert len(steps) > 5
    aws = {call for step in steps for call in step["aws"]}
    named = {":".join((SERVICES[each.split()[0]], each.split()[1])) for each in aws}
    assert len(named) > 8
    assert named <= READS
    assert {call for step in steps for call in step["openai"]} == OPENAI
    assert [step["files"] for step in steps if step["files"]] == []
    every = json.loads(STORY.read_text())
    for before, step in pairwise(every):
        if step["command"][0] == "doctor":
            assert step["parameters"] == before["parameters"]
