"""One HTTP exchange with requests: limits of time and size, a checked proxy, no redirect.

It decides nothing about what an answer means; it only tells "never sent" from "answer lost".
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

import requests
from requests.exceptions import InvalidURL
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from openai_ekm._version import __version__
from openai_ekm.calls_log import log_call
from openai_ekm.errors import BadInput
from openai_ekm.openai_api import constants
from openai_ekm.openai_api.base_url import host_of, is_loopback
from openai_ekm.openai_api.deadline import Call, TimedAdapter, limited_call
from openai_ekm.openai_api.redaction import AdminKey, redact
from openai_ekm.openai_api.tls import CERTIFICATE_REMEDY, ClientCertificate, tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from requests.adapters import BaseAdapter

__all__ = [
    "AnswerLost",
    "HttpRequest",
    "HttpResponse",
    "NeverSent",
    "RequestsTransport",
    "Transport",
    "proxies_for",
]

_SCHEMES: Final = frozenset({"http", "https"})
_SOCKS: Final = frozenset({"socks4", "socks4a", "socks5", "socks5h"})


def proxies_for(base_url: str) -> dict[str, str]:
    """Return the proxies for a base URL, as requests takes them; none for this machine itself.

    Args:
        base_url: As `parse_base_url` returns it.

    Raises:
        BadInput: The variable that counts here names no proxy that can be used. Its value is not
            shown: it may hold a password.
    """
    if is_loopback(host_of(base_url)):
        return {}

    found = get_environ_proxies(base_url)
    proxy = select_proxy(base_url, found)
    if not proxy:
        return {}
    variable = next(
        (name for name in _names(base_url) if os.environ.get(name) == proxy), "the proxy"
    )

    full = proxy if "://" in proxy else f"http://{proxy}"
    try:
        url = parse_url(full)
    except LocationParseError:
        raise _bad(variable, "cannot be read as a URL") from None
    if not url.host or url.scheme not in _SCHEMES | _SOCKS:
        raise _bad(
            variable,
            "is no address with a host that begins http, https, socks4, socks4a, socks5 or socks5h",
        )
    if url.scheme in _SOCKS and importlib.util.find_spec("socks") is None:
        raise BadInput(
            "socks_proxy_unsupported",
            f"{variable} names a SOCKS proxy ({url.scheme}), and PySocks, which speaks SOCKS, is "
            "not installed beside this program.",
            at_fault=variable,
            remedy="Name an http proxy instead; or, where OpenAI can be reached directly, add its "
            f"host to NO_PROXY ({host_of(base_url)}); or install PySocks where you installed "
            "openai-ekm-aws yourself, and let the module run that (registrar_command).",
        )
    return {"https": full, "http": full}


def _names(base_url: str) -> list[str]:
    scheme = base_url.partition(":")[0]
    return [f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"]


def _bad(variable: str, wrong: str) -> BadInput:
    return BadInput(
        "proxy_malformed",
        f"{variable} {wrong} (the value is not shown, since it may hold a password).",
        at_fault=variable,
        remedy=f"Write {variable} as http://HOST:PORT or socks5h://HOST:PORT, or unset it.",
    )


_CERTIFICATE_ALERT: Final = re.compile(
    r"ALERT_(?:CERTIFICATE_(?:REQUIRED|UNKNOWN|EXPIRED|REVOKED)|BAD_CERTIFICATE|UNKNOWN_CA"
    r"|UNSUPPORTED_CERTIFICATE|HANDSHAKE_FAILURE|ACCESS_DENIED)"
)


class NeverSent(Exception):
    """The connection could not be made: the server saw nothing.

    Args:
        words: What happened.
        remedy: What helps, where waiting does not; None when another try may succeed.
    """

    def __init__(self, words: str, *, remedy: str | None = None) -> None:
        super().__init__(words)
        self.remedy = remedy


class AnswerLost(Exception):
    """The request went out, and no whole answer came back."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A call, relative to the base URL.

    Args:
        path: Begins with a slash, percent-encoded.
        endpoint: The path with ids left out, the grain at which calls are paced.
    """

    method: str
    path: str
    endpoint: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer, whole; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Transport(Protocol):
    """The part of HTTP that the client needs; tests inject faults here."""

    def send(self, request: HttpRequest) -> HttpResponse:
        """Make the exchange.

        Raises:
            NeverSent: The server saw nothing.
            AnswerLost: The server may have acted.
        """
        ...


def _contexts(certificate: ClientCertificate | None) -> tuple[ssl.SSLContext, ...]:
    """Return the context for OpenAI, and the one for a proxy, which sees no certificate."""
    context = tls_context(certificate)  # the list of authorities takes 20 ms to read
    return context, (context if certificate is None else tls_context())


class RequestsTransport:
    """`Transport` over requests.

    It uses requests' adapter, not its session: so no cookie is kept, no password is taken from
    ~/.netrc, and no redirect is followed or even read.

    Args:
        base_url: As `parse_base_url` returns it.
        key: Goes into the Authorization header, and nowhere else; None sends no such header.
        certificate: Shown to OpenAI where it asks for one (mutual TLS).
        adapter: Makes the exchange in place of sockets.
        clock: Seconds, monotonic.

    Raises:
        BadInput: A proxy, a list of authorities or the certificate cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        key: AdminKey | None,
        *,
        certificate: ClientCertificate | None = None,
        adapter: BaseAdapter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url
        self._key = key
        self._clock = clock
        self._proxies = proxies_for(base_url)
        self._contexts = _contexts(certificate) if adapter is None else ()
        self._adapter = adapter

    def __repr__(self) -> str:
        return f"RequestsTransport({self._base_url!r})"

    def send(self, request: HttpRequest) -> HttpResponse:
        """Make the exchange; a redirect is an answer like any other."""
        room = constants.MOST_BYTES + constants.MOST_BYTES_AROUND
        start = time.monotonic()
        with limited_call(Call(constants.CALL_TIMEOUT, room, self._clock)) as call:
            try:
                answer = self._exchange(self._prepared(request), call)
            except (requests.RequestException, HTTPError, OSError, ValueError) as failure:
                words = redact(call.limit_met() or _words(failure))
                _log(request, words, start)
                remedy = _remedy(failure, words)
                if remedy or not call.begun:
                    raise NeverSent(words, remedy=remedy) from None
                raise AnswerLost(words) from None
        request_id = answer.headers.get("x-request-id")
        _log(request, f"{answer.status} {request_id or ''}".rstrip(), start)
        return answer

    def _prepared(self, request: HttpRequest) -> requests.PreparedRequest:
        headers = {
            "User-Agent": f"openai-ekm-aws/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.reveal()}"
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        query = "?" + urlencode(request.query) if request.query else ""
        return requests.Request(
            request.method,
            self._base_url + request.path + query,
            headers=headers,
            data=None if request.body is None else json.dumps(request.body).encode(),
        ).prepare()

    def _exchange(self, prepared: requests.PreparedRequest, call: Call) -> HttpResponse:
        adapter = self._adapter = self._adapter or TimedAdapter(*self._contexts)
        with adapter.send(
            prepared,
            stream=True,
            timeout=(constants.CONNECT_TIMEOUT, constants.READ_TIMEOUT),
            proxies=self._proxies,
        ) as answer:
            body = bytearray()
            for piece in answer.iter_content(65536):
                body += piece
                if len(body) > constants.MOST_BYTES:  # what was packed is larger than received
                    call.received(constants.MOST_BYTES + constants.MOST_BYTES_AROUND)
                call.seconds_left()
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return HttpResponse(answer.status_code, headers, bytes(body))


def _log(request: HttpRequest, outcome: str, start: float) -> None:
    log_call("OpenAI", f"{request.method} {request.path}", outcome, time.monotonic() - start)


def _remedy(failure: BaseException, words: str) -> str | None:
    """Return what helps against a failure that stays, and that the server's program never saw."""
    text = " ".join(map(str, _causes(failure)))
    if "CERTIFICATE_VERIFY_FAILED" in text or "CertificateError" in text:
        return (
            "If a proxy of your organization opens TLS, set REQUESTS_CA_BUNDLE to a file with its "
            "certificate authority; else somebody else answers in OpenAI's place."
        )
    # With TLS 1.3 a server tells that it wants another certificate after the request has left,
    # and hands the request to nobody.
    if _CERTIFICATE_ALERT.search(text):
        return CERTIFICATE_REMEDY
    if words.startswith("Tunnel connection failed: 407"):
        return "The proxy wants a name and a password: write HTTPS_PROXY as http://NAME:PASSWORD@…"
    return "Check OPENAI_BASE_URL." if isinstance(failure, InvalidURL) else None


def _causes(failure: BaseException) -> list[BaseException]:
    """Return the failure and what it wraps, by argument or by `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [failure]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None)]
    return found


def _words(failure: BaseException) -> str:
    """Return the innermost cause in a few words, without the objects of the library."""
    text = str(_causes(failure)[-1]) or type(failure).__name__
    # urllib3 begins with the connection: `HTTPSConnection(host='…', port=443): `.
    text = re.sub(r"^\S+\(host=.*?, port=\d*\)(?: object at \w+)?: ", "", text)
    return text[: constants.MOST_CHARACTERS]
