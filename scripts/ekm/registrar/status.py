"""What the record says, what OpenAI says, what state the key is in, and where they differ. Pure.

Source: design section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ekm.registrar import matching
from ekm.registrar.record import State, as_json

if TYPE_CHECKING:
    from ekm.admin_api.objects import ExternalKey, Project
    from ekm.registrar.record import Record

__all__ = ["KeyState", "Status", "judge"]


@dataclass(frozen=True, slots=True)
class KeyState:
    """The KMS key as AWS describes it; `state` is KMS's word (`Enabled`) or `NotFound`."""

    state: str
    arn: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """All of it, and the differences in sentences.

    Args:
        key_state: None when AWS was not asked.
    """

    place: str
    record: Record | None
    key: ExternalKey | None
    projects: tuple[Project, ...]
    key_state: KeyState | None
    differences: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As `ekm status --json` prints it."""
        names = {project.id: project.name for project in self.projects}
        return {
            "holds": not self.differences,
            "record_place": self.place,
            "record": as_json(self.record) if self.record else None,
            "registration": None
            if self.key is None
            else {
                "id": self.key.id,
                "name": self.key.name,
                "role_arn": self.key.role_arn,
                "kms_arn": self.key.kms_arn,
                "external_id": self.key.external_id,
                "workspace_id": self.key.workspace_id,
                "projects": [
                    {"id": other, "name": names.get(other)} for other in self.key.api_project_ids
                ],
            },
            "key": None
            if self.key_state is None
            else {"state": self.key_state.state, "arn": self.key_state.arn},
            "differences": list(self.differences),
        }


def judge(
    place: str,
    record: Record | None,
    key: ExternalKey | None,
    projects: tuple[Project, ...],
    key_state: KeyState | None,
    *,
    registered: tuple[ExternalKey, ...] = (),
) -> Status:
    """Compare what was seen.

    Args:
        place: Where the record is.
        record: As read, None when there is none.
        key: The registration with the record's id, None when it is gone.
        projects: Every active project of the organization, or those looked at.
        key_state: None when AWS was not asked.
        registered: Every registration of the organization, or those looked at.
    """
    return Status(
        place,
        record,
        key,
        projects,
        key_state,
        (
            *_differences(place, record, key, projects, key_state),
            *_twins(record, key, registered),
        ),
    )


def _differences(
    place: str,
    record: Record | None,
    key: ExternalKey | None,
    projects: tuple[Project, ...],
    key_state: KeyState | None,
) -> list[str]:
    found: list[str] = []
    if record is None:
        return [f"There is no record at {place}."]
    if record.state is State.REGISTERING:
        found.append("The record says that registering was begun and not ended: run it again.")
    if record.state is State.RETIRED and key is not None:
        found.append(f"The record says retired, and {key.id} is still registered at OpenAI.")
    if record.live_id and key is None:
        found.append(f"The record names {record.live_id}, and OpenAI has no such registration.")
    if key is not None:
        found += [
            f"{difference.member}: the record has {difference.wanted!r}, OpenAI has "
            f"{difference.found!r}."
            for difference in matching.differences(record.intent, key)
        ]
        found += _project_differences(record, key, projects)
    if key_state is not None and key_state.state != "Enabled":
        found.append(f"The KMS key {record.intent.kms_arn} is {key_state.state}, not Enabled.")
    return found


def _twins(
    record: Record | None, key: ExternalKey | None, registered: tuple[ExternalKey, ...]
) -> tuple[str, ...]:
    """A sentence for each other registration of the very same: only here is it seen."""
    if record is None or key is None:
        return ()
    return tuple(
        f"{twin.id} ({len(twin.api_project_ids)} projects) is registered for the same name, role, "
        f"key and external id as {key.id}: registrars with different records made both. Delete "
        "the one without projects, after you have seen that no other record names it."
        for twin in registered
        if twin.id != key.id and matching.matches(record.intent, twin)
    )


def _project_differences(
    record: Record, key: ExternalKey, projects: tuple[Project, ...]
) -> list[str]:
    names = {project.id: project.name for project in projects}
    found = [
        f"The project {name!r} ({project}) of the record is not active on {key.id}."
        for name, project in record.projects.items()
        if project not in key.api_project_ids
    ]
    known = frozenset(record.projects.values())
    found += [
        f"The project {names.get(other) or '(unnamed)'} ({other}) is active on {key.id} and not "
        "in the record."
        for other in key.api_project_ids
        if other not in known
    ]
    return found
