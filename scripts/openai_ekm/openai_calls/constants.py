"""Values that a judgement of OpenAI's calls rests on, and the form of the key they name."""

from __future__ import annotations

from typing import Final

from openai_ekm.arns import is_kms_arn
from openai_ekm.snapshot.symbols import REGION

__all__ = ["ENCRYPTION_ALGORITHM", "STRANGE_ORGANIZATION", "names_key"]

ENCRYPTION_ALGORITHM: Final = "SYMMETRIC_DEFAULT"
# OpenAI's account is in no organization, or in one that no customer names.
STRANGE_ORGANIZATION: Final = "o-notpublic00"


def names_key(kms_arn: str) -> bool:
    """Return whether a registered ARN has the form of a key's or an alias's.

    A value that a plan does not know yet has its final form; a Region alone has a name.
    """
    return is_kms_arn(kms_arn, unknown_region=REGION)
