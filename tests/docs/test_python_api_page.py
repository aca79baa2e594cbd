"""docs/python-api.md: its examples run as printed, and it names all that is public."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import openai_ekm
from tests.constants import ACCOUNT
from tests.support.module_policies import snapshot

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "python-api.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"^```python\n(?P<code>.*?)^```\n.*?^```\n(?P<output>.*?)^```\n", re.MULTILINE | re.DOTALL
)
EXAMPLES = [(each["code"], each["output"]) for each in EXAMPLE.finditer(TEXT)]
# The page says it of the snapshot that `prove` reads.
REPORTS = {
    "Sid": "Reports",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reports"},
    "Action": "kms:Decrypt",
    "Resource": "*",
}


def test_there_is_an_example_of_each_function() -> None:
    """Guards against: an example that this module does not find, and so does not run."""
    asked = [re.findall(r"\b(decide|prove|diagnose)\(", code) for code, _ in EXAMPLES]
    assert asked == [["decide"], ["prove"], ["diagnose"]]
    assert TEXT.count("```python") == len(EXAMPLES)


@pytest.mark.parametrize(("code", "output"), EXAMPLES, ids=["decide", "prove", "diagnose"])
def test_an_example_prints_what_the_page_says(code: str, output: str, tmp_path: Path) -> None:
    """Guards against: an example that does not run as printed, or answers something else."""
    body = snapshot()
    body["keys"][0]["policy"]["Statement"].append(REPORTS)
    (tmp_path / "snapshot.json").write_text(json.dumps(body), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == output


def test_the_page_names_all_that_is_public() -> None:
    """Guards against: a public name that the table leaves out."""
    table = TEXT.partition("## Every name")[2].partition("\n## ")[0]
    assert set(openai_ekm.__all__) <= set(re.findall(r"`([A-Za-z_]+)", table))
