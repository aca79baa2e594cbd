"""Calls to AWS and OpenAI of the verbs for a key in use, against the fewest that the answer needs.

    python bench/operate_calls.py

The calls are those of tests/golden, where each story runs the verb and holds it to its calls. The
least is listed here: each call that it names gives a part of the answer that no other call gives.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

STORIES = Path(__file__).resolve().parent.parent / "tests" / "golden" / "expected"
ROLE = ("IAM GetRole", "IAM ListRolePolicies", "IAM GetRolePolicy", "IAM ListAttachedRolePolicies")
KEY = (
    *("KMS DescribeKey", "KMS GetKeyPolicy", "KMS ListResourceTags"),
    *("KMS ListAliases", "KMS ListGrants"),
)
VALIDATE = "POST /organization/external_keys/<extkey 1>/validate"


@dataclass(frozen=True)
class Least:
    """The fewest calls of a verb, and where its calls are kept.

    Attributes:
        verb: The verb, and what it is asked.
        story: The file of the story.
        words: With which its step begins; the first such step counts.
        aws: The calls to AWS.
        openai: The calls to OpenAI.
    """

    verb: str
    story: str
    words: tuple[str, ...]
    aws: tuple[str, ...] = ()
    openai: tuple[str, ...] = ()


LISTED = (
    Least(
        "ekm evidence write, role with one policy, record in SSM",
        "writing_evidence",
        ("evidence", "write", "pack"),
        (
            *ROLE,
            *KEY,
            "Organizations DescribeOrganization",
            *("KMS GetKeyRotationStatus", "KMS ListKeyRotations"),
            *("STS GetCallerIdentity", "SSM GetParametersByPath"),
        ),
        (VALIDATE, "GET /organization/audit_logs"),
    ),
    Least("ekm evidence verify", "writing_evidence", ("evidence", "verify", "pack")),
    Least(
        "ekm drift, role with one policy, key that the module makes",
        "looking_for_drift",
        ("drift", "--from-terraform"),
        (
            *("STS GetCallerIdentity", "SSM GetParametersByPath"),
            *ROLE,
            *KEY,
            "KMS GetKeyRotationStatus",
        ),
        ("GET /organization/external_keys", "GET /organization/projects"),
    ),
    Least("ekm usage, logs in a folder", "asking_who_uses_the_key", ("usage", "trail")),
    Least(
        "ekm monitor test, two topics",
        "testing_the_monitoring",
        ("monitor", "test", "--wait"),
        (
            "STS GetCallerIdentity",
            *ROLE,
            *("KMS DescribeKey", "KMS GetKeyPolicy"),
            *("SQS CreateQueue", "SNS Subscribe", "SNS Subscribe"),
            *("KMS TagResource", "KMS UntagResource", "SQS ReceiveMessage"),
            *("SNS Unsubscribe", "SNS Unsubscribe", "SQS DeleteQueue"),
        ),
    ),
)


def row(least: Least) -> str:
    """Return a line of the table, with the calls that are more than the least."""
    steps = json.loads((STORIES / f"{least.story}.json").read_text(encoding="utf-8"))
    step = next(each for each in steps if tuple(each["command"][: len(least.words)]) == least.words)
    cells, more = [], Counter[str]()
    for party, listed in (("aws", least.aws), ("openai", least.openai)):
        cells.append(f"{len(step[party]):6} {len(listed):6}")
        more += Counter(step[party]) - Counter(listed)
    beyond = f"  more: {', '.join(sorted(more.elements()))}" if more else ""
    return f"{least.verb:58} {cells[0]}  {cells[1]}{beyond}"


def main() -> None:
    """Print the table."""
    print(f"{'calls':58} {'AWS':>6} {'least':>6}  {'OpenAI':>6} {'least':>6}")
    for least in LISTED:
        print(row(least))


if __name__ == "__main__":
    main()
