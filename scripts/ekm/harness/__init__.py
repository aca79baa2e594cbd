"""The rehearsal as a library: LocalStack, the OpenAI emulator, Terraform, and pytest fixtures.

Use the fixtures of `ekm.harness.plugin` in a test suite; use these names in a script:

    with LocalStack.start() as aws, EmulatorProcess.start(aws) as openai:
        workspace = Workspace("examples/api-project", folder,
                              aws.environment() | openai.environment())
        workspace.apply()
"""

from ekm.harness.command import Run
from ekm.harness.documents import UNKNOWN, planned_document
from ekm.harness.emulator import EmulatorProcess
from ekm.harness.localstack import CUSTOMER_ACCOUNT, OPENAI_ACCOUNT, REGION, LocalStack
from ekm.harness.terraform import Plan, Workspace

__all__ = [
    "CUSTOMER_ACCOUNT",
    "OPENAI_ACCOUNT",
    "REGION",
    "UNKNOWN",
    "EmulatorProcess",
    "LocalStack",
    "Plan",
    "Run",
    "Workspace",
    "planned_document",
]
