"""The error that each refusal is raised as."""

from __future__ import annotations

import json

import pytest

from openai_ekm.openai_api.refusal_errors import ApiRefused, ApiUnclear, as_error, kind_of
from openai_ekm.openai_api.refusals import Kind, read_refusal


def body(message: str, code: str | None = None) -> bytes:
    """The error object."""
    error = {"message": message, "type": "x", "param": None, "code": code}
    return json.dumps({"error": error}).encode()


NO_ANSWER = {Kind.AMBIGUOUS, Kind.UNREACHABLE, Kind.FOREIGN_PAGE}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_message_a_remedy_and_an_exit_code(kind: Kind) -> None:
    """A kind that nobody wrote words for reaches the user as a bare status."""
    refusal = read_refusal(400, body("the server's words"), request_id="req_1")
    error = as_error(type(refusal)(kind, 400, refusal.message, request_id="req_1"), "GET /x")
    assert isinstance(error, ApiRefused | ApiUnclear)
    assert kind_of(error) is kind
    assert error.remedy
    assert "GET /x" in error.message
    assert error.request_id == "req_1"
    assert error.exit_code == (5 if kind in NO_ANSWER else 4)
    if kind is not Kind.REDIRECTED:
        assert "the server's words" in error.message


def test_kind_of_a_foreign_error_is_none() -> None:
    """Any exception is taken for one of OpenAI's answers."""
    assert kind_of(ValueError("x")) is None


CALLERS = {
    "ip_401": (401, body("Your IP address …", "ip_not_authorized")),
    "ip_403": (403, body("Your IP address …", "ip_not_authorized")),
    "certificate": (401, body("no", "mtls_certificate_required")),
    "other_organization": (401, body("…", "mismatched_organization")),
    "deactivated": (401, body("…", "account_deactivated")),
}
UNEXPLAINED = {"unauthorized": (401, body("bad key")), "without_body": (401, b"")}


@pytest.mark.parametrize("cause", [*CALLERS, *UNEXPLAINED])
def test_a_401_blames_the_key_only_where_its_code_says_so(cause: str) -> None:
    """Guards against: a sound key is revoked and made anew, since an IP address is not listed."""
    status, content = {**CALLERS, **UNEXPLAINED}[cause]
    error = as_error(read_refusal(status, content), "GET /x")
    assert error.id != "openai_invalid_key"
    assert error.at_fault != "the admin key"
    assert bool(error.at_fault) is (cause in CALLERS)
    invalid = as_error(read_refusal(401, body("Incorrect API key", "invalid_api_key")), "GET /x")
    assert invalid.at_fault == "the admin key"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><body>Corporate proxy: please accept the terms</body></html>", "Corporate proxy"),
        (
            b"<title>Attention Required! | Cloudflare</title><style>b{}</style><h1>Sorry",
            "Attention",
        ),
        (
            b"<script>var a = '<b>';</script><p>caf\xc3\xa9 &amp; bar &#27;[2J</p>",
            "caf\u00e9 & bar [2J",
        ),
        (b"<", "<"),
        (b"<html></html>", "(no message, HTTP 403)"),
        (b"<p>" + b"x" * 5000, "x" * 120 + "\u2026"),
        (b"<!--" * 20000, ""),
    ],
)
@pytest.mark.parametrize("status", [200, 403, 520])
def test_a_page_is_called_that_with_its_first_words(
    content: bytes, words: str, status: int
) -> None:
    """Guards against: "(no message)" of a firewall's page, or its control characters."""
    refusal = read_refusal(status, content)
    error = as_error(refusal, "GET /x")
    assert error.id == "openai_foreign_page"
    assert error.exit_code == 5
    assert words.replace("403", str(status)) in error.message
    assert error.message.isprintable()
    assert len(error.message) < 400
    created = as_error(refusal, "POST /x")
    assert created.id == ("openai_foreign_page" if status == 403 else "openai_unclear")
