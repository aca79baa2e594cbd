"""`/_emulator`: how a test looks at the emulator and changes how it behaves.

It is no part of OpenAI's API: it is outside `/v1` and outside the OpenAPI document, and it asks
for no key. That is why the emulator listens on loopback alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from ekm.emulator.faults import FAULTS, parse_faults
from ekm.errors import BadInput

if TYPE_CHECKING:
    from starlette.requests import Request

    from ekm.emulator.context import Emulator

__all__ = ["control_surface"]


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
            emulator.settings = emulator.settings.changed(body)
        return JSONResponse({"settings": emulator.settings.model_dump()})

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/requests", requests, methods=["GET", "DELETE"]),
            Route("/faults", faults, methods=["GET", "PUT"]),
            Route("/settings", settings, methods=["GET", "PATCH"]),
        ],
        exception_handlers={BadInput: _bad_input, HTTPException: _refused},
    )


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise HTTPException(400, "The body is not JSON.") from None


def _bad_input(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BadInput)
    return JSONResponse({"error": error.as_json()}, status_code=400)


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": {"message": error.detail}}, status_code=error.status_code)
