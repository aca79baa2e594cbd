"""The environment of Terraform, and of the registrar that it starts, in a rehearsal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from openai_ekm.rehearsal.environment import GO, clean
from openai_ekm.rehearsal.localstack import CUSTOMER_ACCOUNT
from openai_ekm.rehearsal.providers import provider_settings

if TYPE_CHECKING:
    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack

__all__ = ["process_environment", "rehearsal_environment"]


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


def process_environment(aws: LocalStack, openai: EmulatorProcess, *, region: str) -> dict[str, str]:
    """Return the whole environment of a process that starts Terraform by itself.

    Args:
        aws: Where AWS is.
        openai: Where OpenAI is.
        region: AWS Region.
    """
    return GO | clean(
        rehearsal_environment(aws, openai, account=CUSTOMER_ACCOUNT, region=region),
        provider_settings(),
    )
