"""Where OpenAI's API is: checked before a key is sent there."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from openai_ekm.errors import BadInput

__all__ = ["host_of", "is_loopback", "parse_base_url"]

_ACCEPTED: Final = "https://api.openai.com/v1, or http only on loopback (http://127.0.0.1:8080/v1)"
# One form that every parser of URLs reads alike: nothing in it can end a host's name but ":" or
# "/", and no part of the path can lead out of the path.
_FORM: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~-]+)*)/?"
)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_MOST_CHARACTERS: Final = 2048  # of a URL; no proxy takes much more
_LAST_PORT: Final = 65535


def parse_base_url(text: str) -> str:
    """Return the base URL without a trailing slash, scheme and host in lower case.

    Args:
        text: An absolute URL, as in `OPENAI_BASE_URL`.

    Returns:
        The URL, ready to have `/organization/...` appended. urllib3, which connects, reads the
        same host in it as this function does.

    Raises:
        BadInput: Not absolute, with credentials, query or fragment, with characters that parsers
            of URLs read differently, or plain http elsewhere than on loopback.

    Source: https://github.com/openai/terraform-provider-openai (provider_security.go).
    """
    if "@" in text:
        raise _bad("(not shown)", "holds credentials, or another @")
    head, slashes, rest = text.partition("://")
    host_and_port, slash, path = rest.partition("/")
    lowered = f"{head.lower()}{slashes}{host_and_port.lower()}{slash}{path}"
    form = _FORM.fullmatch(lowered)
    if form is None or len(text) > _MOST_CHARACTERS:
        raise _bad(ascii(text[:_MOST_CHARACTERS]), "is not an absolute URL of that form")
    host = form["host"].strip("[]")
    if not _is_host(host) or int(form["port"] or 1) > _LAST_PORT:
        raise _bad(ascii(text), "names no host, or no port, that can be connected to")
    if form["scheme"] == "http" and not is_loopback(host):
        raise _bad(ascii(text), "is plain http, and would send the admin key in the clear")
    url = lowered.rstrip("/")
    try:
        connects_to = host_of(url)
    except LocationParseError:
        connects_to = ""
    if connects_to != host or parse_url(url).auth is not None:
        raise _bad(ascii(text), "is read differently by the library that connects")
    return url


def host_of(url: str) -> str:
    """Return the host that urllib3 connects to for a URL, an IPv6 address without brackets."""
    return (parse_url(url).host or "").strip("[]")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_host(host: str) -> bool:
    """Return whether it is an address in its usual form, or a name that is no address."""
    try:
        return str(ipaddress.ip_address(host)) == host
    except ValueError:
        labels = host.split(".")
        # C libraries read 127.1, 0x7f.1 and 2130706433 as addresses.
        numeric = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1])
        return not numeric and all(_LABEL.fullmatch(label) for label in labels)


def _bad(shown: str, wrong: str) -> BadInput:
    return BadInput(
        "base_url_refused",
        f"The base URL {shown} {wrong}; it must be {_ACCEPTED}.",
        at_fault="OPENAI_BASE_URL",
        remedy="Set OPENAI_BASE_URL to OpenAI's API or to an emulator on this machine, "
        "or unset it.",
    )
