"""`/_emulator`: endpoints by which a test reads the emulator and changes its behaviour.

They are no part of OpenAI's API: they are outside `/v1` and outside the OpenAPI document, and need
no key. Therefore the emulator listens on loopback alone, and `own_pages` limits who gets answers.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from openai_ekm.emulator.faults import FAULTS, parse_faults
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import read_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from openai_ekm.emulator.state import Emulator

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
