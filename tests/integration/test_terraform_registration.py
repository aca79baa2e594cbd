"""Registration inside an apply: what breaks the simple forms of it, and what holds here.

Each test is a story of the module's own example against LocalStack and the emulator. The stories
that leave it applied, with one project, share one apply.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory
    from openai_ekm.rehearsal.terraform import Workspace

pytestmark = pytest.mark.terraform

EXAMPLE = "examples/api-project"
GUARD = "module.ekm.module.registration[0].terraform_data.guard"
REGISTER = "module.ekm.module.registration[0].terraform_data.register"
PROJECT = "module.ekm.module.registration[0].terraform_data.project"
KEPT = (
    "module.ekm.module.key[0].aws_kms_key.this",
    "module.ekm.module.key[0].aws_kms_alias.this",
    "module.ekm.module.role.aws_iam_role.this",
    "module.ekm.module.role.aws_iam_role_policy.use",
    GUARD,
)


@pytest.fixture
def example(ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess) -> Workspace:
    """The example, not applied yet, in an account of its own."""
    return ekm_workspace(EXAMPLE, openai=ekm_openai, organization_id="org-test")


@dataclass(frozen=True)
class Applied:
    """The example after its first apply."""

    workspace: Workspace
    calls: list[str]  # what that apply asked of OpenAI
    outputs: dict[str, Any]


@pytest.fixture(scope="module")
def applied(ekm_workspace: WorkspaceFactory, ekm_openai_server: EmulatorProcess) -> Applied:
    """The example, applied once; each test leaves it as it finds it."""
    workspace = ekm_workspace(EXAMPLE, organization_id="org-test")
    ekm_openai_server.forget_requests()
    workspace.apply()
    return Applied(workspace, ekm_openai_server.calls(), workspace.outputs())


def account_of(workspace: Workspace) -> str:
    """The account that a workspace's credentials are of."""
    return workspace.environment["AWS_ACCESS_KEY_ID"]


def external_keys(openai: EmulatorProcess, workspace: Workspace) -> list[dict[str, Any]]:
    """What OpenAI has registered for the account of a workspace."""
    listed = openai.api("GET", "/organization/external_keys?limit=100")["data"]
    return [key for key in listed if f"::{account_of(workspace)}:" in key["role_arn"]]


def projects(openai: EmulatorProcess, external_key_id: str) -> list[dict[str, Any]]:
    """Every project that was ever made with a key, the archived ones included."""
    listed = openai.api("GET", "/organization/projects?limit=100&include_archived=true")["data"]
    return [project for project in listed if project["external_key_id"] == external_key_id]


def forget_record(aws: LocalStack, workspace: Workspace) -> None:
    """Delete every parameter of the record, as an over-eager clean-up would."""
    ssm = aws.session(account_of(workspace)).client("ssm")
    found = ssm.get_parameters_by_path(Path="/openai-ekm", Recursive=True)["Parameters"]
    assert found
    ssm.delete_parameters(Names=[parameter["Name"] for parameter in found])


def test_a_registration_costs_four_calls_and_a_repeat_two(
    applied: Applied, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: a small fleet whose first apply meets the limit of seven calls a minute."""
    assert [line.rsplit(" ", 1)[0].split("?")[0] for line in applied.calls] == [
        "GET /v1/organization/external_keys",
        "POST /v1/organization/external_keys",
        f"POST /v1/organization/external_keys/{applied.outputs['external_key_id']}/validate",
        "POST /v1/organization/projects",
    ]
    applied.workspace.apply(options=[f"-replace={REGISTER}"])
    assert len(ekm_openai.calls()) == 2


def test_a_late_failure_is_adopted_by_the_next_apply(
    example: Workspace, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: a retry after a failure on the project that makes a second external key."""
    ekm_openai.set_faults(server_error={"times": 20, "on": "POST /organization/projects"})
    failed = example.apply(check=False)
    assert not failed.ok
    first = external_keys(ekm_openai, example)
    assert len(first) == 1

    ekm_openai.set_faults()
    example.apply()
    assert [key["id"] for key in external_keys(ekm_openai, example)] == [first[0]["id"]]
    assert [p["name"] for p in projects(ekm_openai, first[0]["id"])] == ["ekm-first"]
    assert example.plan().empty


def test_a_late_failure_is_still_unregistered_by_a_destroy(
    example: Workspace, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: an orphan at OpenAI, as Terraform destroys a tainted provisioner silently."""
    ekm_openai.set_faults(server_error={"times": 20, "on": "POST /organization/projects"})
    assert not example.apply(check=False, deletion_protection=False).ok
    assert len(external_keys(ekm_openai, example)) == 1

    ekm_openai.set_faults()
    example.destroy(deletion_protection=False)
    assert external_keys(ekm_openai, example) == []
    assert example.addresses() == []


def test_active_projects_refuse_destroy_and_replacement_until_the_word_is_said(
    example: Workspace, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: live data that loses its key by a destroyed or renamed module."""
    example.apply(deletion_protection=False)
    external_key_id = example.outputs()["external_key_id"]
    project_id = example.outputs()["project_ids"]["ekm-first"]

    replaced = example.apply(check=False, deletion_protection=False, organization_id="org-another")
    assert not replaced.ok
    assert project_id in replaced.said
    assert "second" in replaced.said  # the way on: a second instance of the module
    # Terraform's headline, which a user reads first, is made of the command's last word.
    record = example.outputs()["ekm"]["record"]
    headline = f"Error running command 'unregister openai-ekm from OpenAI (record {record})'"
    assert headline in " ".join(replaced.said.replace("│", " ").split())
    assert [key["id"] for key in external_keys(ekm_openai, example)] == [external_key_id]

    destroyed = example.destroy(check=False, deletion_protection=False)
    assert not destroyed.ok
    assert f"EKM_CONFIRM_ARCHIVE={external_key_id}" in destroyed.said
    assert set(KEPT) <= set(example.addresses())
    assert [p["status"] for p in projects(ekm_openai, external_key_id)] == ["active"]

    example.apply(deletion_protection=False)
    assert example.outputs()["external_key_id"] == external_key_id
    assert example.outputs()["project_ids"] == {"ekm-first": project_id}

    wrong = example.destroy(
        check=False,
        deletion_protection=False,
        environment={"EKM_CONFIRM_ARCHIVE": "extkey_of_somebody_else"},
    )
    assert not wrong.ok
    assert set(KEPT) <= set(example.addresses())

    example.destroy(deletion_protection=False, environment={"EKM_CONFIRM_ARCHIVE": external_key_id})
    assert external_keys(ekm_openai, example) == []
    assert [p["status"] for p in projects(ekm_openai, external_key_id)] == ["archived"]
    assert example.addresses() == []


def test_a_lost_record_is_written_again_and_nothing_is_registered_twice(
    applied: Applied, ekm_openai: EmulatorProcess, ekm_localstack: LocalStack
) -> None:
    """Guards against: a lost record that fails every plan, or makes key and projects anew."""
    example, before = applied.workspace, applied.outputs
    forget_record(ekm_localstack, example)

    plan = example.plan()
    assert "found none" in plan.run.said
    example.apply(options=[f"-replace={REGISTER}"])
    after = example.outputs()
    assert after["external_key_id"] == before["external_key_id"]
    assert after["project_ids"] == before["project_ids"]
    assert len(external_keys(ekm_openai, example)) == 1
    assert len(projects(ekm_openai, before["external_key_id"])) == 1
    assert example.plan().empty


def test_a_tainted_guard_leaves_nothing_to_be_lost(
    applied: Applied, ekm_openai: EmulatorProcess
) -> None:
    """The deletion protection stands before the key, also where Terraform skips a tainted guard."""
    example = applied.workspace
    example.run("taint", GUARD)
    refused = example.destroy(check=False)
    assert not refused.ok
    assert "deletion protection is on" in refused.said
    assert set(KEPT) <= set(example.addresses())
    assert len(external_keys(ekm_openai, example)) == 1

    example.run("untaint", GUARD)
    example.apply()
    assert example.plan().empty


def test_the_same_state_from_another_folder_plans_nothing(
    applied: Applied, ekm_workspace: WorkspaceFactory
) -> None:
    """Guards against: a path in the state, by which each colleague's plan registers anew."""
    example = applied.workspace
    elsewhere = ekm_workspace(EXAMPLE, account=account_of(example), organization_id="org-test")
    state = (example.path / "terraform.tfstate").read_text(encoding="utf-8")
    (elsewhere.path / "terraform.tfstate").write_text(state, encoding="utf-8")
    assert elsewhere.plan().empty
    assert str(example.path) not in state


def test_a_wrong_external_id_and_a_disabled_key_are_refused_in_words(
    applied: Applied, ekm_openai: EmulatorProcess, ekm_localstack: LocalStack
) -> None:
    """Guards against: a validation that passes an unusable key, or does not say why it fails."""
    example, outputs = applied.workspace, applied.outputs
    validate = f"/organization/external_keys/{outputs['external_key_id']}/validate"
    assert ekm_openai.api("POST", validate) == {"status": "success"}

    kms = ekm_localstack.session(account_of(example)).client("kms")
    kms.disable_key(KeyId=outputs["ekm"]["key_arn"])
    with pytest.raises(Exception, match="is disabled"):
        ekm_openai.api("POST", validate)
    kms.enable_key(KeyId=outputs["ekm"]["key_arn"])
    assert ekm_openai.api("POST", validate) == {"status": "success"}

    iam = ekm_localstack.session(account_of(example)).client("iam")
    trust = outputs["ekm"]["policies"]["trust_policy"]
    another = json.loads(json.dumps(trust))
    another["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = ["org-of-another"]
    iam.update_assume_role_policy(RoleName="openai-ekm", PolicyDocument=json.dumps(another))
    with pytest.raises(Exception, match="not authorized to perform: sts:AssumeRole"):
        ekm_openai.api("POST", validate)
    iam.update_assume_role_policy(RoleName="openai-ekm", PolicyDocument=json.dumps(trust))


def test_a_setting_changed_alone_replaces_nothing_and_a_project_added_registers_nothing(
    applied: Applied, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: a longer wait, or one more project, that costs the registration and its data.

    The last one: it leaves other projects behind.
    """
    example, before = applied.workspace, applied.outputs
    plan = example.plan(wait_seconds=60)
    assert plan.actions == {GUARD: ("update",)}
    example.apply(plan)
    assert ekm_openai.calls() == []

    plan = example.plan(wait_seconds=60, projects=["ekm-first", "ekm-second"])
    assert plan.actions == {f'{PROJECT}["ekm-second"]': ("create",)}
    example.apply(plan)
    after = example.outputs()
    assert after["external_key_id"] == before["external_key_id"]
    assert after["project_ids"]["ekm-first"] == before["project_ids"]["ekm-first"]
    assert set(after["project_ids"]) == {"ekm-first", "ekm-second"}

    removed = example.apply(wait_seconds=60, projects=["ekm-second"])
    assert "The project ekm-first is taken out of the configuration." in removed.said
    active = {p["name"] for p in projects(ekm_openai, before["external_key_id"])}
    assert active == {"ekm-first", "ekm-second"}
