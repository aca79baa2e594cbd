"""`/organization/audit_logs`: the events of keys and projects.

Source: docs/reference/openai-api.md#audit-log
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Depends, Request

from openai_ekm.emulator import request_parsing, schemas
from openai_ekm.emulator.documentation import answers, list_parameters
from openai_ekm.emulator.state import Emulator, admitted, emulator_of

if TYPE_CHECKING:
    from openai_ekm.emulator.settings import Settings
    from openai_ekm.emulator.store import Event

__all__ = ["router"]

router = APIRouter(prefix="/organization", tags=["audit_logs"])
READER: Final = Depends(admitted(None))
# Admin keys belong to a user; the emulated organization has one.
ACTOR_USER: Final = {"id": "user-emulated", "email": "owner@example.com"}
_BOUNDS: Final = ("gt", "gte", "lt", "lte")
_LISTS: Final = (
    "event_types[]",
    "project_ids[]",
    "actor_ids[]",
    "actor_emails[]",
    "resource_ids[]",
)


@router.get(
    "/audit_logs",
    response_model=None,
    responses=answers(schemas.EventPage),
    dependencies=[READER],
    operation_id="list_audit_logs",
    summary="List events, newest first",
    openapi_extra=list_parameters(
        limit=(1, 100),
        texts=("before", *(f"effective_at[{bound}]" for bound in _BOUNDS)),
        flags=("tenant_only",),
        lists=_LISTS,
    ),
)
def list_audit_logs(request: Request) -> Any:
    """Return a page; filters narrow each other."""
    emulator = emulator_of(request)
    settings = emulator.settings
    limit = request_parsing.page_limit(request)
    tenant_only = request_parsing.flag(request, "tenant_only")
    visible_until = emulator.clock() - settings.audit_delay_seconds
    events = [
        event
        for event in emulator.store.events()
        if event.effective_at <= visible_until
        and not tenant_only
        and _matches_filters(request, event)
        and _in_time(request, event)
    ]
    events, has_more = _page(request, events, limit, settings)
    return schemas.list_page([_answer(emulator, event) for event in events], has_more=has_more)


def _page(
    request: Request, events: list[Event], limit: int, settings: Settings
) -> tuple[list[Event], bool]:
    """Return the page after a cursor, or the one that ends right before one."""
    if "before" not in request.query_params or "after" in request.query_params:
        return request_parsing.page_of(request, events, limit, settings)
    page, has_more = request_parsing.page_of(
        request, events[::-1], limit, settings, cursor="before"
    )
    return page[::-1], has_more


def _matches_filters(request: Request, event: Event) -> bool:
    found = {
        "event_types[]": event.type,
        "project_ids[]": event.project_id,
        "resource_ids[]": event.resource_id,
        "actor_emails[]": ACTOR_USER["email"],
    }
    for name, value in found.items():
        asked = request.query_params.getlist(name)
        if asked and value not in asked:
            return False
    actors = request.query_params.getlist("actor_ids[]")
    return not actors or bool({event.actor_key_id, ACTOR_USER["id"]} & set(actors))


def _in_time(request: Request, event: Event) -> bool:
    """Return whether the event's second is inside the bounds asked for."""
    at = int(event.effective_at)
    for bound in _BOUNDS:
        limit = request_parsing.whole_number(request, f"effective_at[{bound}]")
        if limit is None:
            continue
        inside = {"gt": at > limit, "gte": at >= limit, "lt": at < limit, "lte": at <= limit}
        if not inside[bound]:
            return False
    return True


def _answer(emulator: Emulator, event: Event) -> dict[str, Any]:
    project = emulator.store.project(event.project_id)
    return {
        "id": event.id,
        "type": event.type,
        "effective_at": int(event.effective_at),
        "project": {"id": event.project_id, "name": project.name if project else None},
        "actor": {
            "type": "api_key",
            "api_key": {"id": event.actor_key_id, "type": "user", "user": ACTOR_USER},
        },
        event.type: event.details,
    }
