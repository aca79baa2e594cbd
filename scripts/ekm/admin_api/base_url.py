"""Where OpenAI's API is: checked before a key is sent there."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ekm.errors import BadInput

__all__ = ["is_loopback", "origin_of", "parse_base_url"]

_FORM = "https://api.openai.com/v1, or http only on loopback (http://127.0.0.1:8080/v1)"


def parse_base_url(text: str) -> str:
    """Return the base URL without a trailing slash.

    Args:
        text: An absolute URL, as in `OPENAI_BASE_URL`.

    Returns:
        The URL, ready to have `/organization/...` appended.

    Raises:
        BadInput: Not absolute, with credentials, query or fragment, or plain http elsewhere
            than on loopback.

    Source: wire contract 3.11 (base URL rules of OpenAI's provider).
    """
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise _bad("(not shown)", "cannot be read as a URL") from None
    if parts.username is not None or parts.password is not None:
        raise _bad(f"{parts.scheme}://…@{host}", "holds credentials")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise _bad(repr(text), "holds white space")
    if parts.scheme not in {"https", "http"} or not host:
        raise _bad(repr(text), "is not an absolute URL")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise _bad(f"https://{host}/…", "holds a query or a fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise _bad(repr(text), "is plain http, and would send the admin key in the clear")
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> tuple[str, str | None, int]:
    """Scheme, host and port of a URL, with the scheme's own port filled in."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _bad(shown: str, wrong: str) -> BadInput:
    return BadInput(
        "base_url_refused",
        f"The base URL {shown} {wrong}; it must be {_FORM}.",
        at_fault="OPENAI_BASE_URL",
        remedy="Set OPENAI_BASE_URL to OpenAI's API or to an emulator on this machine, "
        "or unset it.",
    )
