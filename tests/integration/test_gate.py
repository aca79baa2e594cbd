"""The shell of the pipeline files, taken out of the YAML and run on a repository of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from openai_ekm.rehearsal.terraform import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.rehearsal.localstack import LocalStack

pytestmark = pytest.mark.terraform

# What a reviewer sees: a change that is as it should be, and one that gives the key away.
ROOT = """
provider "aws" {
  region = "eu-west-1"
}

module "ekm" {
  source = "%s"

  external_ids    = ["org-abc123"]
  key_policy_mode = "%s"
}
"""


def step(document: Any, name: str) -> str:
    """The shell of a step."""
    (found,) = [each["run"] for each in document if each.get("name") == name]
    return str(found)


def shell(text: str, folder: Path, environment: Mapping[str, str], *, posix: bool = False) -> Any:
    """Run shell as a runner does: GitHub's by bash -eo pipefail, GitLab's in a plain sh."""
    program = ["sh", "-e"] if posix else ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
    return subprocess.run(
        [*program, "-c", text],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("mode", "code"), [("least_privilege", 0), ("root_delegation", 1)])
def test_the_jobs_judge_a_change(
    repository: Path, tmp_path: Path, ekm_localstack: LocalStack, mode: str, code: int
) -> None:
    """A good change passes. A bad policy ends the job with 1, in the table and at the call."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "main.tf").write_text(ROOT % (os.path.relpath(repository, root), mode), "utf-8")
    workspace = Workspace(root, tmp_path / "copy", ekm_localstack.environment())
    folder = workspace.path
    (folder / ".git").mkdir()
    temporary = tmp_path / "runner"
    temporary.mkdir()
    (temporary / "ekm").symlink_to(Path(sys.executable).parents[1])
    variables = {
        **workspace.environment,
        "RUNNER_TEMP": str(temporary),
        "GITHUB_ACTION_PATH": str(repository),
        "GITHUB_STEP_SUMMARY": str(temporary / "summary.md"),
        "PLAN_JSON": str(temporary / "ekm.plan.json"),
        "DIRECTORY": ".",
        "ASSUME_NONE": "scps,rcps,grants",
        "ACCEPT_UNDECIDED": "d=tried once\n",
    }
    workflow = yaml.safe_load((repository / ".github/workflows/gate.yml").read_text("utf-8"))
    action = yaml.safe_load((repository / "action.yml").read_text("utf-8"))
    workspace.init()
    planned = shell(step(workflow["jobs"]["judge"]["steps"], "Plan"), folder, variables)
    assert planned.returncode == 0, planned.stderr
    proven = shell(step(action["runs"]["steps"], "Prove"), folder, variables)
    assert proven.returncode == code, proven.stderr
    table = (temporary / "summary.md").read_text("utf-8")
    assert ("❌ FAILS" in table) is bool(code)
    assert "--accept-undecided" in table  # the note that the acceptance can go
    before, _, after = proven.stdout.rpartition("\n::")[0].partition("::stop-commands::")
    assert before == ""
    token = after.split("\n", 1)[0]
    commands = proven.stdout.partition(f"::{token}::\n")[2]
    assert commands.count("::error file=main.tf,line=6,") == code
    log = json.loads((temporary / "ekm-gate" / "ekm.sarif").read_text("utf-8"))
    assert len(log["runs"][0]["results"]) == code
    _comment(workflow, temporary, table)
    _gitlab(repository, folder, temporary, variables, code)


def _comment(workflow: Any, temporary: Path, table: str) -> None:
    """The comment is made once, and then replaced; `gh` is a recorder here."""
    place = temporary / "report"
    (place / "ekm-gate").mkdir(parents=True)
    (place / "ekm-gate" / "ekm.md").write_text(table, "utf-8")
    recorder = place / "gh"
    recorder.write_text(
        '#!/bin/sh\necho "$@" >> calls\ncase "$*" in *--paginate*) cat known;; esac\n', "utf-8"
    )
    recorder.chmod(0o755)
    given = {
        "PATH": f"{place}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_REPOSITORY": "owner/name",
        "NUMBER": "7",
        "DIRECTORY": ".",
    }
    text = step(workflow["jobs"]["report"]["steps"], "Comment")
    for known, wanted in (
        ("", "--method POST repos/owner/name/issues/7/comments"),
        ("41\n42\n", "--method PATCH repos/owner/name/issues/comments/41"),
    ):
        (place / "known").write_text(known, "utf-8")
        done = shell(text, place, given)
        assert done.returncode == 0, done.stderr
        assert wanted in (place / "calls").read_text("utf-8").splitlines()[-1]
    marker, _, body = (place / "comment.md").read_text("utf-8").partition("\n")
    assert marker.startswith("<!-- ekm gate ")
    assert body == table


def _gitlab(
    repository: Path, folder: Path, temporary: Path, variables: dict[str, str], code: int
) -> None:
    """The component's script ends as the action does, and leaves what GitLab reads."""
    text = (repository / "templates/gate.yml").read_text("utf-8")
    _, jobs = yaml.safe_load_all(text)
    (script,) = jobs["ekm-gate"]["script"]
    (folder / ".ekm-venv").symlink_to(Path(sys.executable).parent.parent)
    (folder / "ekm.plan.json").write_bytes((temporary / "ekm.plan.json").read_bytes())
    given = {
        **variables,
        "GATE_PLAN_JSON": "ekm.plan.json",
        "GATE_DIRECTORY": ".",
        "GATE_ASSUME_NONE": "scps,rcps,grants",
        "GATE_ACCEPT_UNDECIDED": "",
    }
    done = shell(script, folder, given, posix=True)
    assert done.returncode == code, done.stderr
    report = (folder / "ekm.xml").read_text("utf-8")
    assert f'failures="{code}"' in report
