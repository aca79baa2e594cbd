"""Choose the registration and the project that match an intent. Pure.

Sources: docs/registration.md#the-steps-of-ekm-register,
docs/reference/openai-api.md#published-forms-that-differ (absent members)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_ekm.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openai_ekm.openai_api.objects import ExternalKey, Project
    from openai_ekm.registration.intent import Intent

__all__ = [
    "choose_key",
    "choose_project",
    "differences",
    "is_ours",
    "lookalikes",
    "matches",
    "needs_listing",
]


@dataclass(frozen=True, slots=True)
class Difference:
    """A member in which a registration is not what was asked for."""

    member: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.member} is {self.found!r}, asked for {self.wanted!r}"


def differences(intent: Intent, key: ExternalKey) -> tuple[Difference, ...]:
    """Return the members in which the registration differs; absent ones do not count."""
    wanted = {
        "type": ("aws", key.type),
        "purpose": ("ekm", key.purpose),
        "role_arn": (intent.role_arn, key.role_arn),
        "kms_arn": (intent.kms_arn, key.kms_arn),
        "external_id": (intent.external_id, key.external_id),
        "name": (intent.name, key.name),
    }
    return tuple(
        Difference(member, asked, found)
        for member, (asked, found) in wanted.items()
        if found is not None and found != asked
    )


def is_ours(key: ExternalKey) -> bool:
    """Return whether the registrar may touch it: an AWS key for EKM that no workspace uses."""
    return key.type in {"aws", None} and key.purpose in {"ekm", None} and not key.workspace_id


def matches(intent: Intent, key: ExternalKey) -> bool:
    """Return whether the registration is the intent's: nothing differs, and the ARNs are there."""
    named = key.role_arn is not None and key.kms_arn is not None and key.name is not None
    return named and is_ours(key) and not differences(intent, key)


def choose_key(intent: Intent, keys: Iterable[ExternalKey]) -> ExternalKey | None:
    """Return the one registration that matches; None when there is none.

    Raises:
        Conflict: Several match: which one holds the data is for a person to say.
    """
    found = sorted((key for key in keys if matches(intent, key)), key=lambda key: key.id)
    if len(found) > 1:
        listed = ", ".join(
            f"{key.id} ({_count(key.api_project_ids)}, created_at {key.created_at})"
            for key in found
        )
        raise Conflict(
            "several_matches",
            f"{len(found)} registrations match name {intent.name!r}, role and key: {listed}.",
            at_fault="external_keys",
            remedy="Say which one with `ekm register --external-key ID`, which records it; take "
            "the one whose projects hold your data.",
        )
    return found[0] if found else None


def lookalikes(intent: Intent, keys: Iterable[ExternalKey]) -> tuple[ExternalKey, ...]:
    """Return the registrations of the same key and role with another name or external id."""
    return tuple(
        key
        for key in keys
        if key.kms_arn == intent.kms_arn
        and key.role_arn == intent.role_arn
        and not matches(intent, key)
    )


def choose_project(
    name: str, external_key_id: str, projects: Iterable[Project], recorded: str | None
) -> Project | None:
    """Return the one active project of that name on the key; None when there is none.

    Raises:
        Conflict: Several have that name, and the record does not say which.
    """
    found = [
        project
        for project in projects
        if project.name == name
        and project.external_key_id == external_key_id
        and not project.archived
    ]
    for project in found:
        if project.id == recorded:
            return project
    if len(found) > 1:
        ids = ", ".join(sorted(project.id for project in found))
        raise Conflict(
            "several_projects",
            f"{len(found)} active projects on {external_key_id} have the name {name!r}: {ids}.",
            at_fault="projects",
            remedy="Rename or archive all but one in OpenAI's settings, then run again.",
        )
    return found[0] if found else None


def needs_listing(
    name: str, recorded: Mapping[str, str], active: frozenset[str], *, fresh: bool
) -> bool:
    """Return whether only a list of projects can say if the project is there.

    Args:
        name: The project's name.
        recorded: What the record has for this key: name -> id.
        active: `api_project_ids` of the key.
        fresh: The key was made in this run: it has no projects.
    """
    if fresh:
        return False
    return name in recorded or bool(active - frozenset(recorded.values()))


def _count(projects: tuple[str, ...]) -> str:
    return "1 project" if len(projects) == 1 else f"{len(projects)} projects"
