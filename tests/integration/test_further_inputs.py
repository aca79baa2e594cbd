"""Inputs and outputs that are tried on what Terraform plans and prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.plugin import WorkspaceFactory
    from openai_ekm.rehearsal.terraform import Plan, Workspace

pytestmark = pytest.mark.terraform


@pytest.fixture
def root(
    ekm_workspace: WorkspaceFactory, repository: Path, tmp_path: Path, request: Any
) -> Workspace:
    """A root whose call of the module has the arguments of the test's `call`."""
    folder = tmp_path / "root"
    folder.mkdir()
    source = json.dumps(os.path.relpath(repository, folder))
    text = f'module "ekm" {{\n  source = {source}\n{request.param}}}\n'
    output = 'output "ekm" {\n  value = module.ekm.summary\n}\n'
    (folder / "main.tf").write_text(text + output, encoding="utf-8")
    return ekm_workspace(folder)


call = pytest.mark.parametrize


def ekm(workspace: Workspace, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run `ekm` in the workspace's environment."""
    return subprocess.run(
        [sys.executable, "-c", "from openai_ekm.cli.main import main; main()", *words],
        env=workspace.environment,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def proof(plan: Plan) -> tuple[int, dict[str, Any]]:
    """What the README's gate says of a plan, and its exit code."""
    words = ("prove", "--from-plan", "-", "--assume-none", "scps,rcps,grants", "--json")
    done = ekm(plan.workspace, *words, text=json.dumps(plan.json))
    return done.returncode, json.loads(done.stdout)


STATEMENT = """
  external_ids = ["org-abc123"]
  tags         = {{ team = "a", cost = "1" }}
  key_tags     = {{ cost = "2" }}
  role_tags    = {{ boundary = "b" }}
  aliases      = ["team/openai"]
  extra_key_policy_statements = [{{
    sid        = "Extra"
    effect     = "{effect}"
    principals = {{ AWS = ["{principal}"] }}
    actions    = ["{action}"]
    conditions = {{}}
  }}]
"""
AUDIT = STATEMENT.format(
    effect="Allow", principal="arn:aws:iam::444455556666:role/audit", action="kms:DescribeKey"
)
CUT = STATEMENT.format(effect="Deny", principal="*", action="kms:Decrypt")


@call("root", [AUDIT], indirect=True, ids=["audit"])
def test_an_extra_statement_is_proven_with_the_rest(root: Workspace) -> None:
    """The proof of a plan passes over what a caller adds; tags and aliases go to the wrong one."""
    plan = root.plan()
    code, said = proof(plan)
    assert code == 0, said
    planned = {
        change["address"].removeprefix("module.ekm.module."): change["change"]["after"]
        for change in plan.json["resource_changes"]
    }
    assert planned["key[0].aws_kms_key.this"]["tags"] == {"team": "a", "cost": "2"}
    assert planned["role.aws_iam_role.this"]["tags"] == {"team": "a", "cost": "1", "boundary": "b"}
    further = planned['key[0].aws_kms_alias.further["team/openai"]']
    assert further["name"] == "alias/team/openai"


@call("root", [CUT], indirect=True, ids=["cut"])
def test_an_extra_statement_that_cuts_openai_off_fails_the_proof(root: Workspace) -> None:
    """A denial that a caller adds refuses OpenAI, and the plan's proof holds all the same."""
    code, said = proof(root.plan())
    assert code == 1, said


SENSITIVE = """
  external_ids = [sensitive("org-abc123")]
  projects     = ["kept"]
  registration = { wait_seconds = 5 }
"""


@call("root", [SENSITIVE], indirect=True, ids=["sensitive"])
def test_a_sensitive_external_id_hides_nothing(
    root: Workspace, ekm_openai: EmulatorProcess
) -> None:
    """An id from a data source that is sensitive hides the progress, and every check warns."""
    plan = root.plan()
    assert "sensitive" not in plan.run.said.replace("values = (sensitive value)", "")
    applied = root.apply(plan)
    assert "suppressed" not in applied.said
    assert "Registering the key with OpenAI" in applied.said
    told = root.outputs()["ekm"]
    assert told["external_id"] == "org-abc123"

    # The summary alone is what the commands need.
    assert "Statement" not in applied.said.partition("Outputs:")[2]
    asked = ekm(root, "validate", "--from-terraform", str(root.path), "--json")
    assert asked.returncode == 0, asked.stderr
    assert ekm_openai.api("GET", f"/organization/external_keys/{told['external_key_id']}")
