"""Taking the module away: in a fleet, by a destroy, and by removing its block."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.evaluation import Outcome, Policies, Request, decide

if TYPE_CHECKING:
    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory
    from openai_ekm.rehearsal.terraform import Workspace

pytestmark = pytest.mark.terraform

ROOTS = "tests/terraform"


def account_of(workspace: Workspace) -> str:
    """The account that a workspace's credentials are of."""
    return workspace.environment["AWS_ACCESS_KEY_ID"]


def key_state(aws: LocalStack, workspace: Workspace, key_arn: str) -> str:
    """The state of a key, as KMS tells it."""
    kms = aws.session(account_of(workspace)).client("kms")
    state: str = kms.describe_key(KeyId=key_arn)["KeyMetadata"]["KeyState"]
    return state


def key_policy(aws: LocalStack, workspace: Workspace, key_arn: str) -> Any:
    """The key policy in force."""
    kms = aws.session(account_of(workspace)).client("kms")
    return json.loads(kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])


def registered(openai: EmulatorProcess, workspace: Workspace) -> set[str]:
    """The names of the registrations of a workspace's account."""
    listed = openai.api("GET", "/organization/external_keys?limit=100")["data"]
    return {key["name"] for key in listed if f"::{account_of(workspace)}:" in key["role_arn"]}


def take_over(workspace: Workspace, root: str, make: WorkspaceFactory) -> Workspace:
    """Another root with the state of a workspace: the configuration after somebody's edit."""
    successor = make(f"{ROOTS}/{root}", account=account_of(workspace))
    state = (workspace.path / "terraform.tfstate").read_text(encoding="utf-8")
    (successor.path / "terraform.tfstate").write_text(state, encoding="utf-8")
    return successor


def test_a_fleet_of_three_loses_the_one_that_is_removed(
    ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: a removed key of a fleet that touches another, or has active projects."""
    fleet = ekm_workspace(f"{ROOTS}/fleet")
    fleet.apply()
    before = fleet.outputs()["keys"]
    assert registered(ekm_openai, fleet) == {
        "openai-ekm-red",
        "openai-ekm-green",
        "openai-ekm-blue",
    }

    without_red = {"green": [], "blue": ["blue-chat"]}
    refused = fleet.apply(check=False, keys=without_red)
    assert not refused.ok
    assert "openai-ekm-red" in registered(ekm_openai, fleet)

    fleet.apply()
    without_green = {"red": ["red-chat"], "blue": ["blue-chat"]}
    plan = fleet.plan(keys=without_green)
    assert all('module.ekm["green"]' in address for address in plan.actions)
    fleet.apply(plan)
    assert registered(ekm_openai, fleet) == {"openai-ekm-red", "openai-ekm-blue"}
    after = fleet.outputs()["keys"]
    assert {name: key["external_key_id"] for name, key in after.items()} == {
        name: before[name]["external_key_id"] for name in ("red", "blue")
    }
    assert fleet.plan(keys=without_green).empty


def test_a_destroy_unregisters_before_anything_in_aws_goes(
    ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess, ekm_localstack: LocalStack
) -> None:
    """Guards against: a registration that is left behind, or live data that loses its key first."""
    caller = ekm_workspace(f"{ROOTS}/caller", registration={})
    caller.apply()
    key_arn = caller.outputs()["ekm"]["key_arn"]
    run = caller.destroy()
    lines = run.stdout.splitlines()

    def place(text: str) -> int:
        return next(number for number, line in enumerate(lines) if text in line)

    unregistered = place("terraform_data.guard: Destruction complete")
    assert place("terraform_data.deletion_guard: Destruction complete") < unregistered
    for resource in ("aws_iam_role_policy.use", "aws_iam_role.this", "aws_kms_alias.this"):
        assert unregistered < place(f"{resource}: Destroying")
    assert unregistered < place("aws_kms_key.this: Destroying")
    assert registered(ekm_openai, caller) == set()
    assert key_state(ekm_localstack, caller, key_arn) == "PendingDeletion"
    ssm = ekm_localstack.session(account_of(caller)).client("ssm")
    assert ssm.get_parameters_by_path(Path="/", Recursive=True)["Parameters"] == []


@pytest.fixture(scope="module")
def protected(ekm_workspace: WorkspaceFactory) -> Workspace:
    """A registered root with deletion protection, applied once for the two tests that follow."""
    caller = ekm_workspace(f"{ROOTS}/caller", registration={}, deletion_protection=True)
    caller.apply()
    return caller


def test_registration_set_to_null_unregisters_and_keeps_the_key(
    protected: Workspace, ekm_openai: EmulatorProcess, ekm_localstack: LocalStack
) -> None:
    """Guards against: no way to leave OpenAI and keep the key."""
    key_arn = protected.outputs()["ekm"]["key_arn"]
    protected.apply(registration=None)
    assert registered(ekm_openai, protected) == set()
    assert key_state(ekm_localstack, protected, key_arn) == "Enabled"
    assert protected.outputs()["ekm"]["external_key_id"] is None


def test_deletion_protection_holds_when_the_block_is_removed(
    protected: Workspace, ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack
) -> None:
    """Guards against: a deleted block of HCL, without any provisioner, that deletes the key."""
    caller = protected
    key_arn = caller.outputs()["ekm"]["key_arn"]

    emptied = take_over(caller, "caller", ekm_workspace)
    (emptied.path / "main.tf").unlink()
    (emptied.path / "ekm.auto.tfvars.json").unlink()
    planned = emptied.plan().actions
    assert planned["module.ekm.module.key[0].aws_kms_key.this"] == ("delete",)

    # Terraform would go on; the policy in force is what AWS decides by, whoever applies.
    account = account_of(caller)
    everything = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]}  # fmt: skip
    for principal in (f"arn:aws:iam::{account}:root", f"arn:aws:iam::{account}:role/terraform"):
        request = Request(principal, "kms:ScheduleKeyDeletion", key_arn, account)
        policies = Policies(
            identity=(everything,), resource=key_policy(ekm_localstack, caller, key_arn)
        )
        decision = decide(request, policies)
        assert decision.outcome is Outcome.EXPLICITLY_DENIED
        assert [ref.sid for ref in decision.decided_by] == ["DenyKeyDeletion"]

    caller.set_variables(deletion_protection=False)
    caller.apply()
    policies = Policies(
        identity=(everything,), resource=key_policy(ekm_localstack, caller, key_arn)
    )
    assert decide(request, policies).allowed


@pytest.fixture(scope="module")
def kept(ekm_workspace: WorkspaceFactory) -> Workspace:
    """A registered root with a project, applied once; the tests below take over its state."""
    caller = ekm_workspace(f"{ROOTS}/caller", projects=["kept"], registration={})
    caller.apply()
    return caller


def test_a_removed_block_leaves_everything_as_it_is(
    kept: Workspace,
    ekm_workspace: WorkspaceFactory,
    ekm_openai: EmulatorProcess,
    ekm_localstack: LocalStack,
) -> None:
    """Guards against: a key that is destroyed on its way to another team's state."""
    outputs = kept.outputs()["ekm"]
    successor = take_over(kept, "removed-leave", ekm_workspace)
    successor.apply()
    assert successor.addresses() == []
    assert ekm_openai.calls() == []
    assert key_state(ekm_localstack, kept, outputs["key_arn"]) == "Enabled"
    answer = ekm_openai.api(
        "POST", f"/organization/external_keys/{outputs['external_key_id']}/validate"
    )
    assert answer == {"status": "success"}


def test_a_removed_block_with_a_provisioner_unregisters(
    kept: Workspace, ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: a removed module whose registration stays without role and key."""
    assert registered(ekm_openai, kept) == {"openai-ekm"}
    project = kept.outputs()["ekm"]["project_ids"]["kept"]
    ekm_openai.api("POST", f"/organization/projects/{project}/archive")

    successor = take_over(kept, "removed-unregister", ekm_workspace)
    successor.apply()
    assert registered(ekm_openai, kept) == set()
    assert successor.addresses() == []
