"""docs/operate/doctor.md and docs/permissions.md say what `ekm doctor` does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from openai_ekm.doctor import versions
from openai_ekm.doctor.checks import CHECKS
from openai_ekm.doctor.permissions import NEEDED
from tests.support.doctor_reads import READS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operate" / "doctor.md").read_text(encoding="utf-8")
PERMISSIONS = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
ROW = re.compile(
    r'^\| <a id="(?P<anchor>\w+)"></a>`(?P<id>\w+)` \| (?P<states>[^|]+) \| (?P<text>[^|]+) \|$',
    re.MULTILINE,
)
SECTION = re.compile(r"^## (?P<title>.+?)$(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLES = {"Who applies": "apply", "The registrar": "register", "Who rehearses": "drill"}
# These are of the admin key's reference, which the registrar's section has, and of every identity.
ELSEWHERE = {"secretsmanager:GetSecretValue", "ssm:GetParameter", "sts:GetCallerIdentity"}


def policy(title: str) -> list[dict[str, Any]]:
    """The statements of the first policy in a section of docs/permissions.md."""
    (section,) = [each for each in SECTION.finditer(PERMISSIONS) if each["title"] == title]
    found: list[dict[str, Any]] = json.loads(BLOCK.findall(section["text"])[0])["Statement"]
    return found


def pairs(statements: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Each action with each resource that a statement has."""
    return {
        (action, resource)
        for each in statements
        for action in _list(each["Action"])
        for resource in _list(each["Resource"])
    }


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_the_page_has_each_check_with_its_answers_in_order() -> None:
    """Guards against: a line of the doctor that no page explains, and an answer that it hides."""
    rows = [(row["id"], row["states"]) for row in ROW.finditer(PAGE)]
    assert rows == [
        (each.id, ", ".join(state.value.replace("_", " ") for state in each.states))
        for each in CHECKS.values()
    ]
    assert all(row["id"] == row["anchor"] for row in ROW.finditer(PAGE))


@pytest.mark.parametrize(("title", "task"), TITLES.items())
def test_the_table_of_permissions_is_that_of_the_page(title: str, task: str) -> None:
    """Guards against: a doctor that says yes where the page asks for more, or the reverse."""
    table = {(action, resource) for resource, each in NEEDED[task].items() for action in each}
    assert table == pairs(policy(title))


def test_the_page_has_every_read_of_the_doctor() -> None:
    """Guards against: a policy of the page with which a check is not seen."""
    (statement,) = policy("Who runs the doctor")
    assert set(statement["Action"]) == READS - ELSEWHERE
    assert statement["Action"] == sorted(statement["Action"])


@pytest.mark.parametrize("action", sorted(READS))
def test_every_action_of_the_doctor_only_reads(action: str) -> None:
    """Guards against: a doctor that is given, or takes, the right to change something."""
    assert re.fullmatch(r"[a-z]+:(?:Get|List|Describe)[A-Za-z]+", action)


def test_the_versions_are_those_of_the_page_of_versions() -> None:
    """Guards against: a doctor that warns of a tried version, or passes another."""
    page = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
    terraform = [
        (int(row[1]), int(row[2]))
        for row in re.finditer(r"^\| (1)\.(\d+)\.\d+ \| pass", page, re.MULTILINE)
    ]
    assert min(terraform) == versions._LEAST_TERRAFORM
    assert max(terraform) == versions._LAST_TERRAFORM
    ran = re.findall(r"^\| 3\.(\d+) \| (?!not run)", page, re.MULTILINE)
    assert (3, min(map(int, ran))) == versions._LEAST_PYTHON
    assert (3, max(map(int, ran))) == versions._LAST_PYTHON
