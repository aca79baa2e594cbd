"""docs/errors.md and the code name the same errors with the same exit codes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import openai_ekm
from openai_ekm import errors

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(openai_ekm.__file__).parent
FAMILIES = {name: getattr(errors, name) for name in errors.__all__}
ROW = re.compile(
    r'^\| <a id="(?P<anchor>[a-z0-9_]+)"></a>`(?P<id>[a-z0-9_]+)` \| (?P<codes>[0-9, ]+) \|',
    re.MULTILINE,
)


def raised() -> dict[str, set[int]]:
    """Every error id in the package, with the exit codes of the families that use it."""
    found: dict[str, set[int]] = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else None
            if name not in FAMILIES or file.name == "errors.py":
                continue
            assert node.args, f"{file}:{node.lineno}: an error needs its id as first argument"
            first = node.args[0]
            assert isinstance(first, ast.Constant), f"{file}:{node.lineno}: an id is a literal"
            found.setdefault(str(first.value), set()).add(FAMILIES[name].exit_code)
    return found


def documented() -> dict[str, set[int]]:
    """Every row of docs/errors.md: id and exit codes."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    return {
        row["id"]: {int(code) for code in row["codes"].split(",")} for row in ROW.finditer(text)
    }


def test_every_error_has_the_anchor_that_its_message_names() -> None:
    """Guards against: an error whose `see:` line leads to the top of a long page."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert [row["id"] for row in ROW.finditer(text) if row["id"] != row["anchor"]] == []


def test_every_error_is_documented_with_its_exit_code() -> None:
    """Guards against: an error id that the page leaves out, and a row for one that is gone."""
    in_code = raised()
    in_docs = documented()
    assert sorted(in_docs) == sorted(in_code)
    assert in_docs == in_code
