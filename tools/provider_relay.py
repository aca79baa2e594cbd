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
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["relay"]

ROOT = Path(__file__).resolve().parent.parent
KIND = re.compile(r"\baws_[a-z0-9_]+")
NAMED_IN = ("*.tf", "*.hcl", "tests/**/*.py", "tools/*.py", "scripts/openai_ekm/**/*.py")
SCHEMA = ("/GetSchema", "/GetProviderSchema")
# The members of the answer that are lists of kinds: resources, data sources, ephemeral resources,
# and, of newer providers, lists and actions. Source: tfplugin5.proto and tfplugin6.proto of
# https://github.com/hashicorp/terraform/tree/main/docs/plugin-protocol
LISTS = {2, 3, 8, 9, 10, 11, 12}
DELIMITED = 2  # the wire type of a text, of bytes and of a message
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
CALLS_AT_ONCE = 32

_schemas: dict[str, bytes] = {}


@functools.cache
def kinds() -> frozenset[bytes]:
    """Return every name of a kind that this repository's files hold."""
    files = (file for pattern in NAMED_IN for file in ROOT.rglob(pattern))
    names = {
        name
        for file in files
        if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
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


class _Handlers:
    """Each call of Terraform's, handed on by its name."""

    def __init__(self, program: str, upstream: Any) -> None:
        self._program = program
        self._upstream = upstream

    def service(self, details: Any) -> Any:
        """Return what answers a call, or None where it is not known."""
        name: str = details.method
        if name.startswith("/plugin.GRPC"):
            return None  # streams of the plugin's own, which a command does without
        ask: Callable[..., bytes] = self._upstream.unary_unary(name)

        def answer(request: bytes, context: Any) -> bytes:
            try:
                if not name.endswith(SCHEMA):
                    return ask(request)
                if self._program not in _schemas:
                    _schemas[self._program] = shortened(ask(request))
                return _schemas[self._program]
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
                raise

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def relay(program: str, upstream: str) -> Iterator[str]:
    """Answer at an address of its own for a running provider; yield the path of its socket.

    Args:
        program: The provider, whose shortened description is kept for its next process.
        upstream: The path of the provider's socket.
    """
    with (
        tempfile.TemporaryDirectory(prefix="ekm-relay-") as folder,
        grpc.insecure_channel(f"unix:{upstream}", options=UNLIMITED) as channel,
    ):
        pool = ThreadPoolExecutor(CALLS_AT_ONCE)
        server = grpc.server(pool, handlers=[_Handlers(program, channel)], options=UNLIMITED)
        path = str(Path(folder, "relay"))
        server.add_insecure_port(f"unix:{path}")
        server.start()
        try:
            yield path
        finally:
            server.stop(grace=None).wait()
            pool.shutdown()
