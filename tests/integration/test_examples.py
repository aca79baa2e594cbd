"""Each example, as its README says: planned, judged, applied, and planned again to nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.rehearsal.demo.end import look_around, write_environment
from openai_ekm.rehearsal.documents import UNKNOWN
from tests.support.frozen_plans import EXAMPLES, PLANNED_WITH, PLANS, assert_frozen
from tests.support.plans import unknown_leaves

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory
    from openai_ekm.rehearsal.terraform import Workspace

pytestmark = pytest.mark.terraform

ACCOUNT = "444455556666"


def ekm(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `ekm` as a person would in the workspace's shell."""
    return subprocess.run(
        [sys.executable, "-c", "from openai_ekm.cli.main import main; main()", *words],
        env=workspace.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def make_key(aws: LocalStack, account: str, **settings: Any) -> str:
    """A key that somebody else made, with AWS's default policy; its ARN."""
    kms = aws.session(account).client("kms")
    arn: str = kms.create_key(**settings)["KeyMetadata"]["Arn"]
    return arn


def test_every_example_is_tried_here(repository: Path) -> None:
    """Guards against: an example that nobody applies, or whose plan is not frozen."""
    examples = {folder.name for folder in (repository / "examples").iterdir() if folder.is_dir()}
    assert examples == EXAMPLES.keys()
    assert {file.stem for file in PLANS.iterdir()} == examples


def test_api_project(
    ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess, tmp_path: Path
) -> None:
    """The start in the README ends in an encrypted project."""
    workspace = ekm_workspace("examples/api-project", **EXAMPLES["api-project"])
    plan = workspace.plan()
    assert_frozen("api-project", plan)
    trust = plan.document("trust_policy")
    use = plan.document("permission_policy")
    key = plan.document("key_policy")
    assert list(unknown_leaves(trust)) == []
    assert list(unknown_leaves(key)) == []
    assert list(unknown_leaves(use)) == ["Statement[0].Resource"]

    workspace.apply(plan)
    outputs = workspace.outputs()["ekm"]
    assert json.loads(outputs["trust_policy_json"]) == trust
    assert json.loads(outputs["key_policy_json"]) == key
    use["Statement"][0]["Resource"] = outputs["key_arn"]
    assert json.loads(outputs["permission_policy_json"]) == use
    assert workspace.plan().empty

    project = ekm_openai.api("GET", f"/organization/projects/{outputs['project_ids']['ekm-first']}")
    assert project["external_key_id"] == outputs["external_key_id"]
    validated = ekm(workspace, "validate", "--from-terraform", str(workspace.path), "--json")
    assert validated.returncode == 0, validated.stderr
    _try_what_a_kept_demo_says(workspace, ekm_openai, tmp_path)


def _try_what_a_kept_demo_says(workspace: Workspace, openai: EmulatorProcess, folder: Path) -> None:
    """Look around as `ekm demo --keep` says, in a shell that has its variables alone."""
    settings = {
        name: value
        for name, value in workspace.environment.items()
        if name.startswith(("AWS_", "OPENAI_", "EKM_")) or name == "PATH"
    }
    file = write_environment(folder / "environment.sh", workspace, settings)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(look_around(workspace, openai, file))],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No changes" in done.stdout
    assert "Nothing differs" in done.stdout
    assert '"organization.external_key"' in done.stdout.replace(" ", "")


def test_chatgpt_workspace(ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess) -> None:
    """Guards against: a hand-off of ARNs that OpenAI cannot use, or that calls OpenAI's API."""
    workspace = ekm_workspace("examples/chatgpt-workspace", **EXAMPLES["chatgpt-workspace"])
    plan = workspace.plan()
    assert_frozen("chatgpt-workspace", plan)
    assert UNKNOWN not in json.dumps(plan.document("trust_policy"))
    workspace.apply(plan)
    assert workspace.plan().empty
    outputs = workspace.outputs()

    handed = ekm(workspace, "handoff", "--from-terraform", str(workspace.path), "--json")
    assert handed.returncode == 0, handed.stderr
    handoff = json.loads(handed.stdout)
    assert handoff["role_arn"] == outputs["ekm"]["role_arn"]
    assert handoff["kms_arn"] == outputs["ekm"]["key_arn"]
    assert ekm_openai.calls() == []

    # What OpenAI would do with the two ARNs, once it has them: it can use the key.
    registered = ekm_openai.api(
        "POST",
        "/organization/external_keys",
        {
            "type": "aws",
            "name": "workspace",
            "external_id": "org-abc123",
            "role_arn": handoff["role_arn"],
            "kms_arn": handoff["kms_arn"],
        },
    )
    assert registered["id"].startswith("extkey_")


def test_registering_apart_from_the_apply_makes_the_projects(
    ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: projects that are not made, or not in the outputs, without `registration`."""
    workspace = ekm_workspace("tests/terraform/caller", name="apart", projects=["apart-chat"])
    workspace.apply()
    assert ekm_openai.calls() == []
    registered = ekm(workspace, "register", "--from-terraform", str(workspace.path), "--json")
    assert registered.returncode == 0, registered.stderr
    [project] = json.loads(registered.stdout)["projects"]
    assert project["name"] == "apart-chat"

    workspace.apply(registration={})
    told = workspace.outputs()["ekm"]
    assert told["project_ids"] == {"apart-chat": project["id"]}


def test_fleet(ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess) -> None:
    """Guards against: a second registration, by an apply, of a fleet that was registered apart."""
    workspace = ekm_workspace("examples/fleet", **EXAMPLES["fleet"])
    plan = workspace.plan(**PLANNED_WITH["fleet"])
    assert_frozen("fleet", plan)
    assert not [address for address in plan.actions if "registration" in address]
    workspace.apply(plan)
    assert ekm_openai.calls() == []
    words = ("register", "--from-terraform", str(workspace.path), "--json")
    planned = ekm(workspace, *words, "--plan")
    assert json.loads(planned.stdout)["total"] == 6, planned.stderr
    registered = ekm(workspace, *words)
    assert registered.returncode == 0, registered.stderr
    result = json.loads(registered.stdout)
    assert result["calls"] == len(ekm_openai.calls())
    made = {entry["name"]: entry["external_key_id"] for entry in result["entries"]}
    assert made.keys() == {"fleet-red", "fleet-blue"}

    workspace.apply(register_in_apply=True)
    assert workspace.plan(register_in_apply=True).empty
    outputs = workspace.outputs()
    assert outputs["external_key_ids"] == {"red": made["fleet-red"], "blue": made["fleet-blue"]}
    project = ekm_openai.api(
        "GET", f"/organization/projects/{outputs['ekm']['red']['project_ids']['red-chat']}"
    )
    assert project["external_key_id"] == made["fleet-red"]


def test_existing_key(
    ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess, ekm_localstack: LocalStack
) -> None:
    """Guards against: a changed key of somebody else's, or a role that is taken from it unasked."""
    key_arn = make_key(ekm_localstack, ACCOUNT)
    kms = ekm_localstack.session(ACCOUNT).client("kms")
    policy = kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
    workspace = ekm_workspace(
        "examples/existing-key",
        account=ACCOUNT,
        kms_key_arn=key_arn,
        **EXAMPLES["existing-key"],
    )
    plan = workspace.plan()
    assert_frozen("existing-key", plan)
    assert not [address for address in plan.actions if "aws_kms" in address]
    workspace.apply(plan)
    assert workspace.plan().empty
    assert workspace.outputs()["ekm"]["kms_arn"] == key_arn
    refused = workspace.destroy(check=False)
    assert "OpenAI is cut off from all data" in refused.said
    assert any("aws_iam_role.this" in address for address in workspace.addresses())
    workspace.set_variables(**workspace.variables, deletion_protection=False)
    workspace.apply()
    workspace.destroy()
    assert kms.describe_key(KeyId=key_arn)["KeyMetadata"]["KeyState"] == "Enabled"
    assert kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"] == policy


def test_monitoring(ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack) -> None:
    """Guards against: a monitoring beside the module that a first apply cannot make."""
    workspace = ekm_workspace("examples/monitoring", **EXAMPLES["monitoring"])
    plan = workspace.plan()
    assert_frozen("monitoring", plan)
    workspace.set_variables(**workspace.variables, deletion_protection=False)
    workspace.apply(options=["-parallelism=4"])  # as in test_monitoring
    assert workspace.plan().empty
    account = workspace.environment["AWS_ACCESS_KEY_ID"]
    rule = "openai-ekm.key-disabled"
    found = ekm_localstack.client("events", account).describe_rule(Name=rule)
    assert workspace.outputs()["ekm"]["key_arn"] in found["EventPattern"]
    workspace.destroy(options=["-parallelism=4"])
    assert workspace.addresses() == []


EACH_KEY = """
variable "keys" {{
  type = map(string)
}}

module "ekm" {{
  for_each     = var.keys
  source       = {source}
  external_ids = ["org-abc123"]
  name         = "existing-${{each.key}}"
  kms_key_arn  = each.value
}}
"""


def test_an_existing_key_that_openai_cannot_use_is_refused_in_words(
    ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack, repository: Path, tmp_path: Path
) -> None:
    """Guards against: a key that cannot work and is found out at the registration, or after it.

    One plan of one instance for each key: Terraform tells every refusal.
    """
    kms = ekm_localstack.session(ACCOUNT).client("kms")
    disabled = make_key(ekm_localstack, ACCOUNT)
    kms.disable_key(KeyId=disabled)
    pending = make_key(ekm_localstack, ACCOUNT)
    kms.schedule_key_deletion(KeyId=pending)
    signing = make_key(ekm_localstack, ACCOUNT, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    healthy = make_key(ekm_localstack, ACCOUNT)
    refusals = {
        disabled: ("found Disabled", "aws kms enable-key"),
        pending: ("found PendingDeletion", "aws kms cancel-key-deletion"),
        signing: ("found RSA_2048 for SIGN_VERIFY", "choose another key"),
        healthy.replace("eu-west-1", "us-east-1"): (
            "found us-east-1",
            "aws provider for us-east-1",
        ),
        healthy.replace(ACCOUNT, "111111111111"): (
            "found 111111111111",
            "credentials for 111111111111",
        ),
    }
    root = tmp_path / "root"
    root.mkdir()
    source = json.dumps(os.path.relpath(repository, root))
    (root / "main.tf").write_text(EACH_KEY.format(source=source), encoding="utf-8")
    workspace = ekm_workspace(root, account=ACCOUNT, keys=dict(zip("abcde", refusals, strict=True)))
    said = workspace.refused_plan().said
    for found, way_on in refusals.values():
        assert found in said, said
        assert way_on in said, said
