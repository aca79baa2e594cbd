"""The handoff for ChatGPT Enterprise: OpenAI has no API for it, so a person there does it.

Source: docs/reference/openai-api.md#chatgpt-workspaces-and-other-objects
"""

from __future__ import annotations

from dataclasses import dataclass

from openai_ekm.openai import OPENAI_ROLE_ARN
from openai_ekm.registration.intent import check_kms_arn, check_role_arn

__all__ = ["Handoff"]


@dataclass(frozen=True, slots=True)
class Handoff:
    """The two ARNs that OpenAI asks for.

    Raises:
        BadInput: One of them is malformed.
    """

    role_arn: str
    kms_arn: str

    def __post_init__(self) -> None:
        check_role_arn(self.role_arn)
        check_kms_arn(self.kms_arn)

    def as_json(self) -> dict[str, str]:
        """Return the handoff as `ekm handoff --json` prints it."""
        return {"role_arn": self.role_arn, "kms_arn": self.kms_arn}

    def as_lines(self) -> tuple[str, ...]:
        """Return the handoff as a message to the OpenAI contact."""
        return (
            (
                "Please enable Enterprise Key Management for our ChatGPT Enterprise workspace, "
                "in a sandbox workspace first."
            ),
            "",
            f"role_arn: {self.role_arn}",
            f"kms_arn:  {self.kms_arn}",
            "",
            (
                f"The role trusts {OPENAI_ROLE_ARN} with our "
                "organization's id as external id, and may Encrypt and Decrypt with this key."
            ),
        )
