"""The application: OpenAI's endpoints under `/v1`, their OpenAPI document, control endpoints."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from openai_ekm._version import __version__
from openai_ekm.emulator import audit_logs, external_keys, external_storage, projects
from openai_ekm.emulator.control import control_surface
from openai_ekm.emulator.errors import ApiError, server_error
from openai_ekm.emulator.middleware import ApiMiddleware, Hangup, Sleep
from openai_ekm.emulator.own_pages import OwnPages

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from openai_ekm.emulator.state import Emulator

__all__ = ["create_app"]

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
