"""docs/external-id.md, as it is written: another external id, with projects in use."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.plugin import WorkspaceFactory
    from openai_ekm.rehearsal.terraform import Workspace

pytestmark = pytest.mark.terraform

OLD = "org-abc123"
REGISTRATION = "module.ekm.module.registration[0].terraform_data"


def ekm(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `ekm` in the workspace, as a person would."""
    return subprocess.run(
        [sys.executable, "-c", "from openai_ekm.cli.main import main; main()", *words],
        cwd=workspace.path,
        env=workspace.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_external_id_leaves_no_gap(
    ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess
) -> None:
    """A change of id takes the projects in use down, or the steps that are promised do not work."""
    project = ekm_openai.api("POST", "/organization/projects", {"name": "home"})["id"]
    caller = ekm_workspace(
        "tests/terraform/caller", name="ids", deletion_protection=True, projects=["kept"]
    )
    settings = {**caller.variables, "registration": {}}
    caller.set_variables(**settings, external_ids=[OLD])
    caller.apply()
    before = caller.outputs()["ekm"]

    def works(external_key: str) -> bool:
        answer = ekm_openai.api("POST", f"/organization/external_keys/{external_key}/validate")
        return bool(answer == {"status": "success"})

    # At once: refused, with the projects in use.
    refused = caller.apply(check=False, external_ids=[project, OLD])
    assert not refused.ok
    assert "has active projects" in refused.said
    assert "undo it" in refused.said
    assert works(before["external_key_id"])
    caller.apply()  # undone: the registration is adopted again

    # 1. The role accepts both; nothing else changes.
    caller.set_variables(**settings, external_ids=[OLD, project])
    plan = caller.plan()
    assert set(plan.actions.values()) == {("update",)}
    assert not [address for address in plan.actions if "registration" in address]
    caller.apply(plan)
    assert works(before["external_key_id"])

    # 2. The new registration beside the old one.
    made = ekm(
        caller,
        *("register", "--from-terraform", ".", "--external-id", project),
        *("--record", "file:next.json", "--json"),
    )
    assert made.returncode == 0, made.stderr
    beside = json.loads(made.stdout)
    assert beside["external_key_id"] != before["external_key_id"]
    [new] = beside["projects"]
    assert new["name"] == "kept"
    assert new["id"] != before["project_ids"]["kept"]
    assert works(before["external_key_id"])
    assert works(beside["external_key_id"])

    # 3. The hand-over: the old projects are archived by the word, the new registration adopted.
    caller.set_variables(**settings, external_ids=[project, OLD])
    caller.apply(environment={"EKM_CONFIRM_ARCHIVE": before["external_key_id"]})
    after = caller.outputs()["ekm"]
    assert after["external_key_id"] == beside["external_key_id"]
    assert after["project_ids"] == {"kept": new["id"]}
    assert after["key_arn"] == before["key_arn"]
    assert works(after["external_key_id"])
    keys = ekm_openai.api("GET", "/organization/external_keys?limit=100")["data"]
    assert before["external_key_id"] not in [key["id"] for key in keys]

    # 4. The old id goes.
    caller.set_variables(**settings, external_ids=[project])
    caller.apply()
    assert works(after["external_key_id"])
    assert caller.plan().empty
