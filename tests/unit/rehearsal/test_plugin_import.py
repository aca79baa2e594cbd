"""The pytest plugin is light, and what listens beyond loopback is seen."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from openai_ekm import rehearsal
from openai_ekm.rehearsal import sockets
from openai_ekm.rehearsal.sockets import beyond_loopback, free_port, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

LIGHT = {
    "openai_ekm",
    "openai_ekm._version",
    "openai_ekm.errors",
    "openai_ekm.rehearsal",
    "openai_ekm.rehearsal.plugin",
}


def test_importing_it_imports_four_small_modules_and_no_library() -> None:
    """Guards against: a slower start, and a changed order of imports, in every pytest run.

    A library such as gevent has to be imported before `ssl`; the plugin is imported before both.
    """
    code = (
        "import sys, pytest; before = set(sys.modules); import openai_ekm.rehearsal.plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == LIGHT


def test_each_public_name_of_the_rehearsal_is_found_in_its_module() -> None:
    """Every name that the package lists can be imported, and an unknown one is refused."""
    assert set(rehearsal.__all__) == set(rehearsal._MODULES)
    for name in rehearsal.__all__:
        assert getattr(rehearsal, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rehearsal.__getattr__("nothing")


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
