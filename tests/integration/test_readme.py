"""What the README shows works when it is pasted."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from ekm.harness.terraform import Workspace

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.terraform

BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCE = re.compile(r'source\s*=\s*"github\.com/[^"]*"')


def blocks(repository: Path, language: str) -> list[str]:
    """The README's blocks of a language."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    return [found["text"] for found in BLOCK.finditer(text) if found["language"] == language]


def test_the_start_of_the_readme_is_valid_against_the_module(
    repository: Path, tmp_path: Path
) -> None:
    """The first thing that a reader pastes names an argument that the module does not have."""
    shown = blocks(repository, "hcl")
    assert shown
    for number, block in enumerate(shown):
        root = tmp_path / f"root{number}"
        root.mkdir()
        source = os.path.relpath(repository, root)
        text, replaced = SOURCE.subn(f'source = "{source}"', block)
        assert replaced == 1
        (root / "main.tf").write_text(text, encoding="utf-8")
        workspace = Workspace(root, tmp_path / f"copy{number}")
        workspace.init()
        assert workspace.run("validate", "-no-color").ok


def test_the_python_of_the_readme_compiles(repository: Path) -> None:
    """A reader copies a test that is not Python."""
    shown = blocks(repository, "python")
    assert shown
    for block in shown:
        compile(block, "README.md", "exec")
