"""What stands between Terraform and a running AWS provider, and hands on a shorter schema.

The provider describes some 1,500 kinds of resources, and Terraform reads every description for
each command: more than half of what is left of a command's processor time. This repository uses a
few dozen. The relay cuts the descriptions of all others out of the one answer that has them. Every
other call goes to the provider, and comes back, as it is.

A kind whose description is missing is an error of Terraform's: nothing is taken for good unseen.
"""

from __future__ import annotations

import functools
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["relay"]

ROOT = Path(__file__).resolve().parent.parent
KIND = re.compile(r"\baws_[a-z0-9_]+")
FOLDERS = ("bench", "docs", "examples", "modules", "scripts", "tests", "tools")
HOLDING = {".hcl", ".md", ".py", ".tf"}
SCHEMA = ("/GetSchema", "/GetProviderSchema")
CONFIGURE = ("/Configure", "/ConfigureProvider")
# The members of the answer that are lists of kinds: resources, data sources, ephemeral resources,
# and, of newer providers, lists and actions.
# Source: https://github.com/hashicorp/terraform/tree/main/docs/plugin-protocol
LISTS = {2, 3, 8, 9, 10, 11, 12}
DELIMITED = 2  # the wire type of a text, of bytes and of a message
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
CALLS_AT_ONCE = 32

_schemas: dict[str, bytes] = {}


@functools.cache
def kinds() -> frozenset[bytes]:
    """Return every name of a kind that this repository's files hold."""
    files = [*ROOT.iterdir(), *(file for each in FOLDERS for file in (ROOT / each).rglob("*.*"))]
    names = {
        name
        for file in files
        if file.suffix in HOLDING and ".terraform" not in file.parts
        for name in KIND.findall(file.read_text("utf-8"))
    }
    return frozenset(name.encode() for name in names)


def number_at(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that stands at a place of a message, and the place behind it."""
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number has no eighth bit
            return number, at
        shift += 7


def shortened(answer: bytes) -> bytes:
    """Return a provider's description of itself without the kinds that nobody here names."""
    kept = []
    at = 0
    while at < len(answer):
        start = at
        tag, at = number_at(answer, at)
        if tag & 7 != DELIMITED:
            raise ValueError(f"member {tag >> 3} of the schema is no message")
        size, at = number_at(answer, at)
        end = at + size
        if tag >> 3 in LISTS:
            _, key = number_at(answer, at)  # a key is the first member of its entry
            length, key = number_at(answer, key)
            if answer[key : key + length] not in kinds():
                at = end
                continue
        kept.append(answer[start:end])
        at = end
    return b"".join(kept)


class _Providers:
    """The processes of one provider, one for each configuration that Terraform gives it.

    Terraform has a connection for each configuration of a root module. What comes over a
    connection goes to the process that holds the connection's configuration.
    """

    def __init__(self, first: str, start: Callable[[], str], resources: ExitStack) -> None:
        self._start = start
        self._resources = resources
        self._lock = threading.Lock()
        self._first = self._channel(first)
        self._configured: dict[bytes, Any] = {}
        self._connected: dict[str, Any] = {}

    def _channel(self, path: str) -> Any:
        channel = grpc.insecure_channel(f"unix:{path}", options=UNLIMITED)
        return self._resources.enter_context(channel)

    def of(self, name: str, request: bytes, connection: str) -> Any:
        """Return the channel to the process that a call belongs to."""
        with self._lock:
            if name.endswith(CONFIGURE):
                if request not in self._configured:
                    spare = self._channel(self._start()) if self._configured else self._first
                    self._configured[request] = spare
                self._connected[connection] = self._configured[request]
            return self._connected.get(connection, self._first)


class _Handlers:
    """Each call of Terraform's, handed on by its name."""

    def __init__(self, program: str, providers: _Providers) -> None:
        self._program = program
        self._providers = providers

    def service(self, details: Any) -> Any:
        """Return what answers a call, or None where it is not known."""
        name: str = details.method
        if name.startswith("/plugin.GRPC"):
            return None  # streams of the plugin's own, which a command does without

        def answer(request: bytes, context: Any) -> bytes:
            ask = self._providers.of(name, request, context.peer()).unary_unary(name)
            try:
                if not name.endswith(SCHEMA):
                    return bytes(ask(request))
                if self._program not in _schemas:
                    _schemas[self._program] = shortened(ask(request))
                return _schemas[self._program]
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
                raise

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def relay(program: str, first: str, start: Callable[[], str]) -> Iterator[str]:
    """Answer at an address of its own for a provider; yield that address.

    Args:
        program: The provider, whose shortened description is kept for its next process.
        first: The path of the socket of a process of the provider.
        start: Starts a further process, and returns the path of its socket.
    """
    with ExitStack() as resources, ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        handlers = [_Handlers(program, _Providers(first, start, resources))]
        server = grpc.server(pool, handlers=handlers, options=UNLIMITED)
        # Over TCP each connection has a port, by which it is known.
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait()
