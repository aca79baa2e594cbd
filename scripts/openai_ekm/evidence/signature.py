"""The signature of a manifest, checked offline; which keys may sign, and the key's fingerprint.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/offline-operations.html
https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

__all__ = [
    "ALGORITHMS",
    "LARGEST_KEY",
    "LARGEST_SIGNATURE",
    "LEAST_RSA_BITS",
    "PublicKey",
    "UnsuitableKeyError",
    "check_fingerprint",
]

LEAST_RSA_BITS: Final = 3072
_MOST_RSA_BITS: Final = 16_384  # past which a check takes seconds
LARGEST_KEY: Final = 16 * 1024  # bytes of PEM
LARGEST_SIGNATURE: Final = 4096  # bytes
_RSA: Final = "RSASSA_PSS_SHA_256"
_EC: Final = "ECDSA_SHA_256"
# KMS's name of a kind of key, and how such a key signs.
ALGORITHMS: Final = {"RSA_3072": _RSA, "RSA_4096": _RSA, "ECC_NIST_P256": _EC}
_FINGERPRINT: Final = re.compile(r"sha256:[0-9a-f]{64}")


class UnsuitableKeyError(ValueError):
    """The reason why a public key is not one that may sign; the words follow "it"."""


def check_fingerprint(text: str) -> str:
    """Return a fingerprint as this package writes it.

    Raises:
        BadInput: It is of another form.
    """
    found = text.strip().lower()
    if not _FINGERPRINT.fullmatch(found):
        raise BadInput(
            "fingerprint_malformed",
            f"--fingerprint {text[:100]!r} is not sha256: and 64 hexadecimal digits.",
            at_fault="--fingerprint",
            remedy="Get it from the person who signed, not from the pack: `ekm evidence write` "
            "prints it.",
        )
    return found


class PublicKey:
    """A public key that may sign a manifest.

    Args:
        der: Its form as SubjectPublicKeyInfo, as KMS's GetPublicKey answers.

    Raises:
        UnsuitableKeyError: It is not RSA of 3072 bits or more, nor of the curve P-256.
    """

    def __init__(self, der: bytes) -> None:
        try:
            key = serialization.load_der_public_key(der)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UnsuitableKeyError("is no public key that can be read") from None
        self._key = _suitable(key)
        # Anew, so that no second form of the same key has another fingerprint.
        self.der = self._key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @classmethod
    def from_pem(cls, pem: bytes) -> PublicKey:
        """Read a key from its PEM form, which must be exactly the one that `pem` writes.

        Raises:
            UnsuitableKeyError: It is not suitable, or the file holds something else as well.
        """
        try:
            key = serialization.load_pem_public_key(pem)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UnsuitableKeyError("is no public key that can be read") from None
        found = cls(
            key.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        if found.pem != pem:
            raise UnsuitableKeyError("holds something beside the key")
        return found

    @property
    def pem(self) -> bytes:
        """Return the PEM form."""
        return self._key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def fingerprint(self) -> str:
        """Return `sha256:` and the SHA-256 of the DER form, in hexadecimal digits."""
        return f"sha256:{hashlib.sha256(self.der).hexdigest()}"

    @property
    def algorithm(self) -> str:
        """Return how it signs, as KMS spells it."""
        return _RSA if isinstance(self._key, rsa.RSAPublicKey) else _EC

    def verifies(self, signature: bytes, content: bytes) -> bool:
        """Return whether the signature is this key's, over the SHA-256 of the content."""
        try:
            if isinstance(self._key, rsa.RSAPublicKey):
                # KMS salts with as many bytes as the digest has.
                padded = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
                self._key.verify(signature, content, padded, hashes.SHA256())
            else:
                self._key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def _suitable(key: PublicKeyTypes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < LEAST_RSA_BITS:
            raise UnsuitableKeyError(
                f"is RSA of {key.key_size} bits, and fewer than {LEAST_RSA_BITS} are too few"
            )
        if key.key_size > _MOST_RSA_BITS:
            raise UnsuitableKeyError(f"is RSA of {key.key_size} bits, which no key of KMS has")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, ec.SECP256R1):
            raise UnsuitableKeyError(f"is of the curve {key.curve.name}, and not of P-256")
        return key
    raise UnsuitableKeyError("is neither an RSA key nor one of the curve P-256")
