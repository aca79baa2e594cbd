"""OpenAI's Admin API on a loopback port: healthy, but for the one call that a table row answers."""

from __future__ import annotations

import http.server
import json
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.openai_answers import Answer

__all__ = ["SECRET", "OpenAI"]

SECRET = "sk-admin-OfTheErrorTable0123456789"


class OpenAI:
    """A healthy organization on a loopback port, but for the one call that a row answers."""

    def __init__(self) -> None:
        self.row: Answer | None = None
        self.left = 0
        self.answered = 0
        self.seen: list[tuple[dict[str, str], str, bytes]] = []
        self.keys: dict[str, dict[str, Any]] = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_words: object) -> None:
                pass

            def handle_any(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.seen.append((dict(self.headers), self.path, sent))
                assert self.headers["Authorization"] == f"Bearer {SECRET}"
                path = self.path.split("?")[0].removeprefix("/v1")
                status, headers, body = outer.answer(self.command, path, sent)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("x-request-id", "req_table")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - names of the base class

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    def give(self, row: Answer) -> None:
        """Answer as the row says, from now on."""
        self.row, self.left = row, row.times or 1_000_000

    def answer(self, method: str, path: str, sent: bytes) -> tuple[int, dict[str, str], bytes]:
        """The row's answer where it is due, else a healthy one."""
        row = self.row
        if row is not None and row.call == (method, path) and self.left:
            self.left -= 1
            self.answered += 1
            return row.status, dict(row.headers), row.body
        return 200, {}, json.dumps(self._healthy(method, path, sent)).encode()

    def _healthy(self, method: str, path: str, sent: bytes) -> dict[str, Any]:
        match method, path.split("/")[2:]:
            case "POST", ["external_keys"]:
                self.keys["extkey_1"] = {
                    **json.loads(sent),
                    "id": "extkey_1",
                    "object": "organization.external_key",
                    "created_at": 1795000000,
                    "api_project_ids": [],
                    "workspace_id": "",
                }
                return self.keys["extkey_1"]
            case "POST", ["external_keys", _, "validate"]:
                return {"status": "success"}
            case _, ["external_keys", id]:
                return self.keys[id]
            case _:
                return {"object": "list", "data": list(self.keys.values()), "has_more": False}
