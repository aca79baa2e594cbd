"""Answer programs of this machine only, and no page of another site in its browser.

The emulator listens on loopback, and its control endpoints need no key. A browser on the same
machine also reaches loopback: a page may send requests there, and with DNS rebinding its own host
name leads there. Therefore the host name of a request must be loopback's, and a page that sends
one must come from the emulator itself.

Source: https://fetch.spec.whatwg.org/#origin-header and https://www.w3.org/TR/fetch-metadata/
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["OwnPages"]

_HOST: Final = re.compile(r"(localhost|[0-9.]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?", re.ASCII)
_OWN_SITES: Final = ("same-origin", "none")  # none: typed into the browser by its user


class OwnPages:
    """ASGI middleware around everything that the emulator serves.

    Args:
        app: Is called when the request is of this machine.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to what is foreign."""
        foreign = _foreign(scope) if scope["type"] == "http" else None
        if foreign is None:
            await self._app(scope, receive, send)
        else:
            answer = JSONResponse({"error": {"message": foreign}}, status_code=403)
            await answer(scope, receive, send)


def _foreign(scope: Scope) -> str | None:
    """Return what is foreign about a request, None when nothing is."""
    hosts = _values(scope, b"host")
    if len(hosts) != 1 or not _is_loopback(hosts[0]):
        return (
            "The emulator answers to loopback names only: the header Host must be 127.0.0.1, "
            "[::1] or localhost."
        )
    if any(origin != f"http://{hosts[0]}" for origin in _values(scope, b"origin")) or any(
        site not in _OWN_SITES for site in _values(scope, b"sec-fetch-site")
    ):
        return "The emulator does not answer to pages of other sites (header Origin)."
    return None


def _values(scope: Scope, name: bytes) -> list[str]:
    return [text.decode("latin-1").lower() for key, text in scope["headers"] if key == name]


def _is_loopback(host: str) -> bool:
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].strip("[]")
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
