"""Middleware of every API call: faults, OpenAI's response headers, the log of calls."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openai_ekm.emulator import errors
from openai_ekm.openai import EXTERNAL_KEY_PREFIX, PROJECT_PREFIX

if TYPE_CHECKING:
    from openai_ekm.emulator.errors import ApiError
    from openai_ekm.emulator.faults import Fault
    from openai_ekm.emulator.state import Emulator

__all__ = ["ApiMiddleware"]

# Its value is documented at developers.openai.com/api/reference/overview.
OPENAI_VERSION: Final = "2020-10-01"
_SLOW_SECONDS: Final = 2.0
_MINUTE: Final = 60.0
_OK: Final = 200
_ERROR_STATUS: Final = 400
_LOG: Final = logging.getLogger("openai_ekm.emulator")

Hangup = Callable[[Scope], None]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _Answer:
    """A whole answer, before it is sent."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def of(cls, error: ApiError) -> _Answer:
        headers = [(name.lower().encode(), text.encode()) for name, text in error.headers.items()]
        return cls(
            error.status,
            [(b"content-type", b"application/json"), *headers],
            json.dumps(error.body()).encode(),
        )


class ApiMiddleware:
    """ASGI middleware around the API.

    Args:
        app: The API.
        emulator: Its faults, settings and log.
        hang_up: Breaks the connection of a request; nothing is sent.
        sleep: Waits some seconds.
    """

    def __init__(
        self, app: ASGIApp, emulator: Emulator, hang_up: Hangup, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._app = app
        self._emulator = emulator
        self._hang_up = hang_up
        self._sleep = sleep
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method, path = scope["method"], scope["path"]
        faults = self._emulator.faults.take(method, path)
        entry = self._entry(scope, faults)
        if "slow" in faults:
            # What was asked is carried out, whether or not the caller lives to read the answer.
            receive = await _received(receive)
            await self._sleep(_or(faults["slow"].seconds, _SLOW_SECONDS))
        if "lost-before-commit" in faults:
            await self._break_off(scope, entry)
            return
        answer = self._refusal(scope, faults)
        if answer is None:
            answer = await self._carried_out({**scope, "ekm.faults": faults}, receive)
        answer = _apply_answer_faults(answer, faults)
        if "lost-after-commit" in faults:
            await self._break_off(scope, entry)
            return
        self._emulator.requests.append({**entry, "status": answer.status})
        answer.headers += self._headers(scope, entry["request_id"], started)
        await self._send(scope, send, answer, truncated="truncated" in faults)

    def _entry(self, scope: Scope, faults: dict[str, Fault]) -> dict[str, Any]:
        """Return the log entry of a call: what was asked, never with which key."""
        return {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "status": None,
            "request_id": f"req_{uuid.uuid4().hex}",
            "at": self._emulator.clock(),
            "faults": sorted(faults),
        }

    async def _break_off(self, scope: Scope, entry: dict[str, Any]) -> None:
        """Log a call that gets no answer, and break its connection."""
        self._emulator.requests.append(entry)
        self._hang_up(scope)
        await self._sleep(0.01)  # lets the server see the loss before we return without an answer

    def _refusal(self, scope: Scope, faults: dict[str, Fault]) -> _Answer | None:
        """Return the refusal of a call that is not carried out."""
        if (fault := faults.get("rate-limited")) is not None:
            return _Answer.of(errors.rate_limited(round(_or(fault.seconds, 1))))
        if "rate-limited-bare" in faults:
            return _Answer.of(errors.rate_limited(None))
        if (fault := faults.get("server-error")) is not None:
            return _Answer.of(errors.server_error(fault.status or 500))
        if (fault := faults.get("proxy-page")) is not None:
            return _page(fault)
        if "redirect" in faults:
            return _Answer(302, [(b"location", b"https://elsewhere.invalid/")])
        return self._over_the_limit(scope)

    def _over_the_limit(self, scope: Scope) -> _Answer | None:
        settings = self._emulator.settings
        if not settings.calls_per_minute:
            return None
        calls = self._calls[_endpoint(scope)]
        now = self._emulator.clock()
        while calls and calls[0] <= now - _MINUTE:
            calls.popleft()
        if len(calls) < settings.calls_per_minute:
            calls.append(now)
            return None
        wait = max(1, round(calls[0] + _MINUTE - now + 0.5))
        return _Answer.of(errors.rate_limited(wait if settings.retry_after else None))

    async def _carried_out(self, scope: Scope, receive: Receive) -> _Answer:
        answer = _Answer()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [
                    pair for pair in message.get("headers", ()) if pair[0] != b"content-length"
                ]
            elif message["type"] == "http.response.body":
                answer.body += message.get("body", b"")

        try:
            await self._app(scope, receive, keep)
        except Exception:  # noqa: BLE001 - answered as a 500 by then; the log says what it was
            _LOG.exception("%s %s failed", scope["method"], scope["path"])
        return answer

    def _headers(self, scope: Scope, request_id: str, started: float) -> list[tuple[bytes, bytes]]:
        emulator = self._emulator
        headers = {
            "x-request-id": request_id,
            "openai-organization": emulator.organization,
            "openai-processing-ms": str(round((time.perf_counter() - started) * 1000)),
            "openai-version": OPENAI_VERSION,
        }
        if emulator.settings.ratelimit_headers:
            limit = emulator.settings.calls_per_minute or 10
            used = len(self._calls[_endpoint(scope)])
            headers |= {
                "x-ratelimit-limit-requests": str(limit),
                "x-ratelimit-remaining-requests": str(max(0, limit - used)),
                "x-ratelimit-reset-requests": "60s",
            }
        return [(name.encode(), text.encode()) for name, text in headers.items()]

    async def _send(self, scope: Scope, send: Send, answer: _Answer, *, truncated: bool) -> None:
        length = str(len(answer.body)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [*answer.headers, (b"content-length", length)],
            }
        )
        if truncated:
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await self._sleep(0.05)  # lets the first half leave before the connection breaks
            self._hang_up(scope)
            await self._sleep(0.01)
            return
        await send({"type": "http.response.body", "body": answer.body})


def _apply_answer_faults(answer: _Answer, faults: dict[str, Fault]) -> _Answer:
    """Return the answer as the faults want it."""
    if (fault := faults.get("server-error-after-commit")) is not None:
        answer = _Answer.of(errors.server_error(fault.status or 500))
    if "status-201" in faults and answer.status == _OK:
        answer.status = 201
    is_error = answer.status >= _ERROR_STATUS and answer.body.startswith(b"{")
    if is_error and {"second-shape", "error-absent"} & set(faults):
        error = json.loads(answer.body).get("error")
        text = error if isinstance(error, str) else error["message"]
        body = {"error": text} if "second-shape" in faults else {"message": text}
        answer.body = json.dumps(body).encode()
    if (fault := faults.get("proxy-page-after-commit")) is not None:
        answer = _page(fault)
    if "broken-json" in faults:
        answer.body = answer.body[:-1] + b',"'
    return answer


async def _received(receive: Receive) -> Receive:
    """Take a request in as a whole; return what gives it out again."""
    messages = deque([await receive()])
    while messages[-1].get("more_body"):
        messages.append(await receive())

    async def again() -> Message:
        return messages.popleft() if messages else await receive()

    return again


def _page(fault: Fault) -> _Answer:
    """Return what a proxy answers in OpenAI's place."""
    page = b"<html><body><h1>Bad gateway</h1></body></html>"
    return _Answer(fault.status or 502, [(b"content-type", b"text/html")], page)


def _endpoint(scope: Scope) -> str:
    """Return the endpoint that a limit counts: method and path without ids."""
    words = [
        "{id}" if word.startswith((EXTERNAL_KEY_PREFIX, PROJECT_PREFIX)) else word
        for word in scope["path"].split("/")
    ]
    return f"{scope['method']} {'/'.join(words)}"


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
