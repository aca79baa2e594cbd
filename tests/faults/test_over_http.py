"""The client's transport against a server that misbehaves on the wire."""

from __future__ import annotations

import http.server
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.openai_api import ApiRefused, constants
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.redaction import AdminKey
from openai_ekm.openai_api.transport import AnswerLost, HttpRequest, NeverSent, RequestsTransport
from tests.constants import SECRET
from tests.support.wire import Listener, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

GET = HttpRequest("GET", "/x", "GET /x", query=(("limit", "1"),))
POST = HttpRequest("POST", "/x", "POST /x", body={"name": "prod"})


class Server:
    """An HTTP server on a free loopback port, whose answers a test writes."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer: Any = None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_args: object) -> None:
                pass

            def _any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                content = self.rfile.read(length)
                outer.seen.append((self.command, self.path, dict(self.headers), content))
                outer.answer(self)

            do_GET = do_POST = do_DELETE = _any  # noqa: N815 - http.server's names

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server."""
    running = Server()
    yield running
    running.stop()


def respond(status: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> Any:
    """An answer, whole."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def transport(url: str) -> RequestsTransport:
    """The transport under test."""
    return RequestsTransport(url, AdminKey(SECRET, origin="x"))


def test_request_has_what_the_contract_asks(server: Server) -> None:
    """Guards against: the key is not sent, or the body is no JSON, or a GET announces a body."""
    server.answer = respond(200, b'{"a": 1}', headers={"X-Request-Id": "r1"})
    response = transport(server.url).send(POST)
    assert (response.status, response.body) == (200, b'{"a": 1}')
    assert response.headers["x-request-id"] == "r1"
    method, path, headers, body = server.seen[0]
    assert (method, path, body) == ("POST", "/v1/x", b'{"name": "prod"}')
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("openai-ekm-aws/")
    transport(server.url).send(GET)
    assert server.seen[1][1] == "/v1/x?limit=1"
    assert "Content-Type" not in server.seen[1][2]


def test_proxy_and_netrc_of_the_environment_are_kept_out(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Guards against: a password of ~/.netrc replaces the key, or loopback goes through a proxy."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.answer = respond(200)
    transport(server.url).send(GET)
    assert server.seen[0][2]["Authorization"] == f"Bearer {SECRET}"


def test_nobody_listening_is_never_sent() -> None:
    """Guards against: a create that never left is taken for one that may have happened."""
    with socket.socket() as held:  # so that nobody else listens there
        held.bind(("127.0.0.1", 0))
        with pytest.raises(NeverSent) as raised:
            transport(f"http://127.0.0.1:{held.getsockname()[1]}/v1").send(POST)
    assert "refused" in str(raised.value).lower()
    assert "Connection(" not in str(raised.value)
    assert "0x" not in str(raised.value)


def test_unknown_host_is_never_sent() -> None:
    """Guards against: a mistyped host is taken for a lost answer."""
    with pytest.raises(NeverSent):
        transport("https://no-such-host.invalid/v1").send(POST)


def test_proxy_that_lets_nothing_through_is_never_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a proxy's refusal taken for a lost answer, and looked after for minutes."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, server.url.removesuffix("/v1"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(NeverSent, match="Tunnel connection failed: 501"):
        transport("https://api.openai.com/v1").send(POST)


def test_closed_connection_is_a_lost_answer(server: Server) -> None:
    """Guards against: a create whose connection broke counts as never sent, and is sent again."""
    server.answer = lambda handler: handler.connection.close()
    with pytest.raises(AnswerLost):
        transport(server.url).send(POST)


def test_body_cut_short_is_a_lost_answer(server: Server) -> None:
    """Guards against: half an answer is read as a whole one."""

    def cut(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b'{"id": "extkey_1"}')
        handler.wfile.flush()
        handler.connection.shutdown(2)

    server.answer = cut
    with pytest.raises(AnswerLost):
        transport(server.url).send(POST)


def test_slow_answer_ends_in_the_read_time_out(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a server that says nothing holds the run for ever."""
    monkeypatch.setattr(constants, "READ_TIMEOUT", 0.2)
    ended, answered = threading.Event(), threading.Event()
    waited_for: list[bool] = []

    def answer(_handler: http.server.BaseHTTPRequestHandler) -> None:
        waited_for.append(ended.wait(120))
        answered.set()

    server.answer = answer
    try:
        with pytest.raises(AnswerLost):
            transport(server.url).send(POST)
    finally:
        ended.set()
        # A slow server may take the connection only now.
        answered.wait(60)
        server.stop()
    assert waited_for == [True], "the client waited for as long as the server took"


def test_answer_over_the_limit_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: an endless answer fills the memory."""
    monkeypatch.setattr(constants, "MOST_BYTES", 1000)
    server.answer = respond(200, b"x" * 1001)
    with pytest.raises(AnswerLost, match="larger"):
        transport(server.url).send(GET)


LOCATIONS = {
    "other_host": "http://127.0.0.1:{other}/v1/x",
    "other_host_without_scheme": "//127.0.0.1:{other}/v1/x",
    "two_hosts_by_backslash": "//127.0.0.1:{other}\\@127.0.0.1:{here}/v1/x",
    "two_hosts_by_at": "http://127.0.0.1:{here}@127.0.0.1:{other}/v1/x",
    "tab_in_the_host": "http://127.0.0.1:{other}\t/v1/x",
    "same_origin": "/v1/there",
    "not_a_url": "http://[::1/v1",
    "not_a_port": "http://127.0.0.1:99999999/v1",
    "nothing": "",
    "not_latin": "http://\u00ff\u00fe/",
    "terminal": "/\x1b]52;c;aGk=\x07",
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", LOCATIONS.values(), ids=LOCATIONS)
def test_no_redirect_is_followed(server: Server, location: str, status: int, method: str) -> None:
    """Guards against: an answer that takes the admin key to another host, or is a defect here.

    Source: https://httpwg.org/specs/rfc9110.html#status.3xx (a redirect may be followed; it need
    not be).
    """
    seen: list[bytes] = []

    def play(_listener: Listener, connection: socket.socket) -> None:
        seen.append(connection.recv(1))

    with listening(play) as other:
        here = server.url.rsplit(":", 1)[1].removesuffix("/v1")
        target = location.format(other=other.port, here=here)
        server.answer = respond(status, headers={"Location": target})
        api = AdminApi(transport(server.url), sleep=lambda _seconds: None)
        call = api.get_external_key if method == "GET" else api.archive_project
        with pytest.raises(ApiRefused) as raised:
            call("extkey_1")
    assert seen == [], "the other host saw a byte"
    assert len(server.seen) == 1
    assert raised.value.id == "openai_redirected"
    assert str(status) in raised.value.message
    assert raised.value.message.isprintable()


def test_retry_after_is_waited_for_and_the_call_sent_again(server: Server) -> None:
    """Guards against: a rate limit fails the run, though OpenAI said when to come back."""
    answers = iter(
        [
            respond(429, b"", headers={"Retry-After": "7"}),
            respond(200, b'{"object": "list", "data": [], "has_more": false}'),
        ]
    )

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        next(answers)(handler)

    server.answer = answer
    slept: list[float] = []
    lines: list[str] = []
    api = AdminApi(transport(server.url), sleep=slept.append, progress=lines.append)
    assert api.list_external_keys() == ()
    assert slept == [7.0]
    assert "429" in lines[0]
    assert "7 s" in lines[0]
    assert server.seen[0][1].startswith("/v1/organization/external_keys?limit=100&purpose=ekm")


@pytest.mark.parametrize("id", ["a/b", "../x", "a?b", "a%2fb", "é"])
def test_id_stays_one_segment_of_the_path(server: Server, id: str) -> None:
    """Guards against: an id reaches into another path of the API."""
    server.answer = respond(200, b'{"id": "x"}')
    AdminApi(transport(server.url)).get_external_key(id)
    segments = server.seen[0][1].split("/")
    assert segments[:4] == ["", "v1", "organization", "external_keys"]
    assert len(segments) == 5
    assert "?" not in segments[4]
