"""The application: OpenAI's endpoints under `/v1`, their OpenAPI document, control endpoints.

The emulator listens on loopback, and its control endpoints need no key. A browser on the same
machine also reaches loopback: a page may send requests there, and with DNS rebinding its own host
name leads there. Therefore the host name of a request must be loopback's, and a page that sends
one must come from the emulator itself.

The control endpoints are no part of OpenAI's API: they are outside `/v1` and outside the OpenAPI
document. A test reads the emulator and changes its behaviour by them.

Sources:
https://fetch.spec.whatwg.org/#origin-header and https://www.w3.org/TR/fetch-metadata/
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from openai_ekm._version import __version__
from openai_ekm.emulator import audit_logs, external_keys, external_storage, projects
from openai_ekm.emulator.errors import ApiError, server_error
from openai_ekm.emulator.faults import FAULTS, parse_faults
from openai_ekm.emulator.middleware import ApiMiddleware, Hangup, Sleep
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import read_json

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from openai_ekm.emulator.state import Emulator

__all__ = ["OwnPages", "control_surface", "create_app"]

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


def control_surface(emulator: Emulator) -> Starlette:
    """Return the control surface of an emulator."""

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "pid": os.getpid()})

    async def requests(request: Request) -> JSONResponse:
        if request.method == "DELETE":
            emulator.requests.clear()
        return JSONResponse({"requests": list(emulator.requests)})

    async def faults(request: Request) -> JSONResponse:
        if request.method == "PUT":
            emulator.faults.set(parse_faults(await _json(request)))
        current = [fault.as_json() for fault in emulator.faults.current()]
        return JSONResponse({"faults": current, "known": dict(FAULTS)})

    async def settings(request: Request) -> JSONResponse:
        if request.method == "PATCH":
            body = await _json(request)
            if isinstance(body, dict) and isinstance(body.get("settings"), dict):
                body = body["settings"]  # what GET answers can be sent back
            if not isinstance(body, dict):
                raise HTTPException(400, "The body must be an object of setting to value.")
            emulator.change_settings(body)
        return JSONResponse({"settings": emulator.settings.model_dump()})

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/requests", requests, methods=["GET", "DELETE"]),
            Route("/faults", faults, methods=["GET", "PUT"]),
            Route("/settings", settings, methods=["GET", "PATCH"]),
        ],
        exception_handlers={BadInput: _bad_input, HTTPException: _refusal},
    )


async def _json(request: Request) -> Any:
    try:
        return read_json((await request.body()).decode())
    except ValueError:
        raise HTTPException(400, "The body is not JSON.") from None


def _bad_input(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BadInput)  # nosec B101 # narrows the type
    return JSONResponse({"error": error.as_json()}, status_code=400)


def _refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # nosec B101 # narrows the type
    return JSONResponse({"error": {"message": error.detail}}, status_code=error.status_code)


DESCRIPTION = """\
The endpoints of OpenAI's Admin API that Enterprise Key Management uses, emulated for rehearsal.
Registering and validating a key assumes the customer's role and uses the key for real, in the
AWS that the emulator was started with. What is not publicly known about OpenAI is a setting.
Not emulated: the APIs that use a project, other clouds, the checks of a psp_decryption key
and of an external storage."""


def create_app(emulator: Emulator, *, hang_up: Hangup, sleep: Sleep = asyncio.sleep) -> ASGIApp:
    """Return the ASGI application.

    Args:
        emulator: The emulated organization.
        hang_up: Breaks the connection of a request, for the faults that lose a response.
        sleep: Waits some seconds, for the fault that is slow.
    """
    api = create_api(emulator)

    async def document(_: Request) -> JSONResponse:
        return JSONResponse(api.openapi())

    return OwnPages(
        Starlette(
            routes=[
                Route("/openapi.json", document),
                Mount("/_emulator", control_surface(emulator)),
                Mount("/v1", ApiMiddleware(api, emulator, hang_up, sleep)),
            ]
        )
    )


def create_api(emulator: Emulator) -> FastAPI:
    """Return OpenAI's endpoints; paths are below the base URL, which ends in `/v1`."""
    api = FastAPI(
        title="OpenAI Admin API, Enterprise Key Management (emulated)",
        version=__version__,
        description=DESCRIPTION,
        servers=[{"url": "/v1"}],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        root_path_in_servers=False,
    )
    api.state.emulator = emulator
    for resource in (external_keys, projects, external_storage, audit_logs):
        api.include_router(resource.router)
    api.add_exception_handler(ApiError, _api_error)
    api.add_exception_handler(HTTPException, _no_such_endpoint)
    api.add_exception_handler(Exception, _defect)
    return api


def _api_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # nosec B101 # narrows the type
    return JSONResponse(error.body(), status_code=error.status, headers=error.headers)


def _no_such_endpoint(request: Request, error: Exception) -> JSONResponse:
    """Answer an unknown path or method as OpenAI does."""
    assert isinstance(error, HTTPException)  # nosec B101 # narrows the type
    text = f"Invalid URL ({request.method} {request.url.path})"
    return _api_error(request, ApiError(error.status_code, text))


def _defect(request: Request, _: Exception) -> JSONResponse:
    """Answer a defect of ours as a fault of the server; the server logs it."""
    return _api_error(request, server_error(500))
