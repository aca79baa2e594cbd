"""README's first screen: what it is, who needs it, a picture of the parts, and how to start."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
SCREEN = 40  # lines


def test_the_first_screen_says_what_it_is_and_who_needs_it() -> None:
    """Guards against: a first screen that begins with details."""
    screen = "\n".join(TEXT.splitlines()[:SCREEN])
    assert screen.startswith("# ")
    for opening in ("This is a Terraform module", "You need it if", "make demo"):
        assert opening in screen


def test_the_picture_names_the_parts() -> None:
    """The picture has OpenAI's role, your role, your key, the registrar and the record."""
    picture = TEXT.split("```")[1]
    for part in ("OpenAI's role", "your role", "your key", "registrar", "record"):
        assert part in picture


def test_the_frame_of_the_picture_is_straight() -> None:
    """Guards against: a line of the picture that is longer than its frame."""
    rows = [line for line in TEXT.split("```")[1].splitlines() if line.startswith(("┌", "│", "└"))]
    assert len(rows) > 4
    assert {len(row) for row in rows} == {len(rows[0])}


def test_python_for_the_rehearsal_is_named_once() -> None:
    """Guards against: a reader who takes Python 3.13 for a requirement of the module."""
    shown = re.sub(r"<!--.*?-->", "", TEXT, flags=re.DOTALL)  # the index's text is in a comment
    assert len(re.findall(r"\b3\.13\b", shown)) == 1
    [line] = [line for line in shown.splitlines() if "3.13" in line]
    assert "The rehearsal needs" in line
    assert "3.11" in line
