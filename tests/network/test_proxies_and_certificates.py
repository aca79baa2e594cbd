"""Proxies, certificate authorities and the client certificate: real sockets, real TLS."""

from __future__ import annotations

import threading
from socket import MSG_WAITALL
from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.main import load_verb, run
from openai_ekm.errors import BadInput
from openai_ekm.openai_api import ApiRefused, constants
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.redaction import AdminKey
from openai_ekm.openai_api.refusal_errors import ApiUnclear
from openai_ekm.openai_api.tls import ClientCertificate
from openai_ekm.openai_api.transport import HttpRequest, NeverSent, RequestsTransport
from tests.constants import SECRET
from tests.support.standing_clock import standing_until
from tests.support.wire import Authority, Listener, drip, listening

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable
    from pathlib import Path

GET = HttpRequest("GET", "/x", "GET /x")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority."""
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own settings."""
    for name in (*PROXIES, "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "FIRST_DELAY", 0.0)


def transport(url: str, certificate: ClientCertificate | None = None) -> RequestsTransport:
    """The transport under test."""
    return RequestsTransport(url, AdminKey(SECRET, origin="x"), certificate=certificate)


def over_tls(context: ssl.SSLContext) -> Callable[[Listener, socket.socket], None]:
    """A play: one answer over TLS."""

    def play(listener: Listener, connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            listener.request(wrapped)
            wrapped.sendall(ANSWER)

    return play


def plain(listener: Listener, connection: socket.socket) -> None:
    """A play: one answer."""
    listener.request(connection)
    connection.sendall(ANSWER)


@pytest.mark.parametrize("no_proxy", ["", "api.openai.com"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("variable", PROXIES)
def test_loopback_never_goes_through_a_proxy(
    variable: str, host: str, no_proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: the rehearsal's admin key, and its calls, at a proxy of the organization."""
    seen: list[bytes] = []
    with (
        listening(lambda _listener, connection: seen.append(connection.recv(1))) as proxy,
        listening(plain) as server,
    ):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        assert transport(f"http://{host}:{server.port}/v1").send(GET).body == b"{}"
    assert seen == []


def test_openai_is_called_through_the_proxy_and_the_key_stays_inside_the_tunnel(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a proxy that gets to read the admin key, or is not used."""

    def tunnel(listener: Listener, connection: socket.socket) -> None:
        listener.request(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        over_tls(authority.server_context())(listener, connection)

    with listening(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
        monkeypatch.setattr("openai_ekm.openai_api.transport.is_loopback", lambda _host: False)
        # The certificate is for this address; its port is the proxy's business.
        assert transport("https://127.0.0.1:9/v1").send(GET).body == b"{}"
    connect, inside = proxy.received
    assert connect.startswith(b"CONNECT 127.0.0.1:9 ")
    assert b"Proxy-Authorization: Basic " in connect
    assert SECRET.encode() not in connect
    assert f"Authorization: Bearer {SECRET}".encode() in inside
    assert b"Proxy-Authorization" not in inside


@pytest.mark.parametrize(
    ("value", "id"),
    [
        ("socks5h://user:hunter2@127.0.0.1:1080", "socks_proxy_unsupported"),
        ("socks5://127.0.0.1:1080", "socks_proxy_unsupported"),
        ("SOCKS4://127.0.0.1:1080", "socks_proxy_unsupported"),
        ("http://user:hunter2@[::1", "proxy_malformed"),
        ("http://:hunter2@:8080", "proxy_malformed"),
        ("http://127.0.0.1:port", "proxy_malformed"),
        ("ftp://127.0.0.1", "proxy_malformed"),
        ("socks://127.0.0.1:1080", "proxy_malformed"),  # as a desktop's settings write it
        ("hunter2", None),
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_named_before_any_call(
    variable: str, value: str, id: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a defect, or "check the network", and a password in the message."""
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    if id is None:
        transport("https://api.openai.com/v1")
        return
    with pytest.raises(BadInput) as raised:
        transport("https://api.openai.com/v1")
    assert raised.value.id == id
    assert raised.value.at_fault == variable
    assert "hunter2" not in f"{raised.value.message} {raised.value.remedy}"
    monkeypatch.setenv("NO_PROXY", "api.openai.com")
    transport("https://api.openai.com/v1")


def _socks(connection: socket.socket) -> None:
    """The server's side of SOCKS 5 without a password: any host is answered as connected."""
    connection.recv(3, MSG_WAITALL)
    connection.sendall(b"\x05\x00")
    length = connection.recv(5, MSG_WAITALL)[4]
    assert connection.recv(length + 2, MSG_WAITALL)[:-2] == b"openai.example.invalid"
    connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x09")


def test_a_socks_proxy_is_used_where_pysocks_is_there(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a SOCKS proxy that is promised and does not work, or resolves names here."""
    context = authority.server_context("openai.example.invalid")

    def play(listener: Listener, connection: socket.socket) -> None:
        _socks(connection)
        over_tls(context)(listener, connection)

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    with listening(play) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{proxy.port}")
        answer = transport("https://openai.example.invalid/v1").send(GET)
    assert answer.body == b"{}"
    assert f"Authorization: Bearer {SECRET}".encode() in proxy.received[0]


def test_no_socks_proxy_that_drips_outlives_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: PySocks, whose socket has time-outs of its own, holds the run."""
    monkeypatch.setattr(constants, "CALL_TIMEOUT", 0.6)
    monkeypatch.setattr(constants, "CONNECT_TIMEOUT", 300.0)
    slow = drip(b"\x05\x00\x00\x03\xff", b"a", pause=0.2, reads=False)
    asked = threading.Event()

    def play(listener: Listener, connection: socket.socket) -> None:
        connection.recv(3, MSG_WAITALL)
        connection.sendall(b"\x05\x00")
        connection.recv(5, MSG_WAITALL)
        asked.set()
        slow(listener, connection)

    with listening(play) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{proxy.port}")
        held = RequestsTransport(
            "https://openai.example.invalid/v1",
            AdminKey(SECRET, origin="x"),
            clock=standing_until(lambda _call: asked.is_set()),
        )
        with pytest.raises(NeverSent, match="the whole call took longer than"):
            held.send(GET)
    assert proxy.given_up == [True]


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> dict[str, Path]:
    """What a variable may name by mistake."""
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "text.pem").write_text("the authority of our proxy\n")
    (tmp_path / "cut.pem").write_text(authority.certificate.read_text()[:200])
    (tmp_path / "encrypted.pem").write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH=\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    names = ("empty", "text", "cut", "encrypted", "absent")
    return {name: tmp_path / f"{name}.pem" for name in names} | {"folder": tmp_path}


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("name", ["empty", "text", "cut", "absent"])
def test_a_ca_bundle_that_cannot_be_used_is_named(
    variable: str, name: str, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a missing file is "check the network" after minutes, or a defect."""
    monkeypatch.setenv(variable, str(files[name]))
    with pytest.raises(BadInput) as raised:
        transport("https://api.openai.com/v1")
    assert raised.value.id == "ca_bundle_unusable"
    assert raised.value.at_fault == variable
    assert str(files[name]) in raised.value.message


def test_a_bundle_of_ones_own_replaces_the_usual_authorities(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: an authority that is added to a list which was meant to be replaced."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    made = transport("https://api.openai.com/v1")
    assert [context.cert_store_stats()["x509_ca"] for context in made._contexts] == [1, 1]


def test_a_server_of_another_authority_sees_no_request(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: the key goes to whoever answers; or it is tried five times."""
    slept: list[float] = []
    with listening(over_tls(authority.server_context())) as server:
        api = AdminApi(transport(f"https://127.0.0.1:{server.port}/v1"), sleep=slept.append)
        with pytest.raises(ApiUnclear) as raised:
            api.create_project(name="a", external_key_id="b")
    assert raised.value.id == "openai_not_reachable"
    assert "certificate verify failed" in raised.value.message
    assert "REQUESTS_CA_BUNDLE" in (raised.value.remedy or "")
    assert (slept, server.received) == ([], [])


def test_mutual_tls_shows_the_certificate(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: an organization with mutual TLS cannot be served at all."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.certificate))
    ours = ClientCertificate(
        str(authority.folder / "client.pem"), str(authority.folder / "client.key")
    )
    with listening(over_tls(authority.server_context(wants_client=True))) as server:
        url = f"https://127.0.0.1:{server.port}/v1"
        assert transport(url, ours).send(GET).body == b"{}"
        slept: list[float] = []
        with pytest.raises((ApiUnclear, ApiRefused)) as raised:
            AdminApi(transport(url), sleep=slept.append).create_project(
                name="a", external_key_id="b"
            )
    assert raised.value.id == "openai_not_reachable"
    assert "OPENAI_MTLS_CERT_PATH" in (raised.value.remedy or "")
    assert slept == [], "repeated, though it stays so"
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "pair",
    [
        ("absent", "client.key", "CERT"),
        ("client.pem", "absent", "KEY"),
        ("text", "client.key", "CERT"),
        ("client.pem", "text", "CERT"),
        ("client.pem", "encrypted", "CERT"),
        ("client.pem", "server.key", "CERT"),
        ("folder", "client.key", "CERT"),
        ("client.pem", None, "CERT"),
        (None, "client.key", "CERT"),
    ],
)
def test_a_client_certificate_that_cannot_be_used_is_named(
    pair: tuple[str | None, str | None, str],
    files: dict[str, Path],
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Guards against: a defect, a question for a passphrase, or a call that goes out without it."""

    def path(name: str) -> str:
        return str(files.get(name, authority.folder / name))

    certificate, key, fault = pair
    monkeypatch.chdir(files["folder"])
    monkeypatch.setenv("OPENAI_ADMIN_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://mtls.api.openai.com/v1")
    words = ["--mtls-cert", path(certificate)] if certificate else []
    if key:
        monkeypatch.setenv("OPENAI_MTLS_KEY_PATH", path(key))
    code = run(load_verb("validate"), "ekm validate", ["--id", "extkey_1", *words])
    told = capsys.readouterr().err
    assert code == 2, told
    assert "error[client_certificate_unusable]" in told
    assert f"OPENAI_MTLS_{fault}_PATH" in told
