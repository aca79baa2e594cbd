"""One HTTP exchange with requests: time-outs, size limit, no redirect off the origin.

It decides nothing about what an answer means; it only tells "never sent" from "answer lost".
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

from ekm._version import __version__
from ekm.admin_api import constants
from ekm.admin_api.base_url import is_loopback, origin_of
from ekm.admin_api.redaction import AdminKey, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

__all__ = [
    "AnswerLost",
    "HttpRequest",
    "HttpResponse",
    "NeverSent",
    "RequestsTransport",
    "Transport",
]


class NeverSent(Exception):
    """The connection could not be made: the server saw nothing."""


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
    """What the client needs of HTTP; tests inject faults here."""

    def send(self, request: HttpRequest) -> HttpResponse:
        """Make the exchange.

        Raises:
            NeverSent: The server saw nothing.
            AnswerLost: The server may have acted.
        """
        ...


class RequestsTransport:
    """`Transport` over requests.

    Args:
        base_url: As `parse_base_url` returns it.
        key: Goes into the Authorization header, and nowhere else.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, base_url: str, key: AdminKey, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._base_url = base_url
        self._key = key
        self._clock = clock
        self._session: requests.Session | None = None

    def __repr__(self) -> str:
        return f"RequestsTransport({self._base_url!r})"

    def send(self, request: HttpRequest) -> HttpResponse:
        """Make the exchange; a GET follows redirects on its own origin."""
        url = self._base_url + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        for _ in range(constants.MOST_REDIRECTS + 1):
            response = self._exchange(request, url)
            location = response.headers.get("location")
            if request.method != "GET" or response.status not in {301, 302, 307, 308}:
                return response
            target = urljoin(url, location or "")
            if not location or origin_of(target) != origin_of(self._base_url):
                return response
            url = target
        return response

    def _exchange(self, request: HttpRequest, url: str) -> HttpResponse:
        import requests  # noqa: PLC0415 - imported only where a call is made

        session = self._session = self._session or self._new_session()
        until = self._clock() + constants.CALL_TIMEOUT
        try:
            with session.request(
                request.method,
                url,
                data=None if request.body is None else json.dumps(request.body).encode(),
                headers={"Content-Type": "application/json"} if request.body is not None else {},
                auth=self._authorize,
                timeout=(constants.CONNECT_TIMEOUT, constants.READ_TIMEOUT),
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = bytearray()
                for piece in answer.iter_content(65536):
                    body += piece
                    if len(body) > constants.MOST_BYTES:
                        raise AnswerLost("the answer is larger than 32 MiB")
                    if self._clock() > until:
                        raise AnswerLost(
                            f"the answer took longer than {constants.CALL_TIMEOUT:.0f} s"
                        )
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return HttpResponse(answer.status_code, headers, bytes(body))
        except requests.exceptions.RequestException as failure:
            words = redact(_words(failure))
            if _never_sent(failure):
                raise NeverSent(words) from None
            raise AnswerLost(words) from None

    def _authorize(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        # An `auth` of our own also keeps requests from taking a password out of ~/.netrc.
        prepared.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return prepared

    def _new_session(self) -> requests.Session:
        import requests  # noqa: PLC0415 - see above

        session = requests.Session()
        session.headers.update(
            {"User-Agent": f"openai-ekm-aws/{__version__}", "Accept": "application/json"}
        )
        # A proxy of the environment has no business between this process and this machine.
        session.trust_env = not is_loopback(urlsplit(self._base_url).hostname or "")
        return session


def _never_sent(failure: BaseException) -> bool:
    """Whether the connection failed before a byte of the request went out."""
    import requests  # noqa: PLC0415 - see above
    from urllib3 import exceptions as urllib3  # noqa: PLC0415 - see above

    if isinstance(failure, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    return any(
        isinstance(cause, urllib3.NewConnectionError | urllib3.ConnectTimeoutError)
        or "CERTIFICATE_VERIFY_FAILED" in str(cause)
        or str(cause).startswith("Tunnel connection failed")  # a proxy let nothing through
        for cause in _causes(failure)
    )


def _causes(failure: BaseException) -> list[BaseException]:
    """The failure and what it wraps, by argument or by `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [failure]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            waiting += [*cause.args, getattr(cause, "reason", None)]
    return found


def _words(failure: BaseException) -> str:
    """The innermost cause in a few words, without object addresses."""
    text = str(_causes(failure)[-1]) or type(failure).__name__
    return text.split(": ", 1)[-1] if " object at 0x" in text else text
