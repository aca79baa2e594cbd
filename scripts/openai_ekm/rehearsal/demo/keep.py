"""The end of a demo that is kept: everything runs on, and a text says how to look around."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Final

from openai_ekm.files import write_atomically
from openai_ekm.loopback import keep_from_proxies
from openai_ekm.rehearsal.localstack import CUSTOMER_ACCOUNT, REGION
from openai_ekm.rehearsal.terraform_environment import rehearsal_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openai_ekm.rehearsal.demo.state import DemoState
    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.terraform import Workspace

__all__ = ["leave_running", "look_around", "write_environment"]

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
    variables = {
        **_workspace_settings(workspace),
        **settings,
        **keep_from_proxies(os.environ),
    }
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
