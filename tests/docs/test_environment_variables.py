"""docs/environment.md names every environment variable of this product, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from openai_ekm.environment_variables import SECTIONS, VARIABLES

ROOT = Path(__file__).resolve().parents[2]
OURS = re.compile(r"\bEKM_[A-Z]+(?:_[A-Z]+)*\b")
# Where a variable is read, set or told; CHANGELOG.md may name one that is gone.
FOLDERS = ("scripts", "modules", "tools", "bench", "docs", "examples", ".ci", "tests")
# Names of tests' own, which stand for a variable that is not there.
IN_TESTS = {"EKM_FROM_TERRAFORM"}


def named() -> dict[str, str]:
    """Every variable that a file names, with one such file."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    files += [*ROOT.glob("*.tf"), ROOT / "Makefile", ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    found: dict[str, str] = {}
    for path in files:
        relative = path.relative_to(ROOT)
        if not path.is_file() or {"__pycache__", ".terraform"} & set(relative.parts):
            continue
        if relative.as_posix() in {
            "docs/environment.md",
            "scripts/openai_ekm/environment_variables.py",
        }:
            continue
        for name in OURS.findall(path.read_text(encoding="utf-8", errors="replace")):
            found.setdefault(name, relative.as_posix())
    return found


def test_every_variable_is_in_the_table() -> None:
    """Guards against: a variable that the page leaves out, and a row for one that is gone."""
    # The options of arguments are made from their names: EKM_ROLE_ARN and its like.
    told = {each.name for each in VARIABLES if each.name.startswith("EKM_")}
    files = named()
    unknown = {name: file for name, file in files.items() if name not in told | IN_TESTS}
    assert unknown == {}
    assert sorted(told - files.keys()) == []


def test_every_section_has_a_row() -> None:
    """Guards against: a title without rows."""
    assert {each.section for each in VARIABLES} == SECTIONS.keys()
