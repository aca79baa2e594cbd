"""Rotations as AWS answers, by a stub: LocalStack answers in its own way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from openai_ekm.evidence import aws
from openai_ekm.evidence.aws import read_rotation
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
    assert MOMENT.astimezone(UTC).hour == 10


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
