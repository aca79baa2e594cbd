"""Amazon Resource Names, taken apart at the first five colons.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

from dataclasses import dataclass

from openai_ekm.policy.text_cache import cached_by_text

__all__ = ["SEGMENTS", "Arn", "account_in", "is_account", "parse_arn"]

SEGMENTS = 6
ACCOUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Arn:
    """One ARN.

    Args:
        partition: `aws`, `aws-cn`, `aws-us-gov`.
        service: `iam`, `sts`, `kms`.
        region: Empty for services that have none.
        account: Twelve digits, or empty.
        resource: Everything after the fifth colon, colons included.
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


@cached_by_text(maxsize=4096)
def parse_arn(text: str) -> Arn | None:
    """Take an ARN apart.

    Args:
        text: What should be a full ARN.

    Returns:
        The ARN, or None when the text is not one (fewer than six parts, another prefix, no
        partition, service or resource).
    """
    parts = text.split(":", SEGMENTS - 1)
    if len(parts) != SEGMENTS or parts[0] != "arn":
        return None
    _, partition, service, region, account, resource = parts
    if not (partition and service and resource):
        return None
    return Arn(partition, service, region, account, resource)


def account_in(text: str) -> str:
    """Return the account of an ARN; empty when it has none, or the text is not an ARN."""
    arn = parse_arn(text)
    return "" if arn is None else arn.account


def is_account(text: str) -> bool:
    """Return whether the text is an account id: twelve ASCII digits."""
    return len(text) == ACCOUNT_DIGITS and text.isascii() and text.isdigit()
