"""The limits of one call, against servers that send a byte now and then, or without end."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from openai_ekm.openai_api import constants
from openai_ekm.openai_api.redaction import AdminKey
from openai_ekm.openai_api.transport import AnswerLost, HttpRequest, NeverSent, RequestsTransport
from tests.constants import SECRET
from tests.support.standing_clock import standing_until
from tests.support.wire import Authority, Listener, drip, listening

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.openai_api.deadline import Call

POST = HttpRequest("POST", "/x", "POST /x", body={"name": "prod"})
GET = HttpRequest("GET", "/x", "GET /x")
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
TOO_LONG = "the whole call took longer than"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority."""
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def short_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of less than a second; no time-out between two bytes is near that."""
    monkeypatch.setattr(constants, "CALL_TIMEOUT", 0.6)
    monkeypatch.setattr(constants, "READ_TIMEOUT", 300.0)
    monkeypatch.setattr(constants, "CONNECT_TIMEOUT", 300.0)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def transport(url: str, runs: Callable[[Call], bool] | None = None) -> RequestsTransport:
    """The transport under test; its clock stands until `runs`, if that is given."""
    clock = standing_until(runs) if runs else time.monotonic
    return RequestsTransport(url, AdminKey(SECRET, origin="x"), clock=clock)


def request_leaves(call: Call) -> bool:
    """Whether the call's request has begun to leave."""
    return call.begun


def handshake_begins(call: Call) -> bool:
    """Whether the call has a socket for TLS, which exists from its handshake on."""
    return any(isinstance(used, ssl.SSLSocket) for used in call._sockets)


DRIPS = {
    "silence": (b"", b""),
    "status_line": (b"HTTP/1.1 200 ", b"O"),
    "header_value": (OK + b"X-Slow: ", b"a"),
    "header_after_header": (OK, b"X-Slow: a\r\n"),
    "continue_again_and_again": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body_of_known_length": (OK + b"Content-Length: 100000\r\n\r\n", b"x"),
    "body_until_close": (OK + b"Connection: close\r\n\r\n", b"x"),
    "chunk": (CHUNKED + b"fffff\r\n", b"x"),
    "chunk_after_chunk": (CHUNKED, b"1\r\nx\r\n"),
    "length_of_a_chunk": (CHUNKED, b"0"),
    "trailer": (CHUNKED + b"0\r\n", b"X-Slow: a\r\n"),
    "redirect_body": (
        b"HTTP/1.1 302 Found\r\nLocation: /v1/x\r\nContent-Length: 9999\r\n\r\n",
        b"x",
    ),
}


@pytest.mark.parametrize(("head", "piece"), DRIPS.values(), ids=DRIPS)
def test_no_answer_that_drips_outlives_the_call(head: bytes, piece: bytes) -> None:
    """Guards against: a lease that ends while the call that it protects goes on."""
    with listening(drip(head, piece)) as server, pytest.raises(AnswerLost, match=TOO_LONG):
        transport(f"http://127.0.0.1:{server.port}/v1", request_leaves).send(POST)
    assert server.given_up == [True], "the client stayed for as long as the server took"


def test_no_answer_that_drips_over_tls_outlives_the_call(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: the limit holds for plain sockets alone, and OpenAI's speaks TLS."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    context = authority.server_context()
    plain = drip(OK + b"X-Slow: ", b"a")

    def play(listener: Listener, connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            plain(listener, wrapped)

    def at_server(_call: Call) -> bool:  # whose handshake may end after the client's
        return bool(server.received)

    with listening(play) as server, pytest.raises(AnswerLost, match=TOO_LONG):
        transport(f"https://127.0.0.1:{server.port}/v1", at_server).send(POST)
    assert server.given_up == [True]


def test_no_handshake_that_drips_outlives_the_call() -> None:
    """Guards against: a TLS handshake, whose bytes no HTTP time-out counts, holds the run."""
    record = b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb"  # a handshake of 16 kB, of which little comes
    with (
        listening(drip(record, b"\x00", reads=False)) as server,
        pytest.raises(NeverSent, match=TOO_LONG),
    ):
        transport(f"https://127.0.0.1:{server.port}/v1", handshake_begins).send(POST)
    assert server.given_up == [True]


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 Connection ", OK + b"X-Slow: "], ids=["status", "header"]
)
def test_no_proxy_that_drips_outlives_the_call(
    head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a proxy that never finishes its answer to CONNECT; nothing was sent yet."""
    with listening(drip(head, b"a")) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
        url = "https://openai.example.invalid/v1"
        with pytest.raises(NeverSent, match=TOO_LONG):
            transport(url, lambda _call: bool(server.received)).send(POST)
    assert server.received[0].startswith(b"CONNECT openai.example.invalid:443 ")
    assert SECRET.encode() not in b"".join(server.received)


def test_a_name_that_is_never_resolved_ends_with_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: the C library's resolver, which knows no time-out, holds the run."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_words: over.wait(120) and [])
    try:
        with pytest.raises(NeverSent, match=TOO_LONG):
            transport("https://openai.example.invalid/v1").send(POST)
    finally:
        over.set()


FLOODS: dict[str, tuple[bytes, bytes]] = {
    "length_of_a_chunk": (CHUNKED, b"0" * 65536),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    "trailers": (CHUNKED + b"0\r\n", b"X: a\r\n" * 10000),
    "redirect_body": (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b"x" * 65536),
}


@pytest.mark.parametrize(("head", "piece"), FLOODS.values(), ids=FLOODS)
def test_what_comes_beside_the_body_is_counted_too(
    head: bytes, piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a size limit on the body alone, while memory fills with something else."""
    monkeypatch.setattr(constants, "CALL_TIMEOUT", 300.0)
    with (
        # A busy machine counts 32 MiB of short lines for longer than a drip may last.
        listening(drip(head, piece, pause=0, longest=240.0)) as server,
        pytest.raises(AnswerLost, match=r"larger than 32 MiB|chunk size line"),
    ):
        transport(f"http://127.0.0.1:{server.port}/v1").send(POST)


def test_two_calls_have_a_time_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: a connection that is used again keeps the first call's end."""
    monkeypatch.setattr(constants, "CALL_TIMEOUT", 30.0)
    answer = OK + b"Content-Length: 2\r\n\r\n{}"

    def play(listener: Listener, connection: socket.socket) -> None:
        while listener.request(connection):
            connection.sendall(answer)

    seconds = iter(range(1000))
    with listening(play) as server:
        late = RequestsTransport(
            f"http://127.0.0.1:{server.port}/v1",
            AdminKey(SECRET, origin="x"),
            clock=lambda: float(next(seconds)),
        )
        for _ in range(6):
            assert late.send(GET).body == b"{}"
        assert len(server.received) == 6
        server.stop()


def _plain_http_elsewhere(answers: list[str]) -> Callable[..., object]:
    def resolve(_host: str, port: int, *_more: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, port)) for at in answers]

    return resolve


def test_plain_http_stays_on_this_machine_whatever_the_resolver_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Guards against: `localhost` that a resolver gives another address, with the key in clear."""
    monkeypatch.setattr(socket, "getaddrinfo", _plain_http_elsewhere(["192.0.2.1"]))
    with pytest.raises(NeverSent, match="not this machine"):
        transport("http://localhost:8080/v1").send(POST)
