"""OpenAI's Admin API in memory, behind the client's transport, with faults at every call."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from openai_ekm.openai_api.transport import AnswerLost, HttpRequest, HttpResponse, NeverSent

KEYS = "/organization/external_keys"
PROJECTS = "/organization/projects"

Fault = Callable[["Exchange"], HttpResponse]


def _json(status: int, value: object, **headers: str) -> HttpResponse:
    return HttpResponse(status, {"x-request-id": "req_1", **headers}, json.dumps(value).encode())


def refused(status: int, message: str, code: str | None = None) -> HttpResponse:
    """An error object as OpenAI sends it."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return _json(status, {"error": error})


@dataclass
class OpenAI:
    """Keys and projects of one organization."""

    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    denial: str | None = None
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def answer(  # noqa: C901, PLR0911 - one return for each endpoint
        self, request: HttpRequest
    ) -> HttpResponse:
        """Carry a call out."""
        parts = request.path.split("/")[2:]
        match request.method, parts:
            case "GET", ["external_keys"]:
                return self._page([self._shown(key) for key in self.keys.values()])
            case "POST", ["external_keys"]:
                return self._create_key(request.body or {})
            case "GET", ["external_keys", id]:
                if id not in self.keys:
                    return refused(404, f"The external key {id} was not found")
                return _json(200, self._shown(self.keys[id]))
            case "DELETE", ["external_keys", id]:
                return self._delete_key(id)
            case "POST", ["external_keys", id, "validate"]:
                if id not in self.keys:
                    return refused(404, f"The external key {id} was not found")
                return (
                    refused(400, self.denial) if self.denial else _json(200, {"status": "success"})
                )
            case "GET", ["projects"]:
                return self._page([p for p in self.projects.values() if p["status"] == "active"])
            case "POST", ["projects"]:
                return self._create_project(request.body or {})
            case "POST", ["projects", id, "archive"]:
                self.projects[id]["status"] = "archived"
                return _json(200, self.projects[id])
            case _:
                return refused(404, "Not found")

    def matching(self, name: str) -> list[str]:
        """Ids of the registrations with a name."""
        return [found for found, key in self.keys.items() if key["name"] == name]

    def active(self, name: str) -> list[str]:
        """Ids of the active projects with a name."""
        return [
            found
            for found, project in self.projects.items()
            if project["name"] == name and project["status"] == "active"
        ]

    def _shown(self, key: Mapping[str, Any]) -> dict[str, Any]:
        using = [
            project["id"]
            for project in self.projects.values()
            if project["external_key_id"] == key["id"] and project["status"] == "active"
        ]
        return {**key, "api_project_ids": using}

    def _create_key(self, body: Mapping[str, object]) -> HttpResponse:
        if self.denial:
            return refused(400, self.denial)
        new = f"extkey_{next(self._ids)}"
        self.keys[new] = {
            **body,
            "id": new,
            "object": "organization.external_key",
            "created_at": 1795000000,
            "workspace_id": "",
        }
        return _json(200, self._shown(self.keys[new]))

    def _delete_key(self, id: str) -> HttpResponse:
        if id not in self.keys:
            return refused(404, f"No external key found with id '{id}'")
        shown = self._shown(self.keys[id])
        if shown["api_project_ids"]:
            return refused(
                400,
                "This external key is associated with active projects. Please archive the "
                "projects before deleting the external key.",
            )
        del self.keys[id]
        return _json(200, {**shown, "object": "organization.external_key.deleted"})

    def _create_project(self, body: Mapping[str, object]) -> HttpResponse:
        new = f"proj_{next(self._ids)}"
        self.projects[new] = {
            **body,
            "id": new,
            "object": "organization.project",
            "created_at": 1795000000,
            "archived_at": None,
            "status": "active",
        }
        return _json(200, self.projects[new])

    @staticmethod
    def _page(items: list[dict[str, Any]]) -> HttpResponse:
        last = items[-1]["id"] if items else None
        return _json(200, {"object": "list", "data": items, "has_more": False, "last_id": last})


@dataclass(frozen=True)
class Exchange:
    """A call that a fault has in its hands."""

    openai: OpenAI
    request: HttpRequest

    def commit(self) -> HttpResponse:
        """Let OpenAI carry it out."""
        return self.openai.answer(self.request)


@dataclass
class Wire:
    """The client's transport: faults by the number of the call, from 0."""

    openai: OpenAI
    faults: dict[int, Fault] = field(default_factory=dict)
    calls: int = 0

    def send(self, request: HttpRequest) -> HttpResponse:
        """Make the exchange, or the fault that is due."""
        fault = self.faults.get(self.calls)
        self.calls += 1
        self.openai.log.append(f"{request.method} {request.path}")
        exchange = Exchange(self.openai, request)
        return fault(exchange) if fault else exchange.commit()


def connection_refused(_exchange: Exchange) -> HttpResponse:
    """Nothing listens."""
    raise NeverSent("connection refused")


def lost_before_commit(_exchange: Exchange) -> HttpResponse:
    """The connection breaks, and OpenAI did nothing."""
    raise AnswerLost("reset")


def lost_after_commit(exchange: Exchange) -> HttpResponse:
    """The connection breaks after OpenAI did it."""
    exchange.commit()
    raise AnswerLost("timed out")


def answers(response: HttpResponse, *, after_commit: bool) -> Fault:
    """Another answer than OpenAI's own, before or after it did it."""

    def fault(exchange: Exchange) -> HttpResponse:
        if after_commit:
            exchange.commit()
        return response

    return fault


HTML = HttpResponse(502, {"content-type": "text/html"}, b"<html><h1>Bad gateway</h1></html>")
CUT_SHORT = HttpResponse(200, {}, b'{"id": "extkey_')
NO_OBJECT = HttpResponse(200, {}, b"null")
EMPTY = HttpResponse(200, {}, b"")
LIMITED = HttpResponse(429, {"retry-after": "1"}, b'{"error": {"message": "slow down"}}')
LIMITED_UNTIMED = HttpResponse(429, {}, b"")
SERVER_ERROR = refused(500, "The server had an error")
UNAVAILABLE = HttpResponse(503, {"retry-after": "2"}, b"")
BARE_SCOPE = _json(
    403,
    {
        "error": "You have insufficient permissions for this operation. Missing scopes: "
        "api.management.write. Check that you have the correct role."
    },
)
FEATURE_OFF = refused(404, "Unsupported endpoint")
WRONG_HOST = refused(401, "Wrong host for this credential's region.", "incorrect_hostname")
REDIRECT = HttpResponse(302, {"location": "https://example.com/"}, b"")

# Each with whether the call may have been carried out.
FAULTS: dict[str, Fault] = {
    "connection_refused": connection_refused,
    "lost_before_commit": lost_before_commit,
    "lost_after_commit": lost_after_commit,
    "server_error_before_commit": answers(SERVER_ERROR, after_commit=False),
    "server_error_after_commit": answers(SERVER_ERROR, after_commit=True),
    "unavailable_before_commit": answers(UNAVAILABLE, after_commit=False),
    "html_of_a_proxy": answers(HTML, after_commit=False),
    "html_of_a_proxy_after_commit": answers(HTML, after_commit=True),
    "body_cut_short": answers(CUT_SHORT, after_commit=True),
    "body_without_object": answers(NO_OBJECT, after_commit=True),
    "empty_body": answers(EMPTY, after_commit=False),
    "limited": answers(LIMITED, after_commit=False),
    "limited_untimed": answers(LIMITED_UNTIMED, after_commit=False),
    "scope_missing": answers(BARE_SCOPE, after_commit=False),
    "feature_off": answers(FEATURE_OFF, after_commit=False),
    "wrong_host": answers(WRONG_HOST, after_commit=False),
    "redirect": answers(REDIRECT, after_commit=False),
}
