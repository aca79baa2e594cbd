"""README's tables of inputs and outputs: short texts, and each input under one concern."""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import docs  # noqa: E402 - a tool, not a package

LONGEST = 300
FILES = [*sorted(ROOT.glob("*.tf")), *sorted(ROOT.glob("modules/*/*.tf"))]


@functools.cache  # and not when tests are collected, which each worker does
def descriptions() -> dict[str, str]:
    """The text of each input and output."""
    return {
        f"{file.relative_to(ROOT)}: {name}": docs.text_of(body.get("description", ""))
        for file in FILES
        for kind in ("variable", "output")
        for name, body in docs.blocks(file, kind).items()
    }


def test_inputs_and_outputs_are_found() -> None:
    """Guards against: a search that finds no description, and so no long one."""
    assert len([each for each in descriptions() if each.startswith("variables")]) > 25
    assert len([each for each in descriptions() if each.startswith("outputs")]) > 20


def test_no_description_is_longer_than_a_reader_takes_in() -> None:
    """A description has 1 to 300 characters; details are in docs/inputs.md."""
    found = {
        name: len(text) for name, text in descriptions().items() if not 1 <= len(text) <= LONGEST
    }
    assert found == {}


def test_an_input_without_a_concern_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: an input that the tables leave out."""
    monkeypatch.setattr(docs, "INPUTS", {**docs.INPUTS, "Tags": ("tags", "role_tags")})
    with pytest.raises(ValueError, match="key_tags"):
        docs.inputs_table()


def test_the_page_of_details_has_the_same_concerns() -> None:
    """Guards against: a concern of README that docs/inputs.md does not explain."""
    page = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(docs.INPUTS)


def test_the_page_of_details_names_inputs_that_exist() -> None:
    """Guards against: an input that was renamed, under its old name."""
    page = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")
    opening = re.findall(r"^(`[a-z_]+`(?:(?:,| and) `[a-z_]+`)*)", page, re.MULTILINE)
    named = {name for line in opening for name in re.findall(r"`([a-z_]+)`", line)}
    assert len(named) > 10
    assert named <= set(docs.variables())
