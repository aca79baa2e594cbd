"""Compare the record, OpenAI's registration and the state of the key. Pure.

Source: docs/registration.md#what-ekm-status-compares
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from openai_ekm.registration import matching
from openai_ekm.registration.record import State, as_json

if TYPE_CHECKING:
    from openai_ekm.openai_api.objects import ExternalKey, Project
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.record import Record

__all__ = ["Differing", "KeyState", "Status", "Topic", "judge", "judge_handed_over"]


class Topic(StrEnum):
    """The subject of a difference."""

    RECORD = "record"
    REGISTRATION = "registration"
    DUPLICATES = "duplicates"
    PROJECTS = "projects"
    KEY = "key"
    DRILL = "drill"


@dataclass(frozen=True, slots=True)
class Differing:
    """One difference.

    Args:
        topic: What it is about.
        subject: The same more closely: a member, or an id.
        text: The difference, in a sentence.
        wanted: The value that the record has; None where it has none.
        found: The value that is there; None where there is none.
    """

    topic: Topic
    subject: str
    text: str
    wanted: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class KeyState:
    """The KMS key as AWS describes it; `state` is KMS's word (`Enabled`) or `NotFound`."""

    state: str
    arn: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """All of it, and the differences.

    Args:
        found: The differences, in order.
        key_state: None when AWS was not asked.
        handed_over: What there is to hand to OpenAI, where there is no record and need be none.
        openai_asked: Whether OpenAI was asked for registrations.
    """

    place: str
    record: Record | None
    key: ExternalKey | None
    projects: tuple[Project, ...]
    key_state: KeyState | None
    found: tuple[Differing, ...]
    handed_over: Intent | None = None
    openai_asked: bool = True

    @property
    def differences(self) -> tuple[str, ...]:
        """Return the differences in sentences."""
        return tuple(each.text for each in self.found)

    def also(self, found: Differing) -> Status:
        """Return the same with one difference more."""
        return replace(self, found=(*self.found, found))

    def as_json(self) -> dict[str, Any]:
        """Return the status as `ekm status --json` prints it."""
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
            "handed_over": None
            if self.handed_over is None
            else {
                "role_arn": self.handed_over.role_arn,
                "kms_arn": self.handed_over.kms_arn,
                "external_id": self.handed_over.external_id,
            },
            "openai_asked": self.openai_asked,
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


def judge_handed_over(
    place: str,
    intent: Intent,
    listed: tuple[ExternalKey, ...] | None,
    key_state: KeyState | None,
) -> Status:
    """Say what is seen of a role and a key without a record, as a ChatGPT workspace has them.

    Args:
        place: Where a record would be.
        intent: What Terraform made.
        listed: Every registration of the organization; None when OpenAI was not asked.
        key_state: None when AWS was not asked.

    Returns:
        A registration of an API without a record is a difference, and so is a key that cannot be
        used; a registration of a workspace is none.
    """
    same = [
        key
        for key in listed or ()
        if (key.role_arn, key.kms_arn) == (intent.role_arn, intent.kms_arn)
    ]
    bound = next((key for key in same if key.workspace_id), None)
    differences = [
        Differing(
            Topic.RECORD,
            key.id,
            f"{key.id} is registered at OpenAI for this role and key, and there is no record at "
            f"{place}: `ekm register` adopts it and writes one.",
            found=key.id,
        )
        for key in same
        if not key.workspace_id
    ]
    differences += _key_differences(intent, key_state)
    return Status(
        place,
        None,
        bound or (same[0] if same else None),
        (),
        key_state,
        tuple(differences),
        handed_over=intent,
        openai_asked=listed is not None,
    )


def _differences(
    place: str,
    record: Record | None,
    key: ExternalKey | None,
    projects: tuple[Project, ...],
    key_state: KeyState | None,
) -> list[Differing]:
    found: list[Differing] = []
    if record is None:
        where = ", in this Region and account" if place.startswith("ssm:") else ""
        return [Differing(Topic.RECORD, "record", f"There is no record at {place}{where}.")]
    if record.state is State.REGISTERING:
        text = "The record says that registering was begun and not ended: run it again."
        found.append(Differing(Topic.RECORD, "state", text, "registered", "registering"))
    if record.state is State.RETIRED and key is not None:
        text = f"The record says retired, and {key.id} is still registered at OpenAI."
        found.append(Differing(Topic.REGISTRATION, key.id, text, found=key.id))
    if record.live_id and key is None:
        text = f"The record names {record.live_id}, and OpenAI has no such registration."
        found.append(Differing(Topic.REGISTRATION, record.live_id, text, record.live_id))
    if key is not None:
        found += [
            Differing(
                Topic.REGISTRATION,
                difference.member,
                f"{difference.member}: the record has {difference.wanted!r}, OpenAI has "
                f"{difference.found!r}.",
                difference.wanted,
                difference.found,
            )
            for difference in matching.differences(record.intent, key)
        ]
        found += _project_differences(record, key, projects)
    return found + _key_differences(record.intent, key_state)


def _key_differences(intent: Intent, key_state: KeyState | None) -> list[Differing]:
    if key_state is None or key_state.state == "Enabled":
        return []
    text = f"The KMS key {intent.kms_arn} is {key_state.state}, not Enabled."
    return [Differing(Topic.KEY, intent.kms_arn, text, "Enabled", key_state.state)]


def _twins(
    record: Record | None, key: ExternalKey | None, registered: tuple[ExternalKey, ...]
) -> tuple[Differing, ...]:
    """Return a difference for each other registration of the very same: only here is it seen."""
    if record is None or key is None:
        return ()
    return tuple(
        Differing(
            Topic.DUPLICATES,
            twin.id,
            f"{twin.id} ({len(twin.api_project_ids)} projects) is registered for the same name, "
            f"role, key and external id as {key.id}: registrars with different records made both. "
            "Delete the one without projects, after you have seen that no other record names it.",
            found=twin.id,
        )
        for twin in registered
        if twin.id != key.id and matching.matches(record.intent, twin)
    )


def _project_differences(
    record: Record, key: ExternalKey, projects: tuple[Project, ...]
) -> list[Differing]:
    names = {project.id: project.name for project in projects}
    found = [
        Differing(
            Topic.PROJECTS,
            project,
            f"The project {name!r} ({project}) of the record is not active on {key.id}.",
            wanted=project,
        )
        for name, project in record.projects.items()
        if project not in key.api_project_ids
    ]
    known = frozenset(record.projects.values())
    found += [
        Differing(
            Topic.PROJECTS,
            other,
            f"The project {names.get(other) or '(unnamed)'} ({other}) is active on {key.id} and "
            "not in the record.",
            found=other,
        )
        for other in key.api_project_ids
        if other not in known
    ]
    return found
