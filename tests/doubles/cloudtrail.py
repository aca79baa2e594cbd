"""CloudTrail in front of LocalStack: a proxy that writes the events that AWS would write.

LocalStack records no calls. This proxy hands each call on, and puts the event of a call that
changed something into the EventBridge behind it. It can also refuse a call, lose an answer, or hold
an answer back, as the way to AWS can.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import requests

from openai_ekm.emulator.trail.delivery import entry_of
from tests.constants import REGION
from tests.support.cloudtrail_events import USER, api_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.rehearsal.localstack import LocalStack

__all__ = ["CloudTrail", "cloudtrail"]

RECORDED: Final = frozenset({"TagResource", "UntagResource"})
OWN: Final = frozenset({"host", "connection", "content-length", "transfer-encoding"})
DENIED: Final = "not authorized"


class CloudTrail:
    """What the proxy was asked, and what it does to the answers.

    Attributes:
        calls: Names of the calls, as they came.
        refused: Names of calls that are refused; with a number, how many pass before.
        lost: Names of calls that are handed on and never answered.
        held: Names of calls whose answers wait for `released`.
    """

    def __init__(self, aws: LocalStack, account: str) -> None:
        self.forget()
        self.url = ""
        self.upstream = aws.endpoint_url
        self._events = aws.client("events", account, REGION)

    def forget(self) -> None:
        """Begin anew: no calls, and every call is handed on."""
        self.calls: list[str] = []
        self.refused: dict[str, int] = {}
        self.lost: set[str] = set()
        self.held: set[str] = set()
        self.released = threading.Event()

    def answer(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes, dict[str, str]] | None:
        """Hand a call on; return status, body and headers, or None for no answer."""
        target = headers.get("X-Amz-Target", "").rpartition(".")[2]
        call = target or parse_qs(body.decode()).get("Action", [""])[0]
        self.calls.append(call)
        if call in self.refused:
            self.refused[call] -= 1
            if self.refused[call] < 0:
                return 403, _refusal(is_json=bool(target)), {"Content-Type": "text/xml"}
        kept = {name: value for name, value in headers.items() if name.lower() not in OWN}
        answer = requests.post(self.upstream + path, headers=kept, data=body, timeout=60)
        if answer.ok:
            self.record(call, body)
        if call in self.held:
            self.held.discard(call)
            self.released.wait(60)
        if call in self.lost:
            return None
        return answer.status_code, answer.content, dict(answer.headers)

    def record(self, call: str, body: bytes) -> None:
        """Put the event of a call that changed something, as CloudTrail writes it."""
        if call not in RECORDED:
            return
        asked: dict[str, Any] = json.loads(body)
        parameters: dict[str, Any] = {"keyId": asked["KeyId"]}
        if call == "TagResource":
            tags = [
                {"tagKey": each["TagKey"], "tagValue": each["TagValue"]} for each in asked["Tags"]
            ]
            parameters["tags"] = tags
        else:
            parameters["tagKeys"] = asked["TagKeys"]
        resources = [{"type": "AWS::KMS::Key", "ARN": asked["KeyId"]}]
        event = api_event("kms", call, USER, requestParameters=parameters, resources=resources)
        self._events.put_events(Entries=[entry_of(event["detail"])])


@contextmanager
def cloudtrail(aws: LocalStack, account: str) -> Iterator[CloudTrail]:
    """Yield the proxy in front of an account.

    Args:
        aws: Where the account is.
        account: Twelve digits.
    """
    trail = CloudTrail(aws, account)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = trail.answer(self.path, dict(self.headers.items()), body)
            if answer is None:
                self.close_connection = True
            else:
                self._answer(*answer)

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in OWN | {"content-encoding", "date", "server"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Say nothing of a client that is gone: tests interrupt it."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    trail.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield trail
    finally:
        trail.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _refusal(*, is_json: bool) -> bytes:
    if is_json:
        return json.dumps({"__type": "AccessDeniedException", "message": DENIED}).encode()
    error = f"<Error><Code>AuthorizationError</Code><Message>{DENIED}</Message></Error>"
    return f"<ErrorResponse>{error}</ErrorResponse>".encode()
