"""Each example, as its README says: planned, judged, applied, and planned again to nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ekm.harness.documents import UNKNOWN, unknown_leaves

if TYPE_CHECKING:
    from pathlib import Path

    from ekm.harness.emulator import EmulatorProcess
    from ekm.harness.localstack import LocalStack
    from ekm.harness.plugin import WorkspaceFactory
    from ekm.harness.terraform import Workspace

pytestmark = pytest.mark.terraform

ACCOUNT = "444455556666"


def ekm(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `ekm` as a person would in the workspace's shell."""
    return subprocess.run(
        [sys.executable, "-c", "from ekm.cli.main import main; main()", *words],
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
    """An example is added, and nobody ever applies it."""
    assert {folder.name for folder in (repository / "examples").iterdir() if folder.is_dir()} == {
        "api-project",
        "chatgpt-workspace",
        "existing-key",
        "fleet",
    }


def test_api_project(ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess) -> None:
    """The start in the README does not end in an encrypted project."""
    workspace = ekm_workspace("examples/api-project", organization_id="org-abc123")
    plan = workspace.plan()
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


def test_chatgpt_workspace(ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess) -> None:
    """The hand-off names other ARNs than the ones that OpenAI can use, or calls OpenAI's API."""
    workspace = ekm_workspace("examples/chatgpt-workspace", organization_id="org-abc123")
    assert UNKNOWN not in json.dumps(workspace.plan().document("trust_policy"))
    workspace.apply()
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


def test_fleet(ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess) -> None:
    """A fleet that was registered apart from its apply is registered anew by the next apply."""
    workspace = ekm_workspace(
        "examples/fleet",
        organization_id="org-abc123",
        keys={"red": {"projects": ["red-chat"]}, "blue": {}},
        name_prefix="fleet",
    )
    plan = workspace.plan(register_in_apply=False)
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
    """The module changes a key that is not its own, or takes the role from under it unasked."""
    key_arn = make_key(ekm_localstack, ACCOUNT)
    kms = ekm_localstack.session(ACCOUNT).client("kms")
    policy = kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
    workspace = ekm_workspace(
        "examples/existing-key",
        account=ACCOUNT,
        organization_id="org-abc123",
        kms_key_arn=key_arn,
    )
    assert not [a for a in workspace.plan().actions if "aws_kms" in a]
    workspace.apply()
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


def test_an_existing_key_that_openai_cannot_use_is_refused_in_words(
    ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack
) -> None:
    """A key that cannot work is found out at the registration, or after it."""
    kms = ekm_localstack.session(ACCOUNT).client("kms")
    disabled = make_key(ekm_localstack, ACCOUNT)
    kms.disable_key(KeyId=disabled)
    pending = make_key(ekm_localstack, ACCOUNT)
    kms.schedule_key_deletion(KeyId=pending)
    signing = make_key(ekm_localstack, ACCOUNT, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    healthy = make_key(ekm_localstack, ACCOUNT)

    workspace = ekm_workspace(
        "examples/existing-key", account=ACCOUNT, organization_id="org-abc123"
    )
    for arn, found, way_on in (
        (disabled, "found Disabled", "aws kms enable-key"),
        (pending, "found PendingDeletion", "aws kms cancel-key-deletion"),
        (signing, "found RSA_2048 for SIGN_VERIFY", "choose another key"),
        (
            healthy.replace("eu-west-1", "us-east-1"),
            "found us-east-1",
            "aws provider for us-east-1",
        ),
        (
            healthy.replace(ACCOUNT, "111111111111"),
            "found 111111111111",
            "credentials for 111111111111",
        ),
    ):
        said = workspace.refused_plan(kms_key_arn=arn).said
        assert found in said, said
        assert way_on in said, said
