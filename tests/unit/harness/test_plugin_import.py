"""The pytest plugin is light, and what listens beyond loopback is seen."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ekm.harness import sockets
from ekm.harness.sockets import beyond_loopback, free_port, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAVY = ("boto3", "botocore", "fastapi", "uvicorn", "localstack", "requests", "psutil", "click")


def test_importing_it_imports_nothing_heavy() -> None:
    """Every pytest run of every user with the package installed would start slower."""
    code = f"import sys, ekm.harness.plugin; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def listener() -> Iterator[subprocess.Popen[str]]:
    """A process that listens on loopback, and on every interface when told a second port."""
    code = """
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)), socket.create_server(("", 0))]
print(*(s.getsockname()[1] for s in sockets), flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_a_socket_beyond_loopback_is_seen(listener: subprocess.Popen[str]) -> None:
    """The check that nothing listens beyond loopback would pass whatever listens."""
    assert listener.stdout is not None
    inside, outside = map(int, listener.stdout.readline().split())
    assert listening(listener.pid) == {("127.0.0.1", inside), ("0.0.0.0", outside)}
    assert beyond_loopback(listener.pid) == {("0.0.0.0", outside)}


def test_a_free_port_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """LocalStack would be started on a port that is taken, or that a connection may take."""
    assert free_port() < 32_768
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(sockets, "OWN_PORTS", [port] * 100)
        assert free_port() != port
