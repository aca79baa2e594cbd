"""The calls of a pack to KMS: rotations of the key, and the signature. They decide nothing.

Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html
https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from openai_ekm.arns import ARN_OF_KEY_IN_TEXT, region_of
from openai_ekm.aws_session import client, list_items, translated
from openai_ekm.errors import BadInput, Defect
from openai_ekm.evidence.pack import NotSeen
from openai_ekm.evidence.signature import ALGORITHMS, LEAST_RSA_BITS, PublicKey
from openai_ekm.registration.record import timestamp
from openai_ekm.snapshot.refusals import code_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import boto3

__all__ = ["SigningKey", "check_signing_key", "read_rotation"]

_LONGEST_NAME: Final = 256  # characters of a key's id or an alias's name
_UNSUITABLE: Final = frozenset({"UnsupportedOperationException", "InvalidKeyUsageException"})


def read_rotation(
    session: boto3.Session, key_arns: Iterable[str]
) -> tuple[dict[str, Any] | None, tuple[NotSeen, ...]]:
    """Read whether each key is rotated, and when it was.

    Args:
        session: The credentials of who writes the pack.
        key_arns: The keys, each in its Region.

    Returns:
        The member `rotation`, None where AWS said nothing at all; and what was not seen.
    """
    keys, not_seen = [], []
    for arn in key_arns:
        kms = client(session, "kms", region_of(arn))
        status, refused = _asked("kms:GetKeyRotationStatus", arn, _status, kms)
        rotations, refused_too = _asked("kms:ListKeyRotations", arn, _rotations, kms)
        not_seen += [each for each in (refused, refused_too) if each is not None]
        if status is not None or rotations is not None:
            keys.append({"key_arn": arn, **(status or _NO_STATUS), "rotations": rotations})
    return ({"keys": keys} if keys else None), tuple(not_seen)


_NO_STATUS: Final = {"enabled": None, "period_in_days": None, "next_rotation_at": None}


def _asked(action: str, arn: str, ask: Any, kms: Any) -> tuple[Any, NotSeen | None]:
    """Return what KMS answers, or its refusal as something that was not seen."""
    with translated(action):
        try:
            return ask(kms, arn), None
        except ClientError as refusal:
            why = f"AWS answered {code_of(refusal)}."
            return None, NotSeen("rotation", f"{action} {arn}", why)


def _status(kms: Any, arn: str) -> dict[str, Any]:
    found = kms.get_key_rotation_status(KeyId=arn)
    return {
        "enabled": found["KeyRotationEnabled"],
        "period_in_days": found.get("RotationPeriodInDays"),
        "next_rotation_at": _time(found.get("NextRotationDate")),
    }


def _rotations(kms: Any, arn: str) -> list[dict[str, Any]]:
    found = list_items(kms, "list_key_rotations", "Rotations", KeyId=arn)
    return [
        {"at": _time(each.get("RotationDate")), "type": each.get("RotationType")} for each in found
    ]


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def check_signing_key(text: str, registered: Iterable[str]) -> str:
    """Return the ARN of `--sign kms:ARN`.

    Args:
        text: The option's value.
        registered: ARNs of the key that OpenAI uses, and of its aliases.

    Raises:
        BadInput: It is of another form, or names OpenAI's key.
    """
    kind, _, arn = text.partition(":")
    if kind != "kms" or not _is_arn_of_key(arn):
        raise BadInput(
            "evidence_sign_malformed",
            f"--sign {text[:200]!r} is not kms: and the full ARN of a key or an alias.",
            at_fault="--sign",
            remedy="Give --sign kms:arn:aws:kms:REGION:ACCOUNT:key/ID.",
        )
    _refuse_openai_key(arn, registered)
    return arn


def _is_arn_of_key(text: str) -> bool:
    """Return whether a text is the whole ARN of a key or an alias, in any partition."""
    name = text.partition("/")[2]
    is_arn = ARN_OF_KEY_IN_TEXT.fullmatch(text) is not None
    return is_arn and text.isascii() and len(name) <= _LONGEST_NAME


def _refuse_openai_key(arn: str, registered: Iterable[str]) -> None:
    if arn in set(registered):
        raise BadInput(
            "evidence_signing_key_unsuitable",
            f"{arn} is the key that OpenAI uses. It signs no evidence.",
            at_fault="--sign",
            remedy=_SUITABLE,
        )


_SUITABLE: Final = (
    f"Make a key for signing alone: RSA of {LEAST_RSA_BITS} bits or more, or ECC_NIST_P256, with "
    "the usage SIGN_VERIFY."
)


class SigningKey:
    """A key of KMS that signs the manifest; two calls in all.

    Args:
        session: The credentials of who writes the pack.
        arn: Of the key or of its alias.
        registered: ARNs that must not sign: OpenAI's key.

    Raises:
        BadInput: It is not suitable.
        AwsRefused: AWS does not give its public key.
    """

    def __init__(self, session: boto3.Session, arn: str, registered: Iterable[str]) -> None:
        self._kms = client(session, "kms", region_of(arn))
        with translated(f"kms:GetPublicKey {arn}"):
            try:
                found = self._kms.get_public_key(KeyId=arn)
            except ClientError as refusal:
                if code_of(refusal) not in _UNSUITABLE:
                    raise
                raise _unsuitable(arn, "is a symmetric key, or one that does not sign") from None
            spec = found.get("KeySpec") or found.get("CustomerMasterKeySpec")
            usage, der = found["KeyUsage"], found["PublicKey"]
            self.arn = str(found["KeyId"])
        _refuse_openai_key(self.arn, registered)
        if usage != "SIGN_VERIFY":
            raise _unsuitable(arn, f"has the usage {usage}, and not SIGN_VERIFY")
        if spec not in ALGORITHMS:
            raise _unsuitable(arn, f"is {spec}, and not one of {', '.join(ALGORITHMS)}")
        self.public_key = PublicKey(der)

    def sign(self, content: bytes) -> bytes:
        """Return the signature of the SHA-256 of a content, which does not leave this machine.

        Raises:
            AwsRefused: AWS does not sign.
            Defect: The signature is not the key's.
        """
        with translated(f"kms:Sign {self.arn}"):
            signature: bytes = self._kms.sign(
                KeyId=self.arn,
                Message=hashlib.sha256(content).digest(),
                MessageType="DIGEST",
                SigningAlgorithm=self.public_key.algorithm,
            )["Signature"]
        if not self.public_key.verifies(signature, content):
            raise Defect(
                "evidence_signature_unusable",
                f"The signature that KMS returned for {self.arn} does not verify.",
                at_fault=self.arn,
                remedy="Sign again; if it happens twice, open an issue.",
            )
        return signature


def _unsuitable(arn: str, why: str) -> BadInput:
    return BadInput(
        "evidence_signing_key_unsuitable", f"{arn} {why}.", at_fault="--sign", remedy=_SUITABLE
    )
