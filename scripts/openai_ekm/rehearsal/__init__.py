"""The rehearsal as a library: LocalStack, the OpenAI emulator, Terraform, and pytest fixtures.

Use the fixtures of `openai_ekm.rehearsal.plugin` in a test suite; use these names in a script:

    with LocalStack.start() as aws, EmulatorProcess.start(aws) as openai:
        workspace = Workspace("examples/api-project", folder,
                              aws.environment() | openai.environment())
        workspace.apply()

A name is imported from its module when it is first used: pytest loads the plugin, and with it this
package, in every run on a machine where the package is installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai_ekm.rehearsal.documents import UNKNOWN, planned_document
    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import CUSTOMER_ACCOUNT, OPENAI_ACCOUNT, REGION, LocalStack
    from openai_ekm.rehearsal.process import Run
    from openai_ekm.rehearsal.terraform import Plan, Workspace
    from openai_ekm.rehearsal.terraform_environment import (
        process_environment,
        rehearsal_environment,
    )

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
    "process_environment",
    "rehearsal_environment",
]

_MODULES = {
    "CUSTOMER_ACCOUNT": "localstack",
    "OPENAI_ACCOUNT": "localstack",
    "REGION": "localstack",
    "UNKNOWN": "documents",
    "EmulatorProcess": "emulator",
    "LocalStack": "localstack",
    "Plan": "terraform",
    "Run": "process",
    "Workspace": "terraform",
    "planned_document": "documents",
    "process_environment": "terraform_environment",
    "rehearsal_environment": "terraform_environment",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
