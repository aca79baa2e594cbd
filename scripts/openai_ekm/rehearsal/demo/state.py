"""The state that the steps of the demo share."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_ekm.errors import CheckFailed
from openai_ekm.rehearsal.demo.decisions import Documents
from openai_ekm.rehearsal.emulator import RUN_EKM
from openai_ekm.rehearsal.process import run_command

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.emulator.trail import Trail
    from openai_ekm.rehearsal.demo.report import Report
    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.terraform import Workspace

__all__ = ["DemoState", "documents"]


@dataclass
class DemoState:
    """The state that the steps work on.

    Attributes:
        report: Takes every line.
        aws: AWS's side.
        openai: OpenAI's side.
        workspace: The example.
        folder: Of the demo; `trail` in it has the log files.
        trail: Takes records of calls that the emulator does not make.
        outputs: Of the example, once it is applied.
    """

    report: Report
    aws: LocalStack
    openai: EmulatorProcess
    workspace: Workspace
    folder: Path
    trail: Trail
    outputs: dict[str, Any]

    def ekm(self, *words: str, expected: int = 0) -> dict[str, Any]:
        """Run a verb of `ekm` as a person would, and return what it says.

        Raises:
            CheckFailed: Its exit code is another one.
        """
        self.report.command("ekm", *words)
        run = run_command(
            [sys.executable, *RUN_EKM, *words, "--json"],
            self.workspace.path,
            self.workspace.environment,
        )
        if run.exit_code != expected:
            raise CheckFailed(
                "demo_verb_failed",
                f"ekm {words[0]} ended with exit code {run.exit_code}, not {expected}:\n"
                f"{run.output.strip()}",
            )
        said: dict[str, Any] = json.loads(run.stdout)
        return said


def documents(stage: DemoState) -> Documents:
    """Read the policies from AWS, not from Terraform: what is in force is what counts."""
    module = stage.outputs["ekm"]
    iam, kms = stage.aws.client("iam"), stage.aws.client("kms")
    name = module["role_arn"].rpartition("/")[2]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    policy = kms.get_key_policy(KeyId=module["key_arn"], PolicyName="default")["Policy"]
    return Documents(
        role_arn=module["role_arn"],
        key_arn=module["key_arn"],
        external_id=module["external_id"],
        trust_policy=iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"],
        role_policies=[
            iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in inline
        ],
        key_policy=json.loads(policy),
    )
