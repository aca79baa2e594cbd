"""Where the admin key may be sent."""

from __future__ import annotations

import pytest

from ekm.admin_api.base_url import parse_base_url
from ekm.errors import BadInput


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://eu.api.openai.com/v1/", "https://eu.api.openai.com/v1"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("http://127.8.9.1/v1", "http://127.8.9.1/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("http://localhost:8080/v1", "http://localhost:8080/v1"),
        ("https://proxy.example.com:8443/openai/v1", "https://proxy.example.com:8443/openai/v1"),
    ],
)
def test_accepts(given: str, url: str) -> None:
    """A base URL that works is refused, or a slash is doubled."""
    assert parse_base_url(given) == url


@pytest.mark.parametrize(
    "given",
    [
        "http://api.openai.com/v1",
        "http://10.0.0.1/v1",
        "http://localhost.example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "http://0.0.0.0/v1",
        "ftp://127.0.0.1/v1",
        "api.openai.com/v1",
        "/v1",
        "https://",
        "https://api.openai.com/v1?x=1",
        "https://api.openai.com/v1#x",
        "https://api.openai.com/v1?",
        "https://api.openai .com/v1",
        "https://api.openai.com/v1\n",
        "https://[::1/v1",
        "https://api.openai.com:port/v1",
    ],
)
def test_refuses(given: str) -> None:
    """The admin key goes out in the clear, or to a place that nobody named."""
    with pytest.raises(BadInput) as raised:
        parse_base_url(given)
    assert raised.value.id == "base_url_refused"
    assert raised.value.at_fault == "OPENAI_BASE_URL"


@pytest.mark.parametrize(
    "given", ["https://user:hunter2@api.openai.com/v1", "https://hunter2@h/v1"]
)
def test_refuses_credentials_without_showing_them(given: str) -> None:
    """A password in the URL is used, or printed by the refusal."""
    with pytest.raises(BadInput) as raised:
        parse_base_url(given)
    assert "credentials" in raised.value.message
    assert "hunter2" not in raised.value.message
