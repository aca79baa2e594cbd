"""Run the application: a loopback socket, a line when it accepts, a clean end on a signal."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Scope

__all__ = ["Connections", "bind", "serve"]

# How long calls that are being answered may take once a stop was asked for.
_STOP_SECONDS: Final = 3
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Connections:
    """The open connections by the client's address, so that a fault can break or delay one."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], Any] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End every wait: the server is going down."""
        self._stopping.set()

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the server runs."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def hang_up(self, scope: Scope) -> None:
        """Break the connection of a request: what was sent has left, nothing more comes."""
        transport = self._transports.get(tuple(scope["client"]))
        if transport is not None:
            transport.abort()

    def protocol(self) -> type[H11Protocol]:
        """Return the protocol that tells us of connections."""
        transports = self._transports

        class Watched(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                if self.client is not None:
                    transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return Watched


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket on loopback.

    Args:
        host: A loopback address, or `localhost`.
        port: TCP port; 0 takes a free one.

    Raises:
        BadInput: `emulator_host`, for any other address; `emulator_port`, when it is taken.
    """
    address = _loopback(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise BadInput(
            "emulator_port",
            f"The emulator cannot listen on {address} port {port}: {error.strerror}.",
            at_fault="--port",
            remedy="Stop what uses the port, name another one, or take a free one with --port 0.",
        ) from error
    return listener


def _loopback(host: str) -> str:
    address = "127.0.0.1" if host == "localhost" else host
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise BadInput(
            "emulator_host",
            f"The emulator does not listen on {host!r}: its control surface asks for no key.",
            at_fault="--host",
            remedy="Use a loopback address: 127.0.0.1, ::1 or localhost.",
        )
    return address


def base_address(listener: socket.socket) -> str:
    """Return `http://HOST:PORT` of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """A server that says when it accepts connections, and when it stops."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets=sockets)


def serve(
    app: ASGIApp, listener: socket.socket, connections: Connections, ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT; both are a clean end.

    Args:
        app: The application.
        listener: A listening socket.
        connections: Learns of every connection.
        ready: Called once connections are accepted.
    """
    config = uvicorn.Config(
        app,
        http=connections.protocol(),
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    with _clean_end():
        _Server(config, ready, connections.stop).run(sockets=[listener])


@contextmanager
def _clean_end() -> Iterator[None]:
    """Let the signals that end the server end it alone.

    uvicorn raises them again once it has stopped, which would end the process as killed.
    """
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
