"""The hand-off for ChatGPT Enterprise: there is no API for it, a person at OpenAI does it.

Source: wire contract 1.12 (ChatGPT Enterprise workspace).
"""

from __future__ import annotations

from dataclasses import dataclass

from ekm.registrar.intent import check_kms_arn, check_role_arn

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
        """As `ekm handoff --json` prints it."""
        return {"role_arn": self.role_arn, "kms_arn": self.kms_arn}

    def as_text(self) -> str:
        """A message to send to the OpenAI contact."""
        return (
            "Please enable Enterprise Key Management for our ChatGPT Enterprise workspace, "
            "in a sandbox workspace first.\n"
            "\n"
            f"role_arn: {self.role_arn}\n"
            f"kms_arn:  {self.kms_arn}\n"
            "\n"
            "The role trusts arn:aws:iam::790389265272:role/EnterpriseKeyManagement with our "
            "organization's id as external id, and may Encrypt and Decrypt with this key."
        )
