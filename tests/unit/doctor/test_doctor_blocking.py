"""Why AWS and OpenAI are not asked: one reason, the first that fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from openai_ekm.doctor.examine import Identity, _identity, before_openai
from openai_ekm.doctor.facts import Caller, Network
from tests.constants import REGION
from tests.unit.doctor.facts import CALLER, CREDENTIALS, GIVEN, broken, given, unreached

if TYPE_CHECKING:
    from collections.abc import Iterator

SOUND = Identity(GIVEN, CREDENTIALS, REGION, CALLER, accepted=True, reached=True)
STRANGER = Caller("arn:aws:iam::999900001111:user/me", "999900001111")


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({}, None),
        ({"credentials": broken(), "answer": None}, "aws_credentials"),
        ({"credentials": unreached(), "answer": None}, "aws_credentials"),
        ({"credentials": unreached(), "answer": None, "reached": False}, "network_aws"),
        ({"answer": None, "reached": False}, "network_aws"),
        ({"answer": broken()}, "aws_account"),
        ({"answer": STRANGER}, "aws_account"),
        ({"region": None}, "aws_region"),
        ({"accepted": False}, "aws_region"),
    ],
)
def test_the_first_thing_that_fails_is_the_reason(
    changes: dict[str, Any], check: str | None
) -> None:
    """Guards against: a reason that leads the reader to a check that does not fail."""
    found = replace(SOUND, **changes).blocked
    assert found is None if check is None else f"({check})" in str(found)


def test_an_admin_key_in_aws_needs_aws() -> None:
    """Guards against: OpenAI blamed for an admin key that AWS does not give."""
    named = given(admin_key_from="ssm:/key")
    away = replace(SOUND, given=named, answer=None, reached=False)
    assert "(network_aws)" in before_openai(named, Network(openai="https://x"), away)
    reason = before_openai(named, Network(openai=unreached()), replace(SOUND, given=named))
    assert "(network_openai)" in reason


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """AWS in memory, whose STS in Ireland does not know the account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        made = boto3.Session(region_name=REGION)
        events: Any = made.events
        events.register_first("before-send.sts", refuse)
        yield made


class Raw:
    """The body of an answer, as urllib3 gives it."""

    def stream(self, *_: Any) -> Iterator[bytes]:
        """Return the whole of it."""
        yield b"<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>"


def refuse(request: Any, **_: Any) -> AWSResponse | None:
    """Answer as STS does in a Region that the account has not enabled."""
    if f"sts.{REGION}." not in request.url:
        return None
    return AWSResponse(request.url, 403, HTTPHeaders(), Raw())


def test_a_region_that_is_not_enabled_is_told_apart_from_bad_credentials(
    session: boto3.Session,
) -> None:
    """Guards against: "log in again" where the account has not enabled the Region."""
    network = Network(aws=f"https://sts.{REGION}.amazonaws.com")
    found = _identity(GIVEN, session, REGION, network)
    assert found.accepted is False
    assert found.caller is not None
    elsewhere = _identity(GIVEN, session, "us-east-1", network)
    assert elsewhere.accepted is True
