"""docs/teardown.md claims only what a test tries, and no tool of ours can delete a key."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import openai_ekm

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "teardown.md"
NAMED = re.compile(r"`(?P<test>test_[a-z_]+)(?:\[(?P<case>[a-z-]+)\])?`")
# Calls of boto3 that would take a key, or OpenAI's way to it, away.
CUTTING = {
    "schedule_key_deletion",
    "delete_imported_key_material",
    "disable_key",
    "put_key_policy",
    "delete_alias",
    "update_alias",
    "delete_role",
    "delete_role_policy",
    "put_role_policy",
    "detach_role_policy",
    "update_assume_role_policy",
}


def trials() -> dict[str, str]:
    """Name of every test -> the text of its file."""
    return {
        node.name: text
        for file in (ROOT / "tests").rglob("test_*.py")
        if (text := file.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_trial_that_the_page_names_is_there() -> None:
    """Guards against: a row whose test is gone."""
    known = trials()
    named = list(NAMED.finditer(PAGE.read_text(encoding="utf-8")))
    assert len(named) > 15
    for match in named:
        assert match["test"] in known
        assert match["case"] is None or f'"{match["case"]}"' in known[match["test"]]


def test_every_way_of_the_table_has_a_trial() -> None:
    """Guards against: a row that no test shows."""
    table = PAGE.read_text(encoding="utf-8").split("## Every way, tried")[1].split("## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    assert [row for row in rows if not NAMED.search(row.rsplit("|", 2)[1])] == []


def test_only_the_drill_can_disable_a_key_and_nothing_deletes_one() -> None:
    """Only the drill disables a key or changes its policy; nothing schedules a deletion."""
    package = Path(openai_ekm.__file__).parent
    found = {
        (file.relative_to(package).parts[0], node.attr)
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in CUTTING
    }
    # The demo does both on LocalStack.
    found -= {("rehearsal", "disable_key"), ("rehearsal", "put_key_policy")}
    assert found == {("drill", "disable_key"), ("drill", "put_key_policy")}
