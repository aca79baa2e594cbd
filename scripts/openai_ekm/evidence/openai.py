"""OpenAI's own test of the key, and its audit events, as members of a pack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.errors import EkmError, NotReachable, OpenAIRefused
from openai_ekm.evidence.pack import NotSeen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_ekm.openai_api.client import AdminApi

__all__ = ["ask_validation", "read_audit_events"]

Answer = tuple[dict[str, Any] | None, tuple[NotSeen, ...]]


def ask_validation(api: AdminApi, external_key_id: str, now: Callable[[], str]) -> Answer:
    """Ask OpenAI to use the key now; a refusal is an answer, too.

    Args:
        api: OpenAI's Admin API.
        external_key_id: The registration.
        now: Returns the time.
    """
    body: dict[str, Any] = {"external_key_id": external_key_id, "asked_at": now()}
    try:
        api.validate_external_key(external_key_id)
    except OpenAIRefused as refusal:
        return {
            **body,
            "status": "refused",
            "request_id": refusal.request_id or api.request_id,
            "error": refusal.id,
            "message": refusal.message,
        }, ()
    except NotReachable as failure:
        return None, (_not_seen("validation", "OpenAI's validation", failure),)
    return {
        **body,
        "status": "success",
        "request_id": api.request_id,
        "error": None,
        "message": None,
    }, ()


def read_audit_events(api: AdminApi, ids: Sequence[str], now: Callable[[], str]) -> Answer:
    """Read OpenAI's audit events about the external key and its projects.

    Args:
        api: OpenAI's Admin API.
        ids: Of the external key and the projects.
        now: Returns the time.
    """
    asked_at = now()
    try:
        events = api.list_audit_events(ids)
    except (OpenAIRefused, NotReachable) as failure:
        return None, (_not_seen("audit_events", "OpenAI's audit log", failure),)
    return {"asked_at": asked_at, "resource_ids": list(ids), "events": list(events)}, ()


def _not_seen(member: str, what: str, failure: EkmError) -> NotSeen:
    return NotSeen(member, what, failure.message)
