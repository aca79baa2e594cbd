"""Servers on a loopback port that speak bytes, not HTTP: for what no HTTP server would send."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Authority", "Listener", "drip", "listening"]

LONGEST_WAIT = 15.0  # seconds; a client that has not gone by then waits for as long as the server


class Listener:
    """A TCP server; each connection is played by one function.

    Args:
        play: Takes the connection.

    Attributes:
        received: What came in over every connection before it was played.
        given_up: For each connection, whether the client went before the play was over.
    """

    def __init__(self, play: Callable[[Listener, socket.socket], None]) -> None:
        self.received: list[bytes] = []
        self.given_up: list[bool] = []
        self._play = play
        self.over = threading.Event()
        self._last: tuple[str, int] | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        while True:
            try:
                connection, peer = self._socket.accept()
            except OSError:
                return
            if self.over.is_set():
                connection.close()
                return
            if peer == self._last:
                connection.close()
                continue
            self._connections.append(connection)
            thread = threading.Thread(target=self._one, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._play(self, connection)

    def request(self, connection: socket.socket) -> bytes:
        """Read a request's head, and whatever came with it."""
        data = b""
        while b"\r\n\r\n" not in data and (more := connection.recv(65536)):
            data += more
        if data:
            self.received.append(data)
        return data

    def settle(self) -> None:
        """Wait until every connection has been played, or is idle for long.

        Connections are accepted in the order in which they were made. So one that is made last,
        and is met with the end of it, comes after all that a slow server had not accepted yet.
        """
        if not self.over.is_set():
            with socket.socket() as last:
                last.bind(("127.0.0.1", 0))
                self._last = last.getsockname()
                last.settimeout(LONGEST_WAIT)
                last.connect(("127.0.0.1", self.port))
                assert last.recv(1) == b""
        for thread in self._threads[1:]:
            thread.join(LONGEST_WAIT)

    def stop(self) -> None:
        """End it and every connection."""
        self.over.set()
        # A blocked accept() does not notice that its socket is closed; a connection it does.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
            self._socket.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LONGEST_WAIT)


@contextlib.contextmanager
def listening(play: Callable[[Listener, socket.socket], None]) -> Iterator[Listener]:
    """A listener while the context lasts."""
    listener = Listener(play)
    try:
        yield listener
        listener.settle()
    finally:
        listener.stop()


def drip(
    head: bytes,
    piece: bytes,
    *,
    pause: float = 0.05,
    reads: bool = True,
    longest: float = LONGEST_WAIT,
) -> Callable[[Listener, socket.socket], None]:
    """A play: a head at once, then one piece after the other for as long as the client stays.

    Args:
        head: Sent as soon as the request was read.
        piece: Sent again and again.
        pause: Seconds between two; 0 floods.
        reads: Wait for a request's head first.
        longest: Seconds; a client that has not gone by then stays for as long as the server.
    """

    def play(listener: Listener, connection: socket.socket) -> None:
        if reads:
            listener.request(connection)
        ends = time.monotonic() + longest
        gone = False
        try:
            connection.sendall(head)
        except OSError:
            gone = True
        while not gone and not listener.over.is_set() and time.monotonic() < ends:
            try:
                connection.settimeout(LONGEST_WAIT)
                connection.sendall(piece)
                if pause:
                    connection.settimeout(pause)
                    gone = not connection.recv(65536)
            except TimeoutError:
                pass
            except OSError:
                gone = True
        listener.given_up.append(gone)

    return play


@dataclass(frozen=True)
class Authority:
    """A certificate authority of a test, and what it signed; made by the openssl command.

    Args:
        folder: Where the files are.
    """

    folder: Path

    @property
    def certificate(self) -> Path:
        """Its own certificate."""
        return self.folder / "ca.pem"

    @classmethod
    def make(cls, folder: Path) -> Authority:
        """Make the authority, and a certificate `server` for 127.0.0.1 and `client`."""
        folder.mkdir(parents=True, exist_ok=True)
        usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _make(folder, "ca", "-subj", "/CN=test", *usage)
        authority = cls(folder)
        for name in ("server", "client"):
            authority._sign(name, "IP:127.0.0.1")
        return authority

    def _sign(self, name: str, subject: str) -> None:
        words = ["-subj", f"/CN={name}", "-CA", "ca.pem", "-CAkey", "ca.key"]
        for extension in (
            f"subjectAltName={subject}",
            "basicConstraints=critical,CA:FALSE",
            "authorityKeyIdentifier=keyid",
        ):
            words += ["-addext", extension]
        _make(self.folder, name, *words)

    def server_context(self, host: str = "server", *, wants_client: bool = False) -> ssl.SSLContext:
        """For a server that shows `server` or a host's, and perhaps asks for one of ours."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if not (self.folder / f"{host}.pem").exists():
            self._sign(host, f"DNS:{host}")
        context.load_cert_chain(self.folder / f"{host}.pem", self.folder / f"{host}.key")
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.certificate)
        return context


def _make(folder: Path, name: str, *words: str) -> None:
    """Make a key and a certificate, `NAME.key` and `NAME.pem`."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
    command = ["openssl", "req", "-x509", *key, *files, *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
