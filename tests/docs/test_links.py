"""Documents point only at what exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.headings import anchors

ROOT = Path(__file__).resolve().parents[2]
ANCHOR = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def documents() -> list[str]:
    """Every Markdown file that is committed."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return listed.stdout.split()


@pytest.mark.parametrize("document", documents())
def test_relative_links_lead_somewhere(document: str) -> None:
    """Guards against: a link to a file that was moved or never written."""
    text = (ROOT / document).read_text(encoding="utf-8")
    dead = [
        target
        for target, _ in LINK.findall(text)
        if not (ROOT / document).parent.joinpath(target).exists()
    ]
    assert dead == []


@pytest.mark.parametrize("document", documents())
def test_links_to_headings_lead_to_one(document: str) -> None:
    """Guards against: a link to a heading that was renamed."""
    page = ROOT / document
    dead = [
        f"{target}#{anchor}"
        for target, anchor in ANCHOR.findall(page.read_text(encoding="utf-8"))
        if anchor not in anchors(page.parent / target if target else page)
    ]
    assert dead == []
