"""The projects that a drill would interrupt, and whether it may. Pure.

A project is marked for drills if its name at OpenAI has the word `drill` in it. The run reads the
name from OpenAI, and the people who work in the project see it. A mark in the record or in
Terraform's variables could be older than the project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openai_ekm.errors import BadInput, Conflict
from openai_ekm.registration import matching
from openai_ekm.registration.record import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.openai_api.objects import ExternalKey, Project
    from openai_ekm.registration.record import Record

__all__ = [
    "Target",
    "check_confirmed",
    "check_others",
    "check_record",
    "check_registration",
    "is_marked",
    "targets",
]

_MARK: Final = re.compile(r"(?<![0-9a-z])drills?(?![0-9a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """An active project on the key.

    Args:
        name: As OpenAI has it now; None when OpenAI does not list the project.
        marked: Whether it is for drills only.
    """

    id: str
    name: str | None
    marked: bool

    def __str__(self) -> str:
        return f"{self.name or '(unnamed)'} ({self.id})"

    def as_json(self) -> dict[str, object]:
        """Return the targets as report and plan print them."""
        return {"id": self.id, "name": self.name, "marked_for_drills": self.marked}


def is_marked(name: str | None) -> bool:
    """Return whether a project's name has the word `drill` in it (`ekm-drill`, not `drilling`)."""
    return name is not None and _MARK.search(name) is not None


def targets(key: ExternalKey, projects: Iterable[Project]) -> tuple[Target, ...]:
    """Return every active project on the key, as the key and the list of projects say it now.

    Args:
        key: As OpenAI has just shown it.
        projects: Every active project of the organization, just listed.

    Returns:
        The union of both: what only one of them shows is interrupted all the same.
    """
    listed = {project.id: project for project in projects}
    on_key = {each.id for each in listed.values() if each.external_key_id == key.id}
    found = []
    for known in sorted(on_key | set(key.api_project_ids)):
        name = listed[known].name if known in listed else None
        found.append(Target(known, name, is_marked(name)))
    return tuple(found)


def check_record(place: str, record: Record | None) -> tuple[Record, str]:
    """Return the record and the external key's id.

    Raises:
        BadInput: There is no registration to rehearse with.
        Conflict: One is being made right now, or was left half made.
    """
    if record is None or record.live_id is None:
        said = "There is no record" if record is None else f"The record says {record.state.value}"
        raise BadInput(
            "nothing_registered",
            f"{said} at {place}: there is nothing to rehearse with.",
            at_fault="--record",
            remedy="If it is registered, name the record, the Region (--region) and the account "
            "(--profile) that it is in. Else register first: `ekm register`.",
        )
    if record.state is not State.REGISTERED:
        raise Conflict(
            "drill_registration_unfinished",
            f"The record {place} says {record.state.value}: registering was begun and not ended.",
            at_fault=place,
            remedy="Run `ekm register` until it is done, then the drill.",
        )
    return record, record.live_id


def check_registration(place: str, record: Record, key: ExternalKey) -> None:
    """Refuse a registration that is not the record's, or not of a kind that this understands.

    Raises:
        Conflict: A workspace's, or of another type or purpose, or with other members.
    """
    if key.workspace_id:
        raise Conflict(
            "workspace_key",
            f"{key.id} is bound to the ChatGPT workspace {key.workspace_id}: a drill would cut "
            "everybody in it off. It was not touched.",
            at_fault=key.id,
            remedy="Rehearse with a registration of its own and a project made for drills.",
        )
    differing = matching.differences(record.intent, key)
    if differing or not matching.matches(record.intent, key):
        shown = "; ".join(str(each) for each in differing) or "members are missing"
        raise Conflict(
            "registration_differs",
            f"{key.id} at OpenAI is not what the record {place} says: {shown}. Nothing was cut.",
            at_fault=place,
            remedy="Correct the record, or name the right one with --record.",
        )


def check_others(
    key: ExternalKey, listed: Iterable[ExternalKey], key_arn: str, aliases: Iterable[str]
) -> None:
    """Refuse when other registrations use the same KMS key: they would be cut as well.

    Args:
        key: The registration of the drill.
        listed: Every registration for EKM.
        key_arn: The KMS key's own ARN.
        aliases: ARNs of its aliases.

    Raises:
        Conflict: Another registration uses the key, or does not say which one it uses.
    """
    names = {key_arn, *aliases, key.kms_arn}
    shared = [
        other
        for other in listed
        if other.id != key.id
        and other.type in {"aws", None}
        and (other.kms_arn is None or other.kms_arn in names)
    ]
    if shared:
        raise Conflict(
            "drill_key_shared",
            f"The KMS key {key_arn} is, or may be, used by other registrations as well: "
            + ", ".join(f"{other.id} ({other.name})" for other in shared)
            + ". Nothing was cut.",
            at_fault=key_arn,
            remedy="Rehearse with a registration that has a KMS key of its own.",
        )


def check_confirmed(
    key: ExternalKey, found: Iterable[Target], confirm: str | None, interrupt: Iterable[str]
) -> None:
    """Refuse unless this run was told, by name, what it may interrupt.

    Args:
        key: The registration.
        found: Its active projects.
        confirm: The external key's id, as given.
        interrupt: Names or ids of projects that are not marked, as given.

    Raises:
        Conflict: The word is missing or names another key; projects that are not for drills are
            active and were not named, or others were named that are not.
    """
    production = [target for target in found if not target.marked]
    named = set(interrupt)
    unnamed = [each for each in production if each.name not in named and each.id not in named]
    known = {word for each in production for word in (each.name, each.id)}
    if unnamed:
        raise Conflict(
            "drill_production_projects",
            f"{key.id} has active projects that are not marked for drills: "
            + ", ".join(str(each) for each in unnamed)
            + ". Nothing was cut.",
            at_fault=key.id,
            remedy="Rehearse with a key whose projects have the word drill in their names; or "
            "name each in this run: "
            + " ".join(f"--interrupt {_quote(each.name or each.id)}" for each in production),
        )
    if named - known:
        raise Conflict(
            "drill_project_not_active",
            f"--interrupt names {', '.join(sorted(named - known))}, and {key.id} has no active "
            "project of that name that is not marked for drills. Nothing was cut.",
            at_fault="--interrupt",
            remedy="Look at the plan (--plan), and name exactly what is there.",
        )
    if confirm is None:
        raise Conflict(
            "drill_not_confirmed",
            "Nothing was cut: a drill takes a word for each run.",
            at_fault="--confirm",
            remedy=f"Read the plan (--plan), then add --confirm {key.id}.",
        )
    if confirm != key.id:
        raise Conflict(
            "drill_not_confirmed",
            f"--confirm names {confirm}; the record's registration is {key.id}. Nothing was cut.",
            at_fault="--confirm",
            remedy="Name the record that you mean, then confirm its own id.",
        )


def _quote(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else f'"{name}"'
