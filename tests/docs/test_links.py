"""Documents point only at what exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def documents() -> list[str]:
    """Every Markdown file that is committed."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return listed.stdout.split()


@pytest.mark.parametrize("document", documents())
def test_relative_links_lead_somewhere(document: str) -> None:
    """A reader who follows a link to a file that was moved or never written."""
    text = (ROOT / document).read_text(encoding="utf-8")
    dead = [
        target
        for target, _ in LINK.findall(text)
        if not (ROOT / document).parent.joinpath(target).exists()
    ]
    assert dead == []
