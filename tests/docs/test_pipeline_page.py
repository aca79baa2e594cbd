"""docs/pipeline.md: what it shows fits the files that it speaks of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from openai_ekm.cli.options import FORMATS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "pipeline.md").read_text(encoding="utf-8")
BLOCKS = [
    yaml.safe_load(block)
    for block in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
]


def read(name: str) -> Any:
    """A YAML file; of a GitLab component the document of its inputs."""
    return next(yaml.safe_load_all((ROOT / name).read_text(encoding="utf-8")))


def inputs_of(name: str) -> dict[str, Any]:
    """The inputs of a workflow, an action or a component."""
    found = read(name)
    if "spec" in found:
        return dict(found["spec"]["inputs"])
    # YAML 1.1 reads the key `on` as true.
    return dict(found[True]["workflow_call"]["inputs"] if True in found else found["inputs"])


@pytest.mark.parametrize(
    ("name", "given"),
    [
        (".github/workflows/gate.yml", BLOCKS[0]["jobs"]["gate"]["with"]),
        ("action.yml", BLOCKS[1]["steps"][1]["with"]),
        ("templates/gate.yml", BLOCKS[2]["include"][0]["inputs"]),
    ],
)
def test_the_shown_inputs_are_those_of_the_file(name: str, given: dict[str, Any]) -> None:
    """Guards against: a copied job that names an input that does not exist, or leaves one out."""
    known = inputs_of(name)
    required = {
        key
        for key, each in known.items()
        if each.get("required", name.startswith("templates")) and "default" not in each
    }
    assert required <= given.keys() <= known.keys()


def test_the_caller_gives_what_the_jobs_need() -> None:
    """GitHub refuses a called job that has a permission which its caller lacks."""
    needed: dict[str, str] = {}
    for job in read(".github/workflows/gate.yml")["jobs"].values():
        needed |= job["permissions"]
    assert BLOCKS[0]["jobs"]["gate"]["permissions"] == needed
    assert BLOCKS[0]["permissions"] == {}


def test_no_job_with_credentials_can_write_to_the_repository() -> None:
    """Guards against: code of a pull request that comments, or passes its own gate."""
    jobs = read(".github/workflows/gate.yml")["jobs"]
    assert jobs["judge"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert "id-token" not in jobs["report"]["permissions"]
    for job in jobs.values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_every_format_has_a_row() -> None:
    """Guards against: a format that the page leaves out."""
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == list(FORMATS)
