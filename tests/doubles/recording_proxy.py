"""A proxy on loopback that works, and keeps the first line of all that it is asked."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def recording_proxy() -> Iterator[tuple[dict[str, str], list[str]]]:
    """Yield the variables that name the proxy, without NO_PROXY, and what it was asked.

    It tunnels what is asked with CONNECT, and answers everything else with 502.
    """
    asked: list[str] = []

    class Tunnel(socketserver.StreamRequestHandler):
        rbufsize = 0

        def handle(self) -> None:
            line = self.rfile.readline(65536).decode("latin-1").strip()
            asked.append(line)
            while self.rfile.readline(65536) not in (b"\r\n", b"\n", b""):
                pass
            method, _, rest = line.partition(" ")
            host, _, port = rest.split(" ")[0].rpartition(":")
            far = None
            if method == "CONNECT":
                with contextlib.suppress(OSError, ValueError):
                    far = socket.create_connection((host.strip("[]"), int(port)), timeout=60)
            if far is None:
                self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with far:
                back = threading.Thread(target=_pump, args=(far, self.connection))
                back.start()
                _pump(self.connection, far)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        variables = dict.fromkeys((*names, *map(str.lower, names)), url)
        try:
            yield {**variables, "NO_PROXY": "", "no_proxy": ""}, asked
        finally:
            server.shutdown()
            thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
