"""AWS's code of a failed call: its meaning, and whose it is to remedy.

Sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors,
https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Cause", "cause_of"]


@dataclass(frozen=True, slots=True)
class Cause:
    """The meaning of a code.

    Args:
        side: `us` (the owner of the key), `them` (OpenAI), `aws`, or `unknown`.
        diagnosis: A sentence.
        remedy: A sentence.
    """

    side: str
    diagnosis: str
    remedy: str


_DENIED: Final = Cause(
    "us",
    "A policy does not allow the call: the key policy, the role's policies or boundary, an SCP or "
    "an RCP.",
    "`ekm diagnose` names the statement and the smallest fix.",
)
_STATE: Final = Cause(
    "us",
    "The key is in a state in which it cannot be used: disabled, its deletion scheduled, or "
    "without its material.",
    "Enable the key, cancel its deletion, or import its material; `ekm status` shows its state.",
)
_THEIRS: Final = Cause(
    "them",
    "The caller sent what KMS does not take: a wrong ciphertext, key, context or parameter.",
    "If the caller is OpenAI, give your contact there the event's id and time.",
)
_EXPIRED: Final = Cause(
    "them",
    "The caller's credentials have ended or are not valid.",
    "If the caller is OpenAI, it assumes the role anew; tell your contact if it goes on.",
)
_QUOTA: Final = Cause(
    "us",
    "The account's KMS request quota in the Region is used up; all callers share it.",
    "Find the other callers, or ask AWS for a higher quota.",
)
_AWS: Final = Cause(
    "aws",
    "KMS failed within AWS.",
    "Look at AWS Health; OpenAI tries again.",
)
_UNKNOWN: Final = Cause(
    "unknown",
    "This code is not known here.",
    "Read the message of AWS, and the KMS API reference.",
)
_CAUSES: Final[tuple[tuple[str, Cause], ...]] = (
    ("AccessDenied", _DENIED),
    ("Disabled", _STATE),
    ("KMSInvalidState", _STATE),
    ("InvalidState", _STATE),
    (
        "NotFound",
        Cause(
            "us",
            "There is no such key or alias in this account and Region.",
            "Compare the registered ARN with the key: `ekm status`.",
        ),
    ),
    ("KeyUnavailable", _AWS),
    ("DependencyTimeout", _AWS),
    ("KMSInternal", _AWS),
    ("InternalFailure", _AWS),
    ("ServiceUnavailable", _AWS),
    ("Throttling", _QUOTA),
    ("LimitExceeded", _QUOTA),
    ("RequestLimitExceeded", _QUOTA),
    ("ExpiredToken", _EXPIRED),
    ("InvalidClientTokenId", _EXPIRED),
    ("RequestExpired", _EXPIRED),
    ("SignatureDoesNotMatch", _EXPIRED),
    ("InvalidCiphertext", _THEIRS),
    ("IncorrectKey", _THEIRS),
    ("InvalidKeyUsage", _THEIRS),
    ("InvalidGrantToken", _THEIRS),
    ("InvalidArn", _THEIRS),
    ("Validation", _THEIRS),
    ("DryRunOperation", _THEIRS),
)


_MEANT: Final = Cause(
    "them",
    "The policies refuse somebody other than OpenAI, as they are meant to.",
    "Ask who it was why they tried.",
)


def cause_of(code: str, who: str) -> Cause:
    """Return what a code means.

    Args:
        code: It may have the ending `Exception` or not.
        who: openai, others or undecided: a policy is meant to refuse others.
    """
    if who == "others" and code.startswith("AccessDenied"):
        return _MEANT
    return next((cause for prefix, cause in _CAUSES if code.startswith(prefix)), _UNKNOWN)
