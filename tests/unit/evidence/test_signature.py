"""Which keys may sign, and what their signatures are worth."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

from openai_ekm.errors import BadInput
from openai_ekm.evidence.aws import check_signing_key
from openai_ekm.evidence.signature import PublicKey, UnsuitableKeyError, check_fingerprint
from tests.support.evidence_pack import ec_key, public, rsa_key, sign
from tests.support.healthy import ALIAS, KEY


def test_both_kinds_of_key_sign_as_kms_says() -> None:
    """Guards against: another padding, salt or digest than that of KMS."""
    for key, algorithm in ((ec_key(), "ECDSA_SHA_256"), (rsa_key(), "RSASSA_PSS_SHA_256")):
        found = PublicKey(public(key))
        assert found.algorithm == algorithm
        assert found.verifies(sign(key, b"x"), b"x")
        assert not found.verifies(sign(key, b"x"), b"y")
        assert not found.verifies(b"", b"x")
        assert PublicKey.from_pem(found.pem).fingerprint == found.fingerprint


def test_another_padding_is_no_signature() -> None:
    """Guards against: PKCS #1 v1.5, or another salt, taken for PSS."""
    found = PublicKey(public(rsa_key()))
    assert not found.verifies(rsa_key().sign(b"x", padding.PKCS1v15(), hashes.SHA256()), b"x")
    long_salt = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    assert not found.verifies(rsa_key().sign(b"x", long_salt, hashes.SHA256()), b"x")


def test_a_key_that_is_too_weak_or_of_another_kind_is_refused() -> None:
    """Guards against: RSA of 2048 bits, another curve, or another algorithm."""
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    der = other.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for content in (public(rsa_key(2048)), public(ec_key(ec.SECP384R1)), der, b"", b"x"):
        with pytest.raises(UnsuitableKeyError):
            PublicKey(content)


@pytest.mark.parametrize(
    "text",
    ["", "sha256:", "0" * 64, "sha256:" + "0" * 63, "sha256:" + "g" * 64, "sha1:" + "0" * 64],
)
def test_a_malformed_fingerprint_is_refused(text: str) -> None:
    """Guards against: a typo that reads as another key."""
    with pytest.raises(BadInput) as refused:
        check_fingerprint(text)
    assert refused.value.id == "fingerprint_malformed"


def test_a_fingerprint_may_be_in_capitals() -> None:
    """Guards against: the refusal of a right fingerprint."""
    assert check_fingerprint(" SHA256:" + "AB" * 32 + "\n") == "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    "text",
    [
        *("", "kms:", "kms:alias/x", KEY, f"kms:{KEY} ", "ssm:x", "kms:x\n"),
        f"kms:{ALIAS}\u00e9",
        "kms:" + ALIAS.replace("111122223333", "11112222333\u0663"),
        f"kms:{ALIAS.partition('/')[0]}/{'x' * 257}",
    ],
)
def test_what_is_to_sign_is_named_by_its_whole_arn(text: str) -> None:
    """Guards against: a key of another account or Region by a name alone."""
    with pytest.raises(BadInput) as refused:
        check_signing_key(text, ())
    assert refused.value.id == "evidence_sign_malformed"


@pytest.mark.parametrize("name", ["key/x", "alias/a/b_c-1", "alias/" + "x" * 256])
def test_a_key_or_an_alias_of_any_partition_may_sign(name: str) -> None:
    """Guards against: the refusal of a right ARN."""
    arn = f"arn:aws-us-gov:kms:us-gov-west-1:111122223333:{name}"
    assert check_signing_key(f"kms:{arn}", (KEY,)) == arn


@pytest.mark.parametrize("arn", [KEY, ALIAS])
def test_the_key_of_openai_never_signs(arn: str) -> None:
    """Guards against: the key that protects data, used for something else."""
    with pytest.raises(BadInput) as refused:
        check_signing_key(f"kms:{arn}", (KEY, ALIAS))
    assert refused.value.id == "evidence_signing_key_unsuitable"
