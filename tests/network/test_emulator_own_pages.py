"""A page in a browser of this machine cannot use the emulator, by whatever name it calls it.

Real sockets and the real process: what a client library would put right is not put right here.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-admin-of-this-test"


@dataclass(frozen=True)
class Started:
    """A running emulator."""

    port: int
    folder: Path

    def ask(self, method: str, path: str, *lines: str, body: str = "") -> tuple[int, str]:
        """Send a request as it stands; return status and text of the answer."""
        head = [f"{method} {path} HTTP/1.1", *lines, "Connection: close"]
        head += [f"Content-Length: {len(body)}", "Content-Type: application/json", "", body]
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall("\r\n".join(head).encode("latin-1"))
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        return int(answer.split(" ", 2)[1]), answer

    @property
    def own(self) -> str:
        """What a client that was given the address sends as Host."""
        return f"127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """An emulator, started where new files are open to everybody; no call here needs AWS."""
    folder = tmp_path_factory.mktemp("emulator")
    words = ["--json", "--port=0", f"--database={folder / 'openai.sqlite3'}"]
    with subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-c",
            "from openai_ekm.cli.main import main; main()",
            "emulate",
            *words,
        ],
        env={
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "OPENAI_ADMIN_KEY": KEY,
        },
        stdout=subprocess.PIPE,
        umask=0,
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Started(int(ready["base_url"].split(":")[2].split("/")[0]), folder)
        process.terminate()


PATHS = [
    ("GET", "/_emulator/requests", ""),
    ("DELETE", "/_emulator/requests", ""),
    ("PATCH", "/_emulator/settings", '{"feature_enabled": false}'),
    ("PUT", "/_emulator/faults", '["feature-off"]'),
    ("GET", "/_emulator/health", ""),
    ("GET", "/openapi.json", ""),
    ("GET", "/v1/organization/projects", ""),
    ("POST", "/v1/organization/projects", '{"name": "planted"}'),
    ("GET", "/nowhere", ""),
]
FOREIGN_HOSTS = [
    "rebound.example.test",
    "rebound.example.test:{port}",
    "127.0.0.1.example.test:{port}",
    "localhost.example.test",
    "localhost.",
    "192.0.2.1:{port}",
    "0.0.0.0:{port}",
    "[2001:db8::1]:{port}",
    "127.0.0.1:{port}@example.test",
    "127.0.0.1:{port}, example.test",
    "",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_refused_on_every_path(started: Started, host: str) -> None:
    """With DNS rebinding a page's own name leads here, and the browser lets it read the answer."""
    before = state(started)
    named = host.format(port=started.port)
    for method, path, body in PATHS:
        key = f"Authorization: Bearer {KEY}"
        status, answer = started.ask(method, path, f"Host: {named}", key, body=body)
        assert status in ((400, 403) if not named else (403,)), (method, path, answer)
        assert "projects" not in answer
    assert state(started) == before


@pytest.mark.parametrize("lines", [[], ["Host: 127.0.0.1", "Host: example.test"]])
def test_no_host_or_two_are_refused(started: Started, lines: list[str]) -> None:
    """Two readers could take two different hosts for the one that was called."""
    for method, path, body in PATHS:
        assert started.ask(method, path, *lines, body=body)[0] in (400, 403)


@pytest.mark.parametrize(
    "line",
    [
        "Origin: http://example.test",
        "Origin: null",
        "Origin: https://127.0.0.1:{port}",
        "Origin: http://127.0.0.1:1",
        "Origin: http://127.0.0.1:{port}.example.test",
        "Origin: http://localhost:{port}",
        "Origin: ",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ],
)
def test_a_page_of_another_site_is_refused_on_every_path(started: Started, line: str) -> None:
    """A page can send a request to loopback without being allowed to read the answer."""
    before = state(started)
    for method, path, body in PATHS:
        lines = (f"Host: {started.own}", line.format(port=started.port))
        assert started.ask(method, path, *lines, body=body)[0] == 403, (method, path)
    assert state(started) == before


@pytest.mark.parametrize(
    "lines",
    [
        ["Host: 127.0.0.1:{port}"],
        ["Host: localhost:{port}"],
        ["Host: LOCALHOST"],
        ["Host: [::1]:9000"],
        ["Host: 127.0.0.53:{port}"],
        ["Host: 127.0.0.1:{port}", "Origin: http://127.0.0.1:{port}", "Sec-Fetch-Site: none"],
        ["Host: localhost:{port}", "Origin: http://localhost:{port}"],
    ],
)
def test_programs_of_this_machine_are_answered(started: Started, lines: list[str]) -> None:
    """Tests, curl and a forwarded port would be locked out."""
    asked = [line.format(port=started.port) for line in lines]
    assert started.ask("GET", "/_emulator/health", *asked)[0] == 200
    key = f"Authorization: Bearer {KEY}"
    assert started.ask("GET", "/v1/organization/projects", *asked, key)[0] == 200


def state(started: Started) -> list[str]:
    """What a page must not change: settings, faults and the number of calls."""
    paths = ("settings", "faults", "requests")
    return [
        started.ask("GET", f"/_emulator/{path}", f"Host: {started.own}")[1].partition("\r\n\r\n")[2]
        for path in paths
    ]


def test_the_state_is_for_this_user_alone(started: Started) -> None:
    """Any user of the machine could read, or change, what is registered."""
    key = f"Authorization: Bearer {KEY}"
    body = '{"name": "p"}'
    host = f"Host: {started.own}"
    assert started.ask("POST", "/v1/organization/projects", host, key, body=body)[0] == 200
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in started.folder.iterdir()}
    assert "openai.sqlite3" in modes
    assert set(modes.values()) == {0o600}, modes
