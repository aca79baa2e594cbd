"""Make an emulator and run it: a socket, a line when it accepts, a clean end on a signal."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import socket
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from openai_ekm.emulator.accounts import Accounts
from openai_ekm.emulator.app import create_app
from openai_ekm.emulator.auth import AdminKeys
from openai_ekm.emulator.aws_check import AwsCheck
from openai_ekm.emulator.faults import Faults, parse_fault
from openai_ekm.emulator.iam_propagation import IamPropagation
from openai_ekm.emulator.settings import Settings, parse_assignments
from openai_ekm.emulator.state import Emulator
from openai_ekm.emulator.store import Store
from openai_ekm.emulator.trail import Trail
from openai_ekm.emulator.trail.delivery import EventBus, TrailFolder, check_takes_events
from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp, Scope

__all__ = ["Connections", "bind", "run", "serve"]

# How long a connection stays open between two calls. A client looks at a connection that it kept,
# and sends; if the connection closes between the two, the call is lost, and is sent again. This is
# longer than a busy machine holds a client there.
_IDLE_SECONDS: Final = 120
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
        timeout_keep_alive=_IDLE_SECONDS,
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


def run(
    *,
    host: str,
    port: int,
    database: str,
    settle: float,
    faults: Sequence[str],
    settings: Sequence[str],
    trail: Path | None,
    events: bool,
    environment: Mapping[str, str],
    ready: Callable[[dict[str, Any]], None],
) -> None:
    """Run the emulator until it is told to stop.

    Args:
        host: Loopback address.
        port: TCP port; 0 takes a free one.
        database: SQLite file, or `:memory:`.
        settle: Seconds that IAM takes to settle.
        faults: Faults to begin with, as `parse_fault` reads them.
        settings: `NAME=VALUE` words.
        trail: Folder for CloudTrail's log files of what the emulator does in AWS.
        events: Whether the same goes to EventBridge, too.
        environment: `AWS_ENDPOINT_URL`, `OPENAI_ADMIN_KEY`, `EKM_EMULATOR_KEYS`.
        ready: Called with the addresses once connections are accepted.

    Raises:
        BadInput: An option or a variable is wrong; nothing was started.
    """
    behaviour = Settings().changed(parse_assignments(settings))
    switched = Faults(parse_fault(text) for text in faults)
    keys = AdminKeys.from_environment(environment)
    endpoint = _endpoint(environment)
    accounts = Accounts(endpoint)
    if events:
        check_takes_events(endpoint)
    with ExitStack() as opened:
        listener = opened.enter_context(bind(host, port))
        store = opened.enter_context(closing(Store(database)))
        delivered = Trail(
            time.time,
            folder=None if trail is None else TrailFolder(trail),
            bus=EventBus(accounts.client) if events else None,
        )
        emulator = Emulator(
            store=store,
            keys=keys,
            cloud=AwsCheck(
                accounts, IamPropagation(store, seconds=settle, clock=time.time), trail=delivered
            ),
            clock=time.time,
            settings=behaviour,
            faults=switched,
        )
        connections = Connections()
        address = base_address(listener)
        where = {
            "base_url": f"{address}/v1",
            "control_url": f"{address}/_emulator",
            "pid": os.getpid(),
        }
        app = create_app(emulator, hang_up=connections.hang_up, sleep=connections.sleep)
        serve(app, listener, connections, lambda: ready(where))


def _endpoint(environment: Mapping[str, str]) -> str:
    """Return the AWS that the emulator checks keys in; never the real one by default."""
    endpoint = environment.get("AWS_ENDPOINT_URL", "").strip()
    if not endpoint:
        raise BadInput(
            "emulator_aws_endpoint_missing",
            "AWS_ENDPOINT_URL is not set: the emulator checks keys in the AWS that it names.",
            at_fault="AWS_ENDPOINT_URL",
            remedy="Start LocalStack and export AWS_ENDPOINT_URL=http://127.0.0.1:4566.",
        )
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInput(
            "emulator_aws_endpoint",
            f"AWS_ENDPOINT_URL is {endpoint!r}, which is not the URL of an endpoint.",
            at_fault="AWS_ENDPOINT_URL",
            remedy="For example: export AWS_ENDPOINT_URL=http://127.0.0.1:4566.",
        )
    return endpoint
