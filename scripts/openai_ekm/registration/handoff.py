"""The handoff for ChatGPT Enterprise: OpenAI has no API for it, so a person there does it.

Source: docs/reference/openai-api.md#chatgpt-workspaces-and-other-objects
"""

from __future__ import annotations

from openai_ekm.openai import OPENAI_ROLE_ARN
from openai_ekm.registration.intent import check_kms_arn, check_role_arn

__all__ = ["handoff_lines"]


def handoff_lines(role_arn: str, kms_arn: str) -> tuple[str, ...]:
    """Return the message to the OpenAI contact, with the two ARNs that OpenAI asks for.

    Raises:
        BadInput: One of them is malformed.
    """
    check_role_arn(role_arn)
    check_kms_arn(kms_arn)
    return (
        (
            "Please enable Enterprise Key Management for our ChatGPT Enterprise workspace, in a "
            "sandbox workspace first."
        ),
        "",
        f"role_arn: {role_arn}",
        f"kms_arn:  {kms_arn}",
        "",
        (
            f"The role trusts {OPENAI_ROLE_ARN} with our organization's id as external id, and "
            "may Encrypt and Decrypt with this key."
        ),
    )
