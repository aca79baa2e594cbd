"""OpenAI behind real sockets, whose creates take until a test lets them, and `ekm` against it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from openai_ekm.openai_api.transport import HttpRequest
from tests.doubles.fleet_world import entries
from tests.doubles.openai import OpenAI

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class SlowOpenAI(ThreadingHTTPServer):
    """OpenAI over HTTP, whose creates take until a test lets them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.openai = OpenAI()
        self.lock = threading.Lock()
        self.creates = threading.Semaphore(0)
        self.begun = threading.Event()
        self._exchanges = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count what is under way."""
        with self.lock:
            self._exchanges += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self.lock:
                self._exchanges -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that is gone hears no answer."""

    def wait_for(self, reached: Callable[[], bool]) -> None:
        """Wait until something holds."""
        until = time.monotonic() + 240
        while not reached():
            assert time.monotonic() < until
            time.sleep(0.01)

    def finish(self) -> None:
        """Carry out whatever was sent by processes that are gone."""
        self.let(100)
        with socket.create_connection(("127.0.0.1", self.server_port), timeout=240) as probe:
            probe.sendall(b"GET /v1/organization/projects HTTP/1.0\r\n\r\n")
            while probe.recv(65536):  # it was accepted after all others
                pass
        self.wait_for(lambda: self._exchanges == 0)

    def let(self, creates: int) -> None:
        """Answer so many creates, as they come."""
        for _ in range(creates):
            self.creates.release()


class _Handler(BaseHTTPRequestHandler):
    server: SlowOpenAI

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.partition("?")[0].removeprefix("/v1")
        if self.command == "POST" and path == "/organization/external_keys":
            self.server.begun.set()
            self.server.creates.acquire()
        with self.server.lock:
            answer = self.server.openai.answer(HttpRequest(self.command, path, path, body=body))
        self.send_response(answer.status)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = _answer  # noqa: N815 - http.server's own names


@contextmanager
def slow_openai() -> Iterator[SlowOpenAI]:
    """A server on a free port; it is gone when the block ends."""
    server = SlowOpenAI()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.let(100)
        server.shutdown()
        server.server_close()
        thread.join(120)


def fleet_file(folder: Path, number: int) -> None:
    """Write the manifest."""
    value = {
        "schema": "ekm-fleet/1",
        "entries": [
            {
                "name": entry.name,
                "role_arn": entry.intent.role_arn,
                "kms_arn": entry.intent.kms_arn,
                "external_id": entry.intent.external_id,
                "record": f"file:{entry.name}.json",
            }
            for entry in entries(number)
        ],
    }
    (folder / "fleet.json").write_text(json.dumps(value))


def command(slow: SlowOpenAI, folder: Path, **settings: Any) -> subprocess.Popen[str]:
    """Start `ekm register` on the fleet, two at a time, or with other words."""
    fleet = ["--manifest", "fleet.json", "--concurrency", "2"]
    words = ["register", *settings.pop("words", fleet)]
    return subprocess.Popen(
        [sys.executable, "-c", "from openai_ekm.cli.main import main; main()", *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "OPENAI_ADMIN_KEY": "sk-admin-fleet-0123456789",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{slow.server_port}/v1",
            "EKM_CALLS_PER_MINUTE": "0",
            "COLUMNS": "100",
            "TERM": "xterm",
            **settings.pop("env", {}),
        },
        text=True,
        **settings,
    )
