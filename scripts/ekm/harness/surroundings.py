"""What Terraform, and the registrar that it starts, are given of a rehearsal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ekm.harness.emulator import EmulatorProcess
    from ekm.harness.localstack import LocalStack

__all__ = ["rehearsal_environment"]


def rehearsal_environment(
    aws: LocalStack, openai: EmulatorProcess, *, account: str, region: str
) -> dict[str, str]:
    """Return the variables of Terraform and of the registrar that it starts.

    Args:
        aws: Where AWS is.
        openai: Where OpenAI is.
        account: The customer's account.
        region: AWS Region.
    """
    return {
        **aws.environment(account, region),
        **openai.environment(),
        # The module's launcher then finds the `ekm-register` of this very environment.
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))),
    }
