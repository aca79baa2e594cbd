"""Lists whose items are whole where it matters: one published form leaves `external_id` out.

Without it a registration of the same role, key and name under another external id, somebody
else's, cannot be told from one's own. What a list shows by half is asked for by its id; where
that leaves it out too, there is nothing to tell them apart by, and the other members decide.

Source: wire contract 5, row 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.registrar import matching
from ekm.registrar.steps import FetchKey, ListKeys, ListProjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ekm.admin_api.objects import ExternalKey, Project
    from ekm.registrar.intent import Intent
    from ekm.registrar.steps import Protocol

__all__ = ["listed_keys", "listed_projects", "whole"]


def listed_keys(*intents: Intent, without: str | None = None) -> Protocol[tuple[ExternalKey, ...]]:
    """Every registration; what may be one of these intents is whole.

    Args:
        intents: Whose registrations matter.
        without: Id of one that was deleted for certain, which a list that lags still shows.

    Raises:
        OpenAIRefused: The list shows one by half, and it is not found: reads lag, or lists do.
    """
    keys: list[ExternalKey] = []
    for key in (yield ListKeys()):
        if key.id == without:
            continue
        half = key.external_id is None and any(matching.matches(one, key) for one in intents)
        keys.append((yield FetchKey(key.id)) if half else key)
    return tuple(keys)


def listed_projects() -> Protocol[tuple[Project, ...]]:
    """Every active project."""
    found: tuple[Project, ...] = yield ListProjects()
    return found


def whole(
    keys: Iterable[ExternalKey],
    matters: Callable[[ExternalKey], bool],
    fetch: Callable[[str], ExternalKey],
) -> tuple[ExternalKey, ...]:
    """The same outside a protocol.

    Args:
        keys: As a list shows them.
        matters: Whether one may be meant, as far as its other members tell.
        fetch: Returns a registration by its id.
    """
    return tuple(fetch(key.id) if key.external_id is None and matters(key) else key for key in keys)
