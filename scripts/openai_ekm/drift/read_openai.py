"""Read from OpenAI what is to be compared: one list of registrations, one of projects.

It asks by an id only for what a list does not show.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openai_ekm.drift.compare_openai import Registered
from openai_ekm.openai_api import ApiRefused, Kind
from openai_ekm.registration.consistency import complete_keys
from openai_ekm.registration.matching import matches

if TYPE_CHECKING:
    from openai_ekm.openai_api.client import AdminApi
    from openai_ekm.openai_api.objects import ExternalKey, Project
    from openai_ekm.registration.record import Record

__all__ = ["read_openai"]


def read_openai(
    api: AdminApi, place: str, record: Record | None, *, every_project: bool
) -> Registered:
    """Read what OpenAI has of a record's registration, and of the organization around it.

    Args:
        api: With the admin key.
        place: Where the record is, or would be.
        record: As read, None when there is none.
        every_project: Whether projects matter that are not of the record.

    Raises:
        OpenAIRefused: OpenAI refuses a call.
        NotReachable: OpenAI gave no answer.
    """
    listed = api.list_external_keys()
    key: ExternalKey | None = None
    projects: tuple[Project, ...] = ()
    fates: dict[str, str] = {}
    if record is not None:
        listed = complete_keys(listed, partial(matches, record.intent), api.get_external_key)
        key = _registration(api, record, listed)
    recorded = set(record.projects.values()) if record is not None else set()
    on_key = set(key.api_project_ids) if key is not None else set()
    if every_project or recorded or on_key:
        projects = api.list_projects()
    active = {each.id for each in projects}
    if key is not None:
        for project in sorted(recorded - on_key):
            fates[project] = _fate(api, project, active)
    return Registered(
        place=place,
        record=record,
        key=key,
        listed=listed,
        projects=projects,
        fates=fates,
        organization=api.organization,
    )


def _registration(
    api: AdminApi, record: Record, listed: tuple[ExternalKey, ...]
) -> ExternalKey | None:
    """Return the registration that the record names; None when OpenAI says that it is gone."""
    if record.external_key_id is None:
        return None
    found = next((each for each in listed if each.id == record.external_key_id), None)
    if found is not None:
        return found
    try:
        return api.get_external_key(record.external_key_id)
    except ApiRefused as refused:
        if refused.refusal.kind is not Kind.GONE:
            raise
        return None


def _fate(api: AdminApi, project: str, active: set[str]) -> str:
    if project in active:
        return "elsewhere"
    return "archived" if api.has_project(project) else "missing"
