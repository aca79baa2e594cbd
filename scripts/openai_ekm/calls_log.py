"""The log of calls that leave this process: to OpenAI, to AWS, and starts of Terraform.

`-v` shows it. A line names who was called, what for, the outcome and the time; it holds no body
and no header.
"""

from __future__ import annotations

import logging
from typing import Final

__all__ = ["LOGGER", "log_call"]

LOGGER: Final = logging.getLogger("openai_ekm.calls")


def log_call(called: str, operation: str, outcome: object, seconds: float) -> None:
    """Log one call.

    Args:
        called: `OpenAI`, `AWS` or `Terraform`.
        operation: As in `POST /v1/organization/external_keys` or `kms:DescribeKey`.
        outcome: An HTTP status, an exit code, or what kept the answer away.
        seconds: How long it took.
    """
    LOGGER.info("%s  %s  %s  %.2f s", called, operation, outcome, seconds)
