"""Where the admin key may be sent."""

from __future__ import annotations

import re
import ssl
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm.errors import BadInput
from openai_ekm.openai_api.base_url import is_loopback, parse_base_url
from openai_ekm.openai_api.deadline import TimedAdapter


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://eu.api.openai.com/v1/", "https://eu.api.openai.com/v1"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("http://127.8.9.1/v1", "http://127.8.9.1/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("http://localhost:8080/v1", "http://localhost:8080/v1"),
        ("https://ae.api.openai.com/v1", "https://ae.api.openai.com/v1"),
        ("https://mtls-eu.api.openai.com/v1", "https://mtls-eu.api.openai.com/v1"),
        ("HTTPS://API.OpenAI.com/v1", "https://api.openai.com/v1"),
        ("https://proxy.example.com:8443/openai/v1", "https://proxy.example.com:8443/openai/v1"),
    ],
)
def test_accepts(text: str, url: str) -> None:
    """A base URL that works is refused, or a slash is doubled."""
    assert parse_base_url(text) == url


@pytest.mark.parametrize(
    "text",
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
def test_refuses(text: str) -> None:
    """The admin key goes out in the clear, or to a place that nobody named."""
    with pytest.raises(BadInput) as raised:
        parse_base_url(text)
    assert raised.value.id == "base_url_refused"
    assert raised.value.at_fault == "OPENAI_BASE_URL"


@pytest.mark.parametrize("text", ["https://user:hunter2@api.openai.com/v1", "https://hunter2@h/v1"])
def test_refuses_credentials_without_showing_them(text: str) -> None:
    """A password in the URL is used, or printed by the refusal."""
    with pytest.raises(BadInput) as raised:
        parse_base_url(text)
    assert "credentials" in raised.value.message
    assert "hunter2" not in raised.value.message


# A table, not only random text: tests/integration/test_base_url_in_hcl.py gives it to Terraform.
HOSTILE = [
    "https://api.openai.com\\.example.invalid/v1",
    "https://example.invalid\\@api.openai.com/v1",
    "//example.invalid\\@api.openai.com/v1",
    "https:\\\\api.openai.com/v1",
    "https:/api.openai.com/v1",
    "https:///api.openai.com/v1",
    "https://api.openai.com/\\..\\",
    "https://api.openai.com/v1/../../evil",
    "https://api.openai.com/./v1",
    "https://api.openai.com//example.invalid/v1",
    "https://api.openai.com%2eexample.invalid/v1",
    "https://api.openai.com%2f.example.invalid/v1",
    "https://api.openai.com;.example.invalid/v1",
    "https://api.openai.com\t.example.invalid/v1",
    "https://api.openai.com\n/v1",
    "\nhttps://api.openai.com/v1",
    "https://api.openai.com\u3002example.invalid/v1",
    "https://\uff41pi.openai.com/v1",
    "https://\u0430pi.openai.com/v1",
    "https://api.openai.com\u202e/v1",
    "https://api.openai.com:443@example.invalid/v1",
    "https://api.openai.com:0443/v1",
    "https://api.openai.com:65536/v1",
    "https://api.openai.com:0/v1",
    "https://api.openai.com:/v1",
    "https://api.openai.com:4\u0664 3/v1",
    "https://api.openai.com./v1",
    "https://.api.openai.com/v1",
    "https://-.api.openai.com/v1",
    "https://api..openai.com/v1",
    "https://[api.openai.com]/v1",
    "https://[::1%25lo]/v1",
    "https://[::ffff:127.0.0.1%1]/v1",
    "http://127.1/v1",
    "http://2130706433/v1",
    "http://0x7f.0.0.1/v1",
    "http://0177.0.0.1/v1",
    "https://127.0.0.01/v1",
    "http://127.0.0.1:80:80/v1",
    "http://localhost./v1",
    "http://localhost\\@192.0.2.1/v1",
    "http://[::1]example.invalid/v1",
    "https://" + "a" * 64 + ".example/v1",
    "https://" + "a." * 3000 + "example/v1",
    "https://api.openai.com/v1\ud800",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_refuses_what_parsers_read_differently(text: str) -> None:
    """Guards against: one parser judges the host, another connects to a different one."""
    with pytest.raises(BadInput) as raised:
        parse_base_url(text)
    assert raised.value.id == "base_url_refused"
    assert raised.value.message.isprintable()
    assert raised.value.message.isascii()


ADAPTER = TimedAdapter(ssl.create_default_context(), ssl.create_default_context())


def connected_to(url: str) -> tuple[str, int | None]:
    """Host and port of the connection that a call would open, asked of the adapter itself."""
    prepared = requests.Request("GET", f"{url}/organization/projects?limit=1").prepare()
    pool: Any = ADAPTER.get_connection_with_tls_context(prepared, True)
    connection = pool._new_conn()
    return connection.host.strip("[]"), connection.port


PIECES = (
    r"\A(https?://|api\.openai\.com|127\.0\.0\.1|\[::1\]|localhost|example\.invalid|/v1|443|0x7f"
    r"|%2f|%40|//|\.\.|[\\/@:.%#?\[\]_a-cA-C1;&= -]|\t|\n|\u3002|\u00ad|\ufeff|\u2028){0,9}\Z"
)


@given(
    st.one_of(
        st.from_regex(PIECES),
        st.from_regex(r"\Ahttps?://[a-zA-Z0-9.:\[\]@\\-]{1,30}(/[a-zA-Z0-9.%\\@]{0,8}){0,3}\Z"),
    )
)
@settings(max_examples=600)
def test_what_is_accepted_is_what_is_connected_to(text: str) -> None:
    """Guards against: an accepted URL whose connection goes to another host than it shows."""
    try:
        url = parse_base_url(text)
    except BadInput:
        return
    shown = re.fullmatch(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d+))?(/.*)?", url)
    assert shown, url
    default = 443 if shown[1] == "https" else 80
    assert connected_to(url) == (shown[2].strip("[]"), int(shown[3] or default))
    assert shown[1] == "https" or is_loopback(shown[2].strip("[]"))
