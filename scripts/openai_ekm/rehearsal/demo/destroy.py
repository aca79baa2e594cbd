"""The end of the story: every refusal of a destroy, then the destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.rehearsal.demo.state import documents

if TYPE_CHECKING:
    from openai_ekm.rehearsal.command import Run
    from openai_ekm.rehearsal.demo.report import Report
    from openai_ekm.rehearsal.demo.state import DemoState

__all__ = ["destroy"]


def destroy(stage: DemoState) -> None:
    """Tell what stands in the way of a destroy, and then do it.

    The monitoring ends with LocalStack. A destroy that is refused takes Terraform's outputs away,
    so no verb reads them from here on.
    """
    report, workspace = stage.report, stage.workspace
    external_key_id = str(stage.outputs["external_key_id"])
    with report.step("Try to destroy it all"):
        _be_refused(
            stage,
            "Refused, because deletion protection is on.",
            begins="Refused:",
            says="deletion protection is on",
        )
    with report.step("Turn deletion protection off, in an apply of its own"):
        report.command("terraform apply -var deletion_protection=false")
        workspace.set_variables(**workspace.variables, deletion_protection=False)
        workspace.apply()
        _be_refused(
            stage,
            "Still refused: the project is active, and archiving it cannot be undone.",
            begins="error[",
            says="active projects",
        )
    with report.step("Destroy it, and confirm the archiving for this run"):
        report.command(f"EKM_CONFIRM_ARCHIVE={external_key_id} terraform destroy")
        workspace.destroy(environment={"EKM_CONFIRM_ARCHIVE": external_key_id})
        _check_gone(stage, external_key_id)


def _be_refused(stage: DemoState, claim: str, *, begins: str, says: str) -> None:
    """Try a destroy, tell the refusal from the word that it begins with, and look what is left."""
    report = stage.report
    report.command("terraform destroy")
    run = stage.workspace.destroy(check=False)
    _tell_refusal(report, run, begins)
    report.check(claim, holds=not run.ok and says in run.said, found=run.said[-500:])
    report.check(
        "Key, policy, role, alias and registration are all there.", holds=_all_there(stage)
    )


def _tell_refusal(report: Report, run: Run, start: str) -> None:
    """Tell the reason out of Terraform's output: what the provisioner said, from a word on."""
    for line in run.output.splitlines():
        _, found, rest = line.partition("(local-exec): ")
        if found and rest.startswith((start, "  remedy")):
            report.text(f"Terraform: {rest.strip()}")


def _all_there(stage: DemoState) -> bool:
    module = stage.outputs["ekm"]
    key = stage.aws.client("kms").describe_key(KeyId=module["alias_arn"])["KeyMetadata"]
    registered = stage.openai.api(
        "GET", f"/organization/external_keys/{stage.outputs['external_key_id']}"
    )
    return bool(
        key["KeyState"] == "Enabled"
        and key["Arn"] == module["key_arn"]
        and documents(stage).role_policies
        and registered["api_project_ids"]
    )


def _check_gone(stage: DemoState, external_key_id: str) -> None:
    report, module = stage.report, stage.outputs["ekm"]
    registered = stage.openai.api("GET", "/organization/external_keys")["data"]
    report.check(
        "The registration at OpenAI is gone.",
        holds=external_key_id not in [each["id"] for each in registered],
    )
    projects = [
        stage.openai.api("GET", f"/organization/projects/{project}")["status"]
        for project in stage.outputs["project_ids"].values()
    ]
    report.check(
        "The project is archived.", holds=set(projects) == {"archived"}, found=str(projects)
    )
    key = stage.aws.client("kms").describe_key(KeyId=module["key_arn"])["KeyMetadata"]
    report.check(
        "The key waits for its deletion, 30 days in which it can be saved.",
        holds=key["KeyState"] == "PendingDeletion",
        found=key["KeyState"],
    )
    roles = [role["Arn"] for role in stage.aws.client("iam").list_roles()["Roles"]]
    report.check("The role is gone.", holds=module["role_arn"] not in roles)
    records = stage.aws.client("ssm").describe_parameters()["Parameters"]
    report.check("The record is gone.", holds=not records, found=str(records))
    left = stage.workspace.addresses()
    report.check("Terraform's state is empty.", holds=not left, found=", ".join(left))
