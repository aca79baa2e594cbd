"""ARNs of a KMS key, an alias and a role: one pattern for each, and what stands in them.

OpenAI publishes a pattern of role_arn and three forms of kms_arn without a pattern
(docs/reference/openai-api.md#external-keys). AWS publishes the rest:

- A key id is a UUID in lower case, or `mrk-` and 32 hexadecimal digits in lower case.
  https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html
- The name of an alias has at most 256 characters, `alias/` included.
  https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
- A Region of the partition aws is two letters, a word and a number. Regions of other partitions
  have more words, such as eu-isoe-west-1.
  https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
- The name of a role has at most 64 characters.
  https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
- STS takes at most 2048 characters of a role's ARN.
  https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

variables.key.tf has the pattern of kms_arn too: tests/integration/test_arns_in_hcl.py.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "ARN_OF_KEY_IN_TEXT",
    "ARN_OF_ROLE_IN_TEXT",
    "KMS_ARN_PATTERN",
    "account_of",
    "is_kms_arn",
    "is_role_arn",
    "region_of",
]

KMS_ARN_PATTERN: Final = (
    r"^arn:aws:kms:[a-z]{2}-[a-z]+-\d+:\d{12}:"
    r"(key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
    r"|alias/[A-Za-z0-9/_-]{1,250})$"
)
_KMS_ARN: Final = re.compile(KMS_ARN_PATTERN, re.ASCII)
_ROLE_ARN: Final = re.compile(r"arn:aws:iam::[0-9]{12}:role/(?:[!-~]+/)?[\w+=,.@-]{1,64}", re.ASCII)
_LONGEST_ROLE_ARN: Final = 2048  # characters

# To find an ARN within a sentence of AWS's: any partition, and nothing is checked.
ARN_OF_KEY_IN_TEXT: Final = re.compile(
    r"arn:aws[a-z-]*:kms:([a-z0-9-]+):(\d{12}):(?:key|alias)/[\w/-]+"
)
ARN_OF_ROLE_IN_TEXT: Final = re.compile(
    r"arn:aws[a-z-]*:(?:iam::(\d{12}):role|sts::(\d{12}):assumed-role)/([\w+=,.@/-]+)"
)


def is_kms_arn(text: str, *, unknown_region: str | None = None) -> bool:
    """Return whether a text is the full ARN of a KMS key or alias in the partition aws.

    Args:
        text: What should be one.
        unknown_region: What stands for a Region that is not known yet.
    """
    if unknown_region is not None:
        text = text.replace(f":kms:{unknown_region}:", ":kms:us-east-1:", 1)
    return _KMS_ARN.fullmatch(text) is not None


def is_role_arn(text: str) -> bool:
    """Return whether a text is the full ARN of an IAM role in the partition aws."""
    return len(text) <= _LONGEST_ROLE_ARN and _ROLE_ARN.fullmatch(text) is not None


def region_of(arn: str) -> str:
    """Return the Region in a checked ARN."""
    return arn.split(":")[3]


def account_of(arn: str) -> str:
    """Return the account in a checked ARN."""
    return arn.split(":")[4]
