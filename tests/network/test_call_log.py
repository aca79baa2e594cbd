"""`-v` and `--debug` over real HTTP: each call is shown, and the admin key in none of it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.main import ekm, run

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "sk-admin-OverRealHttp0123456789abcdef"
SSM_SECRET = "sk-admin-FromAwsSsm0123456789abcdef"


class Echo(BaseHTTPRequestHandler):
    """OpenAI and AWS in one: it gives back the header that holds the key, wherever it can."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_POST(self) -> None:
        """Answer as SSM does to GetParameter, or as OpenAI does to a key that it refuses."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "X-Amz-Target" in self.headers:
            body = {"Parameter": {"Name": "/key", "Type": "SecureString", "Value": SSM_SECRET}}
            status = 200
        else:
            body = {"error": {"message": f"no: {self.headers['Authorization']}", "type": "x"}}
            status = 403
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-request-id", f"req_{self.headers.get('Authorization', '')[-12:]}")
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of such a server, which the environment names as OpenAI and as AWS."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{listening.server_port}"
        monkeypatch.setenv("OPENAI_BASE_URL", f"{address}/v1")
        monkeypatch.setenv("EKM_CALLS_PER_MINUTE", "0")
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        try:
            yield address
        finally:
            listening.shutdown()
            thread.join()


@pytest.mark.parametrize("words", [["-v"], ["--debug"], ["-v", "--debug"]], ids=" ".join)
@pytest.mark.parametrize("origin", ["environment", "ssm"])
def test_calls_are_shown_and_the_key_is_not(
    words: list[str],
    origin: str,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Guards against: the admin key in a pipeline's log, by the way of any library's own log."""
    given = ["--admin-key-from", "ssm:/key"] if origin == "ssm" else []
    if origin == "environment":
        monkeypatch.setenv("OPENAI_ADMIN_KEY", SECRET)
    code = run(ekm, "ekm", [*words, "validate", "--external-key", "extkey_1", *given])
    out, err = capsys.readouterr()
    assert code == 4, err
    assert "OpenAI  POST /organization/external_keys/extkey_1/validate  403" in err
    assert ("AWS  ssm:GetParameter  200" in err) == (origin == "ssm")
    assert ("urllib3" in err) == ("--debug" in words)
    for secret in (SECRET, SSM_SECRET):
        assert secret not in out + err
