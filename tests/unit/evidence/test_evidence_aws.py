"""AWS's answers that LocalStack does not give, by a stub: rotations, and keys that do not sign."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from openai_ekm.errors import AwsRefused, BadInput, Defect
from openai_ekm.evidence import aws
from openai_ekm.evidence.aws import SigningKey, read_rotation
from tests.support.evidence_pack import ec_key, public, sign
from tests.support.healthy import KEY

MOMENT = datetime(2026, 11, 29, 11, 0, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """A client of KMS whose answers a test gives."""
    client = boto3.client(
        "kms", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(aws, "client", lambda *_: client)
    return Stubber(client)


def ask(stub: Stubber) -> Any:
    """Read the rotations with the answers that the stub has."""
    with stub:
        found = read_rotation(boto3.Session(region_name="eu-west-1"), [KEY])
    stub.assert_no_pending_responses()
    return found


def test_rotations_of_every_page_are_read(stub: Stubber) -> None:
    """Guards against: the first page alone, and times in the zone of the machine."""
    stub.add_response(
        "get_key_rotation_status",
        {
            "KeyRotationEnabled": True,
            "KeyId": KEY,
            "RotationPeriodInDays": 365,
            "NextRotationDate": MOMENT,
        },
        {"KeyId": KEY},
    )
    row = {"KeyId": KEY, "RotationDate": MOMENT, "RotationType": "AUTOMATIC"}
    stub.add_response(
        "list_key_rotations",
        {"Rotations": [row], "Truncated": True, "NextMarker": "m"},
        {"KeyId": KEY},
    )
    stub.add_response(
        "list_key_rotations",
        {"Rotations": [{**row, "RotationType": "ON_DEMAND"}], "Truncated": False},
        {"KeyId": KEY, "Marker": "m"},
    )
    rotation, not_seen = ask(stub)
    assert not_seen == ()
    assert rotation == {
        "keys": [
            {
                "key_arn": KEY,
                "enabled": True,
                "period_in_days": 365,
                "next_rotation_at": "2026-11-29T10:00:00Z",
                "rotations": [
                    {"at": "2026-11-29T10:00:00Z", "type": "AUTOMATIC"},
                    {"at": "2026-11-29T10:00:00Z", "type": "ON_DEMAND"},
                ],
            }
        ]
    }


def test_a_refusal_is_not_seen_and_the_rest_stays(stub: Stubber) -> None:
    """Guards against: a pack that fails, or that says that a key was never rotated."""
    stub.add_response("get_key_rotation_status", {"KeyRotationEnabled": False, "KeyId": KEY})
    stub.add_client_error("list_key_rotations", "AccessDeniedException", http_status_code=400)
    rotation, not_seen = ask(stub)
    assert rotation["keys"][0]["enabled"] is False
    assert rotation["keys"][0]["rotations"] is None
    assert [(each.member, each.what) for each in not_seen] == [
        ("rotation", f"kms:ListKeyRotations {KEY}")
    ]
    assert "AccessDeniedException" in not_seen[0].why


def test_two_refusals_leave_no_member(stub: Stubber) -> None:
    """Guards against: a member that says nothing."""
    stub.add_client_error("get_key_rotation_status", "NotFoundException", http_status_code=400)
    stub.add_client_error("list_key_rotations", "InternalFailure", http_status_code=501)
    rotation, not_seen = ask(stub)
    assert rotation is None
    assert len(not_seen) == 2


def signing_key() -> SigningKey:
    """The key that is to sign."""
    return SigningKey(boto3.Session(region_name="eu-west-1"), KEY, ())


@pytest.mark.parametrize("code", ["UnsupportedOperationException", "InvalidKeyUsageException"])
def test_a_symmetric_key_is_refused_in_words(code: str, stub: Stubber) -> None:
    """Guards against: AWS's code alone, for a key that cannot sign."""
    stub.add_client_error("get_public_key", code, http_status_code=400)
    with stub, pytest.raises(BadInput) as refused:
        signing_key()
    assert refused.value.id == "evidence_signing_key_unsuitable"


def test_a_key_that_may_not_be_read_is_aws_refusal(stub: Stubber) -> None:
    """Guards against: a missing permission taken for a key of the wrong kind."""
    stub.add_client_error("get_public_key", "AccessDeniedException", http_status_code=400)
    with stub, pytest.raises(AwsRefused):
        signing_key()


def answer(key_id: str = KEY) -> dict[str, Any]:
    """KMS's answer to GetPublicKey."""
    return {
        "KeyId": key_id,
        "KeySpec": "ECC_NIST_P256",
        "KeyUsage": "SIGN_VERIFY",
        "PublicKey": public(ec_key()),
        "SigningAlgorithms": ["ECDSA_SHA_256"],
    }


def test_an_alias_that_leads_to_openais_key_is_refused(stub: Stubber) -> None:
    """Guards against: OpenAI's key under another name."""
    stub.add_response("get_public_key", answer())
    with stub, pytest.raises(BadInput) as refused:
        SigningKey(boto3.Session(region_name="eu-west-1"), KEY.replace("key/", "alias/"), (KEY,))
    assert refused.value.id == "evidence_signing_key_unsuitable"


def test_a_signature_that_does_not_verify_is_never_in_a_pack(stub: Stubber) -> None:
    """Guards against: a pack that no auditor can verify, found out too late."""
    digest = "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"  # of b"aaa"
    asked = {
        "KeyId": KEY,
        "Message": bytes.fromhex(digest),
        "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }
    stub.add_response("get_public_key", answer())
    stub.add_response("sign", {"Signature": sign(ec_key(), b"aaa")}, asked)
    stub.add_response("sign", {"Signature": sign(ec_key(), b"bbb")}, asked)
    with stub:
        key = signing_key()
        assert key.public_key.verifies(key.sign(b"aaa"), b"aaa")
        with pytest.raises(Defect):
            key.sign(b"aaa")
