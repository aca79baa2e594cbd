"""docs/proof.md says of what was not seen what the proof does."""

from __future__ import annotations

import re
from pathlib import Path

from openai_ekm.proof.gaps import ABSENT, COULD_BREAK
from openai_ekm.proof.report import RULES, UNDECIDED

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "proof.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<member>[a-z_.]+)` \| (?P<told>.+) \|$", re.MULTILINE)
PART = re.compile(r"\(([a-f])\) ([^;]+?)(?=; \([a-f]\)|$)")


def test_every_row_of_what_was_not_seen_is_as_in_the_code() -> None:
    """The page says of each unseen member what the code says."""
    section = TEXT.partition("## What was not seen")[2].partition("\n## ")[0]
    rows = {each["member"]: dict(PART.findall(each["told"])) for each in ROW.finditer(section)}
    assert rows == COULD_BREAK
    assert all(
        f"`{each}`" in section or f",{each}" in section or each in section for each in ABSENT
    )


def test_the_rules_of_the_sarif_are_listed() -> None:
    """Guards against: a rule id of the SARIF that the page leaves out."""
    for rule in (*(rule.id for rule in RULES.values()), UNDECIDED.id):
        assert f"`{rule}`" in TEXT
