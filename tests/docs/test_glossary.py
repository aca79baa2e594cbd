"""docs/glossary.md: one word for one thing, and no name in the package that it replaces."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "glossary.md"
PACKAGE = ROOT / "scripts" / "openai_ekm"
ROW = re.compile(
    r"^\| (?P<word>[^|]+) \| (?P<meaning>[^|]+) \| `(?P<file>[^`|]+)` \| (?P<replaces>[^|]*)\|$",
    re.MULTILINE,
)
ROWS = list(ROW.finditer(PAGE.read_text(encoding="utf-8")))
REPLACED = {word for row in ROWS for word in re.findall(r"`([a-z]+)`", row["replaces"])}


def words(name: str) -> set[str]:
    """Words of a name in snake_case or CamelCase."""
    return {part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def names(file: Path) -> list[str]:
    """The module's name and its folder's, and each class and function of a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    defined = [node.name for node in ast.walk(tree) if isinstance(node, kinds)]
    return [file.stem, file.parent.name, *defined]


def test_every_row_of_the_tables_is_read() -> None:
    """Guards against: a row of another form, which the tests below would not see."""
    lines = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| word |")
    ]
    assert len(ROWS) == len(lines) > 40


def test_each_word_is_defined_once() -> None:
    """Guards against: two meanings of one word."""
    defined = [row["word"] for row in ROWS]
    assert sorted(defined) == sorted(set(defined))


@pytest.mark.parametrize("row", ROWS, ids=[row["word"] for row in ROWS])
def test_the_file_of_a_word_exists(row: re.Match[str]) -> None:
    """Guards against: a word whose file was moved."""
    assert (ROOT / row["file"]).is_file()


def test_the_words_that_were_replaced_are_read() -> None:
    """Guards against: a page that no longer forbids a word, which the next test would pass."""
    forbidden = {"asker", "scene", "desk", "diary", "patience", "doubt", "walk", "wanted"}
    later = {"told", "settled", "placed", "scenes", "misshaped", "sighting", "sightings"}
    assert forbidden | later | {"unwanted", "harness"} <= REPLACED


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("check_in_doubt", {"check", "in", "doubt"}),
        ("_wanted", {"wanted"}),
        ("PolicyLayer", {"policy", "layer"}),
        ("AWSView2", {"aws", "view2"}),
    ],
)
def test_a_name_is_cut_into_words(name: str, parts: set[str]) -> None:
    """Guards against: a check that sees no word inside a longer name."""
    assert words(name) == parts


def test_no_name_has_a_word_that_was_replaced() -> None:
    """Guards against: a metaphor that comes back as the name of a module, class or function."""
    found = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in PACKAGE.rglob("*.py")
        for name in names(file)
        if words(name) & REPLACED
    }
    assert found == set()
