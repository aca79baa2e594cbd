"""What is not AWS's answer: a captive portal's page, and answers of another form or type.

Guards against: botocore reads an HTML page with status 200 as an answer without members, so that a
record counts as written; and its parsers end in errors that are no BotoCoreError (exit code 70).
"""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm import aws_session
from openai_ekm.errors import NotReachable
from openai_ekm.snapshot.aws import collect

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = "application/x-amz-json-1.1"
PAGE = b"<html><body><h1>Log in</h1></body></html>"
ROLE = "arn:aws:iam::111122223333:role/openai"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


class Elsewhere:
    """A host that answers in AWS's place, with one answer to everything."""

    def __init__(self) -> None:
        self.status, self.kind, self.body = 200, "text/html", PAGE
        self.calls = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_words: object) -> None:
                pass

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.calls += 1
                self.send_response(outer.status)
                self.send_header("Content-Type", outer.kind)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """The host, as AWS's endpoint."""
    host = Elsewhere()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{host.server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setattr(aws_session, "ATTEMPTS", 1)
    yield host
    host.server.shutdown()
    host.server.server_close()


NOT_AWS: list[tuple[int, str, bytes]] = [
    *[(status, "text/html", PAGE) for status in (200, 302, 403, 404, 511)],
    (200, JSON, b""),
    (200, JSON, b"{}"),
    (200, JSON, b"[]"),
    (200, JSON, b"null"),
    (200, JSON, b"[" * 200_000),
    (200, JSON, b"\xff\xfe{"),
    (200, JSON, b'{"Parameter": "x", "Version": "one"}'),
    (200, JSON, b'{"Parameter": {"Value": 7}, "Version": [1]}'),
    (400, JSON, b'{"__type": ["a"], "message": {"a": 1}}'),
    (500, JSON, b"[]"),
    (200, "text/xml", b"<GetCallerIdentityResponse><GetCallerIdentityResult/>"),
]


@pytest.mark.parametrize(("status", "kind", "body"), NOT_AWS)
def test_what_is_not_aws_is_not_believed(
    elsewhere: Elsewhere, status: int, kind: str, body: bytes
) -> None:
    """A read, a write and a call in XML end in one error, and nothing counts as done."""
    elsewhere.status, elsewhere.kind, elsewhere.body = status, kind, body
    session = aws_session.new_session()
    ssm = aws_session.client(session, "ssm")
    with pytest.raises(NotReachable, match="ssm:Get"), aws_session.translated("ssm:GetParameter"):
        ssm.get_parameter(Name="/a")["Parameter"]["Value"]
    with pytest.raises(NotReachable, match="ssm:Put"), aws_session.translated("ssm:PutParameter"):
        ssm.put_parameter(Name="/a", Value="b", Type="String")
    with pytest.raises(NotReachable, match=r"sts:GetCallerIdentity"):
        aws_session.check_account(session, "111122223333")


def test_a_snapshot_of_a_portal_is_none(elsewhere: Elsewhere) -> None:
    """The snapshot reads by clients of its own, and says that AWS gave no answer."""

    class Intent:
        role_arn, kms_arn, external_id = ROLE, KEY, "org-abcdefghij"

    intent: Any = Intent()
    with pytest.raises(NotReachable, match="what answered is not AWS"):
        collect(intent, lambda _account: aws_session.new_session())
    assert elsewhere.calls == 1


def test_a_snapshot_of_an_aws_that_fails_is_none(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a snapshot in which nothing was seen, and exit code 0."""

    class Intent:
        role_arn, kms_arn, external_id = ROLE, KEY, "org-abcdefghij"

    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    elsewhere.status, elsewhere.kind, elsewhere.body = 503, JSON, b""
    intent: Any = Intent()
    with pytest.raises(NotReachable, match="could answer nothing") as raised:
        collect(intent, lambda _account: aws_session.new_session())
    assert raised.value.exit_code == 5


def test_an_empty_answer_is_one_where_aws_gives_none(elsewhere: Elsewhere) -> None:
    """KMS answers EnableKey with nothing, DeleteParameter with an empty object, moto with null.

    SQS answers ReceiveMessage so where the queue has no message.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
    """
    session = aws_session.new_session()
    elsewhere.kind, elsewhere.body = JSON, b""
    aws_session.client(session, "kms").enable_key(KeyId="a")
    elsewhere.body = b"null"
    aws_session.client(session, "kms").enable_key(KeyId="a")
    elsewhere.body = b"{}"
    aws_session.client(session, "ssm").delete_parameter(Name="/a")
    found = aws_session.client(session, "sqs").receive_message(QueueUrl="https://a/1/b")
    assert found.get("Messages", []) == []


def test_a_member_that_is_missing_is_named(elsewhere: Elsewhere) -> None:
    """An answer of the right form may still lack what is needed."""
    elsewhere.kind, elsewhere.body = JSON, b'{"Parameter": {}}'
    ssm = aws_session.client(aws_session.new_session(), "ssm")
    with (
        pytest.raises(NotReachable, match="has no member 'Value'"),
        aws_session.translated("ssm:GetParameter"),
    ):
        ssm.get_parameter(Name="/a")["Parameter"]["Value"]
