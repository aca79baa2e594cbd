"""docs/operate/drift.md and docs/permissions.md say what `ekm drift` does."""

from __future__ import annotations

import re
from pathlib import Path

from openai_ekm.drift.checks import CHECKS
from tests.docs.test_doctor_page import policy

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operate" / "drift.md").read_text(encoding="utf-8")
ROW = re.compile(r'^\| <a id="(\w+)"></a>`(\w+)` \| (AWS|OpenAI) \|', re.MULTILINE)
CALLS = re.compile(r"^\| (`\w+:\w+`[^|]*)\|", re.MULTILINE)


def test_the_page_has_each_check_in_order() -> None:
    """Guards against: a check that no page explains."""
    rows = [(anchor, name, side.lower()) for anchor, name, side in ROW.findall(PAGE)]
    assert rows == [(name, name, check.side) for name, check in CHECKS.items()]


def test_the_policy_of_the_page_is_every_call_and_only_reads() -> None:
    """Guards against: a policy with which a check is undecided, or that lets something change."""
    (statement,) = policy("Who looks for drift")
    called = {each for row in CALLS.findall(PAGE) for each in re.findall(r"`(\w+:\w+)`", row)}
    assert set(statement["Action"]) | {"sts:GetCallerIdentity"} == called
    assert statement["Action"] == sorted(statement["Action"])
    assert all(re.match(r"\w+:(Get|List|Describe)", each) for each in statement["Action"])
