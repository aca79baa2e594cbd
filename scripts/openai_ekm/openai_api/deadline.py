"""The limits of one call, kept by the sockets themselves: a time that none outlives, and a size.

A time-out of a socket counts from one byte to the next, so a server that sends a byte now and
then holds a caller for as long as it likes: in the status line, a header, the length of a chunk,
"100 Continue" again and again, a TLS handshake, a proxy's answer. Here each operation of a socket
gets what is left of the whole call.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import allowed_gai_family

from openai_ekm.openai_api import constants
from openai_ekm.openai_api.base_url import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Call", "TimedAdapter", "limited_call", "request_begins"]


class Call:
    """One call and its limits.

    Args:
        seconds: For the whole of it, from the host's name to the last byte.
        most_bytes: That may be received.
        clock: Seconds, monotonic.

    Attributes:
        begun: The first byte of the HTTP request went out: the server may have seen it.
    """

    def __init__(
        self, seconds: float, most_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._until = clock() + seconds
        self._seconds = seconds
        self._left_bytes = most_bytes
        self._clock = clock
        self._sockets: set[socket.socket] = set()
        self.begun = False

    def uses(self, used: socket.socket) -> None:
        """Note a socket that the call works with."""
        self._sockets.add(used)

    def hang_up(self) -> None:
        """End the connections that the call worked with."""
        for used in self._sockets:
            with contextlib.suppress(OSError, ValueError):
                used.shutdown(socket.SHUT_RDWR)

    def limit_met(self) -> str | None:
        """Return the limit that the call has met, in words."""
        if self._left_bytes < 0:
            return f"the answer is larger than {constants.MOST_BYTES // 2**20} MiB"
        if self._until <= self._clock():
            return f"the whole call took longer than {self._seconds:.0f} s"
        return None

    def seconds_left(self) -> float:
        """Return the seconds that are left, more than none.

        Raises:
            TimeoutError: None are left.
        """
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError("the time of the call is over")
        return left

    def received(self, count: int) -> None:
        """Count received bytes.

        Raises:
            OSError: They are too many.
        """
        self._left_bytes -= count
        if self._left_bytes < 0:
            raise OSError("too many bytes")


_CALL: ContextVar[Call | None] = ContextVar("call", default=None)


@contextlib.contextmanager
def limited_call(call: Call) -> Iterator[Call]:
    """Hold every operation of a `TimedAdapter`'s sockets in this context to a call's limits.

    A call that fails ends its connection at once: objects that an error still holds would keep
    it open.
    """
    token = _CALL.set(call)
    try:
        yield call
    except BaseException:
        call.hang_up()
        raise
    finally:
        _CALL.reset(token)


def request_begins() -> None:
    """Note that the request of the call under way leaves: from here on it may be carried out."""
    if call := _CALL.get():
        call.begun = True


class _Timed(socket.socket):
    """A socket whose every operation ends when the call does."""

    _idle: float | None = None

    def settimeout(self, value: float | None) -> None:
        self._idle = value
        self._limit()

    def _limit(self) -> Call | None:
        call = _CALL.get()
        if call:
            call.uses(self)
        left = call.seconds_left() if call else None
        limits = [seconds for seconds in (self._idle, left) if seconds is not None]
        socket.socket.settimeout(self, min(limits, default=None))
        return call

    def connect(self, address: Any) -> None:
        self._limit()
        super().connect(address)

    def recv(self, *arguments: Any) -> bytes:
        call = self._limit()
        data = super().recv(*arguments)
        if call:
            call.received(len(data))
        return data

    def recv_into(self, *arguments: Any) -> int:
        call = self._limit()
        count = super().recv_into(*arguments)
        if call:
            call.received(count)
        return count

    def send(self, *arguments: Any) -> int:
        self._limit()
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self._limit()
        super().sendall(*arguments)


class _TimedTLS(_Timed, ssl.SSLSocket):
    """The same, over TLS; OpenSSL reads a handshake and a record under one time-out each."""

    def do_handshake(self, block: bool = False) -> None:
        self._limit()
        ssl.SSLSocket.do_handshake(self, block)


class _TimedConnection(HTTPConnection):
    """Makes timed sockets, and notes when a request begins to leave."""

    _connecting = False

    def _new_conn(self) -> socket.socket:
        try:
            addresses = _resolve(self._dns_host.strip("[]"), self.port or 0)
        except socket.gaierror as failure:
            raise exceptions.NameResolutionError(self.host, self, failure) from failure
        except TimeoutError as failure:
            raise exceptions.ConnectTimeoutError(self, str(failure)) from failure
        except (OSError, UnicodeError) as failure:
            raise exceptions.NewConnectionError(self, str(failure)) from failure
        failed: OSError = OSError("the host has no address")
        for family, kind, protocol, address in addresses:
            if not self._may_connect(str(address[0])):
                failed = OSError(f"plain http to {address[0]}, which is not this machine")
                continue
            timed = self._socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    timed.setsockopt(*option)
                timed.settimeout(self.timeout)
                timed.connect(address)
            except OSError as failure:
                timed.close()
                failed = failure
            else:
                return timed
        if isinstance(failed, TimeoutError):
            raise exceptions.ConnectTimeoutError(self, str(failed)) from failed
        raise exceptions.NewConnectionError(self, str(failed)) from failed

    def _socket(self, family: int, kind: int, protocol: int) -> socket.socket:
        return _Timed(family, kind, protocol)

    def _may_connect(self, address: str) -> bool:
        """Return whether the base URL may lead to the address: plain http stays on this machine."""
        return isinstance(self, HTTPSConnection) or is_loopback(address.partition("%")[0])

    def connect(self) -> None:
        self._connecting = True
        try:
            super().connect()
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not self._connecting:  # else it is the request to a proxy, for a tunnel
            request_begins()
        super().send(data)


class _TimedHTTPSConnection(_TimedConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _TimedHTTPSConnection


class TimedAdapter(HTTPAdapter):
    """requests' adapter over timed sockets.

    Args:
        context: Certificates that are accepted, and the one that is shown to OpenAI.
        proxy_context: Certificates that are accepted of a proxy that speaks TLS.
    """

    def __init__(self, context: ssl.SSLContext, proxy_context: ssl.SSLContext) -> None:
        for each in (context, proxy_context):
            each.sslsocket_class = _TimedTLS
        self._context, self._proxy_context = context, proxy_context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of connections without a proxy."""
        super().init_poolmanager(*arguments, **options, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _HTTPSPool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make the pools of connections through a proxy."""
        options |= {"ssl_context": self._context}
        if proxy.lower().startswith("socks"):
            manager = super().proxy_manager_for(proxy, **options)
            manager.pool_classes_by_scheme = {"https": _socks_pool()}
            return manager
        manager = super().proxy_manager_for(proxy, **options, proxy_ssl_context=self._proxy_context)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _HTTPSPool}
        return manager

    def cert_verify(self, *_arguments: Any, **_options: Any) -> None:
        """Add nothing: requests would add its own list of authorities to those of the context."""


def _resolve(host: str, port: int) -> list[tuple[int, int, int, Any]]:
    """Return the addresses of a host, within the call's time: the C library knows no limit."""
    outcome: list[Any] = []

    def ask() -> None:
        try:
            outcome.append(socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM))
        except (OSError, UnicodeError) as failure:
            outcome.append(failure)

    call = _CALL.get()
    thread = threading.Thread(target=ask, name="resolver", daemon=True)
    thread.start()
    thread.join(call.seconds_left() if call else None)
    if not outcome:
        if call:
            call.seconds_left()
        raise TimeoutError(f"the name {host} was not resolved in time")
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return [(family, kind, number, at) for family, kind, number, _name, at in outcome[0]]


def _socks_pool() -> type[HTTPSConnectionPool]:
    """Return the pool for a SOCKS proxy, over timed sockets; PySocks is there."""
    # Not among the requirements: some have it, for their proxy.
    import socks  # type: ignore[import-untyped] # noqa: PLC0415

    class TimedSocks(_Timed, socks.socksocket):  # type: ignore[misc]
        """PySocks's socket sets time-outs of its own, which reach no further than ours."""

    class Connection(_TimedHTTPSConnection):
        def __init__(
            self, *arguments: Any, _socks_options: Mapping[str, Any], **options: Any
        ) -> None:
            self._socks_options = _socks_options
            super().__init__(*arguments, **options)

        def _new_conn(self) -> socket.socket:
            given = self._socks_options
            timed = TimedSocks()
            timed.set_proxy(
                given["socks_version"],
                given["proxy_host"],
                given["proxy_port"],
                given["rdns"],
                given["username"],
                given["password"],
            )
            try:
                timed.settimeout(self.timeout)
                timed.connect((self.host, self.port))
            except OSError as failure:
                timed.close()
                raise exceptions.NewConnectionError(self, str(failure)) from failure
            return timed

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool
