"""The end of the story: every refusal of a destroy, then the destroy; or everything is kept."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Final

from openai_ekm.files import write_atomically
from openai_ekm.loopback import keep_from_proxies
from openai_ekm.rehearsal.demo.state import documents
from openai_ekm.rehearsal.localstack import CUSTOMER_ACCOUNT, REGION
from openai_ekm.rehearsal.terraform_environment import rehearsal_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openai_ekm.rehearsal.demo.report import Report
    from openai_ekm.rehearsal.demo.state import DemoState
    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.process import Run
    from openai_ekm.rehearsal.terraform import Workspace

__all__ = ["destroy", "leave_running", "look_around", "write_environment"]


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


_AUTHORIZED: Final = '"Authorization: Bearer $OPENAI_ADMIN_KEY"'
_REGISTRATIONS: Final = '"$OPENAI_BASE_URL/organization/external_keys"'


def leave_running(stage: DemoState, folder: Path) -> None:
    """Leave both servers and the workspace, and say how to look around.

    Args:
        stage: The state.
        folder: Of the demo; it is removed by hand.
    """
    report = stage.report
    with report.step("Leave it running"):
        file = write_environment(
            folder / "environment.sh",
            stage.workspace,
            rehearsal_environment(stage.aws, stage.openai, account=CUSTOMER_ACCOUNT, region=REGION),
        )
        report.lines(
            "Look around:",
            *(f"  {line}" for line in look_around(stage.workspace, stage.openai, file)),
            "Stop it all:",
            f"  kill {stage.aws.pid} {stage.openai.pid}; sleep 3; rm -rf {folder}",
        )
        stage.aws.leave_running()
        stage.openai.leave_running()


def write_environment(file: Path, workspace: Workspace, settings: Mapping[str, str]) -> Path:
    """Write the variables that a shell needs to go on in a workspace; return the file.

    Args:
        file: To write; it holds the rehearsal's admin key.
        workspace: Where to go on.
        settings: Variables that point at the rehearsal.
    """
    variables = {**_workspace_settings(workspace), **settings, **keep_from_proxies(os.environ)}
    exports = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    write_atomically(file, "unset AWS_PROFILE AWS_SESSION_TOKEN\n" + "".join(exports))
    return file


def look_around(workspace: Workspace, openai: EmulatorProcess, file: Path) -> tuple[str, ...]:
    """Return the commands by which a person looks around.

    Args:
        workspace: The applied example.
        openai: OpenAI's side.
        file: With the variables.
    """
    return (
        f"source {file}",
        f"cd {workspace.path}",
        "terraform plan",
        "ekm status --from-terraform .",
        "ekm prove --from-terraform . --assume-none scps,rcps",
        "ekm drill revoke --from-terraform . --plan",
        f"curl -H {_AUTHORIZED} {_REGISTRATIONS}",
        f"curl {openai.control_url}/requests",
    )


def _workspace_settings(workspace: Workspace) -> dict[str, str]:
    """Return what makes Terraform find its providers, to be used by hand."""
    names = ("TF_CLI_ARGS_init", "TF_PLUGIN_CACHE_DIR")
    return {name: workspace.environment[name] for name in names if name in workspace.environment}
