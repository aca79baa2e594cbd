"""The page of scanners against the suppressions in the files; `make scan` runs the scanners."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import scanners_page  # noqa: E402 - a tool, not a package
from scanners_page import AT_THE_LINE, Finding, Suppression  # noqa: E402 - a tool, not a package

ROWS = scanners_page.rows()


@pytest.fixture(scope="module")
def suppressions() -> list[Suppression]:
    """Every suppression in a file that git knows, or that is new."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    files = [name for name in listed if name and (ROOT / name).is_file()]
    return list(scanners_page.suppressions(ROOT, files))


def test_each_suppression_names_its_rule_and_its_reason(suppressions: list[Suppression]) -> None:
    """Guards against: a comment that hides every rule, or that nobody can judge later."""
    assert suppressions
    bare = [
        f"{one.place}:{one.line}" for one in suppressions if not one.rules or len(one.reason) < 5
    ]
    assert bare == []


def test_each_suppression_is_in_the_page(suppressions: list[Suppression]) -> None:
    """Guards against: a finding that is hidden in a file and explained nowhere."""
    missing = [
        f"{one.place}:{one.line}: {one.scanner} {rule}"
        for one in suppressions
        for rule in one.rules
        if not any(
            row.covers(Finding(one.scanner, rule, one.place)) and row.suppressed == AT_THE_LINE
            for row in ROWS
        )
    ]
    assert missing == []


def test_each_row_of_a_file_has_its_suppression(suppressions: list[Suppression]) -> None:
    """Guards against: a row that stays after its comment is gone."""
    found = [Finding(one.scanner, rule, one.place) for one in suppressions for rule in one.rules]
    stale = [
        f"{row.scanner} {row.rule} in {place}"
        for row in ROWS
        if row.suppressed == AT_THE_LINE
        for place in row.unreported(found)
    ]
    assert stale == []


def test_only_what_takes_no_comment_is_not_suppressed_at_its_line() -> None:
    """Guards against: a finding in a file that a customer sees, since a row allows it."""
    shown = {place for row in ROWS if row.suppressed != AT_THE_LINE for place in row.places}
    assert shown <= {"plan", "key policy", "trust policy", "identity policy"}
    assert {row.verdict for row in ROWS} <= {"true", "false"}
    assert all(row.why for row in ROWS)


def test_the_page_has_the_versions_that_are_installed() -> None:
    """Guards against: an upgrade of a scanner whose new findings nobody looked at."""
    pinned = "".join(
        (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for name in ("scan-checkov", "scan")
    )
    names = {scanner: requirement for scanner, (_, requirement) in scanners_page.versions().items()}
    assert names.keys() == {
        "checkov",
        "trivy",
        "parliament",
        "cloudsplaining",
        "bandit",
        "shellcheck",
        "zizmor",
    }
    assert [one for one in names.values() if f"\n{one} " not in f"\n{pinned}"] == []
    assert {row.scanner for row in ROWS} <= names.keys()


def test_only_the_tests_are_left_out_as_a_whole() -> None:
    """Guards against: a rule or a folder that is switched off for a scanner by its settings."""
    settings = (ROOT / ".bandit").read_text(encoding="utf-8")
    lines = [line for line in settings.splitlines() if line and not line.startswith("#")]
    assert lines == ["[bandit]", "exclude = ./tests"]
    others = (".checkov.yml", ".checkov.yaml", ".trivyignore", ".trivyignore.yaml", "trivy.yaml",
              ".shellcheckrc", "zizmor.yml", ".github/zizmor.yml")  # fmt: skip
    assert [name for name in others if (ROOT / name).exists()] == []
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert not re.search(r"^\[tool\.bandit", pyproject, re.MULTILINE)


def test_a_suppression_is_spoilt_for_the_scan_of_everything(tmp_path: Path) -> None:
    """Guards against: a suppression that `make scan` takes for the absence of a finding."""
    for name in ("main.tf", "ci.yml", "code.py", "script.sh"):
        path = tmp_path / name
        path.write_text(
            "a # no"
            "sec B101 # why\n# checkov:skip=CKV_AWS_7: why\n# trivy:ignore:AVD-AWS-0065 why\n"
            "b # zizmor: ignore[artipacked] why\n# shellcheck disable=SC2086 # why\n",
            encoding="utf-8",
        )
        before = list(scanners_page.suppressions(tmp_path, [name]))
        assert before
        assert all(one.rules and one.reason == "why" for one in before)
        scanners_page.without_suppressions(path)
        assert list(scanners_page.suppressions(tmp_path, [name])) == []
        assert len(path.read_text(encoding="utf-8").splitlines()) == 5
