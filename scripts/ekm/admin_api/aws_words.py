"""AWS's words inside OpenAI's answer: what they mean, what is at fault, what to do.

OpenAI passes on the sentence, with or without an SDK's prefix before it: so each row is looked
for anywhere in the text, by the exception's name or by AWS's own wording.

Source: wire contract 2.3 (documented failures) and 2.4 (what else AWS can produce).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ekm.admin_api.kinds import Kind

__all__ = ["AwsWords", "read_aws_words"]


@dataclass(frozen=True, slots=True)
class AwsWords:
    """What a text of AWS's means.

    Args:
        kind: Decides whether waiting can help.
        at_fault: Document, value or resource that is to blame; None where AWS itself failed.
        remedy: One sentence that says what to do.
    """

    kind: Kind
    at_fault: str | None
    remedy: str


_DENIED, _UNUSABLE, _TRANSIENT = Kind.AWS_DENIED, Kind.AWS_KEY_UNUSABLE, Kind.AWS_TRANSIENT
_SETTLING: Final = "a policy saved minutes ago may still be settling"
_KEY: Final = "the KMS key"
# The first row that matches counts: names before sentences that several causes share.
_ROWS: Final[tuple[tuple[str, AwsWords], ...]] = (
    (
        r"\b(?:KeyUnavailable|DependencyTimeout|KMSInternal)Exception\b|:kms:\S+ is creating",
        AwsWords(
            _TRANSIENT, None, "Try again later; an external key store behind the key may be down."
        ),
    ),
    (
        r"arn:aws:kms:\S+ is pending (?:replica )?deletion",
        AwsWords(
            _UNUSABLE,
            _KEY,
            "Cancel the key's deletion (aws kms cancel-key-deletion), then enable it "
            "(aws kms enable-key): once the waiting period ends, the data is lost.",
        ),
    ),
    (
        r"arn:aws:kms:\S+ is pending import",
        AwsWords(_UNUSABLE, _KEY, "Import the key's material, or register another key."),
    ),
    (
        r"arn:aws:kms:\S+ is disabled|\bDisabledException\b",
        AwsWords(_UNUSABLE, _KEY, "Enable the KMS key (aws kms enable-key)."),
    ),
    (
        r"\bInvalidKeyUsageException\b|key usage is \S+ which|is incompatible with key spec",
        AwsWords(
            _UNUSABLE,
            _KEY,
            "Register a symmetric key for ENCRYPT_DECRYPT: a key's type cannot be changed.",
        ),
    ),
    (
        r"\bIncorrectKeyException\b|does not identify a CMK that can perform this operation",
        AwsWords(
            _UNUSABLE,
            "the alias that kms_arn names",
            "Point the alias back to the key that it named before: moving it cuts off what was "
            "encrypted.",
        ),
    ),
    (
        r"\bRegionDisabledException\b|STS is not activated in this region",
        AwsWords(
            _UNUSABLE,
            "the account's settings of STS",
            "Activate STS in that Region for the account (IAM console, account settings).",
        ),
    ),
    (
        r"\bInvalidArnException\b|arn:aws:kms:\S+ is not valid",
        AwsWords(_UNUSABLE, "kms_arn", "Register the full ARN of the key."),
    ),
    (
        r"arn:aws:kms:\S+ is unavailable|\bKMSInvalidStateException\b",
        AwsWords(
            _UNUSABLE,
            _KEY,
            "Bring the key back into use: connect its custom key store, or look at its state with "
            "aws kms describe-key.",
        ),
    ),
    (
        r"with an explicit deny in (?P<policy>an? (?:[a-z-]+ )*?(?:policy|boundary))",
        AwsWords(
            _DENIED,
            "the explicit deny in {policy}",
            f"Lift the deny for this role and key; `ekm diagnose` names the statement, and "
            f"{_SETTLING}.",
        ),
    ),
    (
        r"is not authorized to perform: sts:AssumeRole\b",
        AwsWords(
            _DENIED,
            "the role's trust policy, role_arn or external_id",
            "Check that role_arn is spelt right and that its trust policy names OpenAI's role and "
            "the external id of the organization that is encrypted: `ekm diagnose` tells which; "
            f"{_SETTLING}.",
        ),
    ),
    (
        r"because no identity-based policy allows",
        AwsWords(
            _DENIED,
            "the role's identity policy",
            "Allow kms:Encrypt and kms:Decrypt on the key's ARN there (an alias's ARN never "
            f"matches); {_SETTLING}.",
        ),
    ),
    (
        r"because no (?P<policy>(?:[a-z-]+ )*?(?:policy|boundary)) allows",
        AwsWords(
            _DENIED,
            "the {policy}",
            f"Let it allow kms:Encrypt and kms:Decrypt on the key's ARN; {_SETTLING}.",
        ),
    ),
    (
        r"because the resource does not exist in this Region",
        AwsWords(
            _DENIED,
            "kms_arn, or the key policy",
            "Check that kms_arn names the key, its account and its Region; then that the key "
            f"policy lets the role use it and denies nothing; {_SETTLING}.",
        ),
    ),
    (
        r"\bKey '[^']*' does not exist|\bAlias \S+ is not found|\bNotFoundException\b",
        AwsWords(
            _DENIED,
            "kms_arn",
            "Correct kms_arn: in that account and Region there is no such key or alias.",
        ),
    ),
    (
        r"is not authorized to perform: (?:sts|kms):|\bAccessDenied(?:Exception)?\b",
        AwsWords(
            _DENIED,
            "the role's identity policy, or the key policy",
            "Allow kms:Encrypt and kms:Decrypt on the key's ARN in the role's policy, and in the "
            f"key policy if that does not leave it to the account; {_SETTLING}.",
        ),
    ),
)
_COMPILED: Final = tuple((re.compile(pattern), words) for pattern, words in _ROWS)


def read_aws_words(text: str) -> AwsWords | None:
    """Return what a text of AWS's means, None for one that is none of AWS's; pure."""
    for pattern, words in _COMPILED:
        if match := pattern.search(text):
            at_fault = words.at_fault and words.at_fault.format(**match.groupdict())
            return AwsWords(words.kind, at_fault, words.remedy)
    return None
