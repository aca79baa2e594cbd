"""Undo a registration, in the order that loses nothing; a later run resumes it.

Sources: docs/registration.md#the-steps-of-ekm-retire, docs/reference/openai-api.md#external-keys,
docs/reference/openai-api.md#projects
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from openai_ekm.errors import BadInput, Conflict, EkmError, NotReachable
from openai_ekm.openai_api import Kind, kind_of
from openai_ekm.registration import matching
from openai_ekm.registration.consistency import (
    LIST_LAG,
    check_same_host,
    delete_key,
    find_recorded_key,
    list_keys,
    look_delays,
    require_created_key,
    resolve_duplicate,
    wait_until_listed,
)
from openai_ekm.registration.iam_wait import DEFAULT_WAIT, take_claim
from openai_ekm.registration.protocol import (
    ArchiveProject,
    DeleteRecord,
    Elapsed,
    FetchKey,
    ListProjects,
    ReadRecord,
    Say,
    Wait,
    WriteRecord,
)
from openai_ekm.registration.record import Record, State

if TYPE_CHECKING:
    from openai_ekm.openai_api.objects import ExternalKey, Project
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.protocol import Procedure

__all__ = ["RetireRequest", "Retired", "retire"]

POLL: Final = 2.0  # seconds between two looks at a registration that still shows projects


@dataclass(frozen=True, slots=True)
class RetireRequest:
    """The options of a run of `retire`.

    Args:
        place: Where the record is, for messages.
        base_url: Where OpenAI is.
        intent: What the caller believes is registered; None takes the record's.
        confirm: The external key's id, which allows archiving its projects in this run.
        delete_record: Delete the record (and its leases) at the end.
        wait: Seconds to wait for projects to be archived, and for the lease.
        list_lag: Seconds by which OpenAI's lists and reads may lag behind a create.
    """

    place: str
    base_url: str
    intent: Intent | None = None
    confirm: str | None = None
    delete_record: bool = False
    wait: float = DEFAULT_WAIT
    list_lag: float = LIST_LAG


@dataclass(frozen=True, slots=True)
class Retired:
    """The result of a run of `retire`.

    Args:
        external_key_id: The registration's id, None when there never was one.
        how: `deleted` in this run, `gone` already, or `nothing` to retire.
        archived: Ids of the projects that this run archived.
        record: What is left of the record: `retired`, `deleted` or `none`.
    """

    external_key_id: str | None
    how: str
    archived: tuple[str, ...]
    record: str


def retire(request: RetireRequest) -> Procedure[Retired]:
    """Archive projects if that was confirmed, delete the registration, mark the record.

    Raises:
        Conflict: Active projects without confirmation, a workspace key, or another registration.
        OpenAIRefused, NotReachable: As the client.
    """
    claim: int = yield from take_claim(request.place, request.wait)
    record: Record | None = yield ReadRecord()
    _check_record(request, record)
    key, gone = yield from _find_registration(request, record)
    archived: tuple[str, ...] = ()
    how = "gone" if gone else "nothing"
    if key:
        _check_key(request, record, key)
        archived = yield from _empty_key(request, record, key)
        yield from delete_key(key.id)
        how = "deleted"
    left = "none" if record is None else record.state.value
    if record is not None and record.state is not State.RETIRED:
        # The id stays only where this run deleted it: what was not found may be there after all
        # (a clock set forward, reads that lag), and the next run must not pass it over.
        known = key.id if key else None
        yield WriteRecord(replace(record, state=State.RETIRED, claim=claim, external_key_id=known))
        left = "retired"
    if request.delete_record and record is not None:
        yield DeleteRecord()
        left = "deleted"
    return Retired(key.id if key else gone, how, archived, left)


def _find_registration(
    request: RetireRequest, record: Record | None
) -> Procedure[tuple[ExternalKey | None, str | None]]:
    """Return the registration to delete; else the id of one that is gone, if there was one."""
    if record is not None and record.state is State.RETIRED:
        yield Say(f"The record {request.place} says retired: nothing is left at OpenAI.")
        return None, record.external_key_id
    if record is not None and record.external_key_id:
        key = yield from find_recorded_key(record, record.external_key_id, request.list_lag)
        if key is None:
            check_same_host(record, request.base_url, request.place)
        if key is not None and record.in_doubt:
            key = yield from resolve_duplicate(
                record.intent, key, record, request.list_lag, request.place
            )
        if key is not None or not record.in_doubt:
            return key, None if key else record.external_key_id
    intent = record.intent if record else request.intent
    if intent is None:
        raise BadInput(
            "nothing_to_retire",
            f"There is no record at {request.place}, and no ARNs were given to look for the "
            "registration by.",
            at_fault="--record",
            remedy="Name the record, or give --role-arn, --kms-arn, --external-id and --name.",
        )
    # A run that ended before its create was answered may have registered the key all the same.
    lag = request.list_lag if record else 0.0
    found: ExternalKey | None = yield from wait_until_listed(
        lambda: list_keys(intent),
        lambda keys: matching.choose_key(intent, keys),
        look_delays(lag),
        "An earlier run ended before OpenAI had answered its create.",
    )
    if record and not found:
        yield from require_created_key(record, request.place, request.list_lag)
        return None, record.external_key_id
    return found, None


def _empty_key(
    request: RetireRequest, record: Record | None, key: ExternalKey
) -> Procedure[tuple[str, ...]]:
    """Archive what is active, once confirmed, and wait until OpenAI shows nothing active.

    A project that becomes active meanwhile is not archived: nobody who confirmed saw it.
    """
    archived: list[str] = []
    seen = frozenset(key.api_project_ids)
    until: float = (yield Elapsed()) + request.wait
    while key.api_project_ids:
        if request.confirm != key.id:
            raise (yield from _in_use(request, record, key))
        for project in key.api_project_ids:
            if project not in archived and (yield from _archive_projects(project)):
                archived.append(project)
        key = yield FetchKey(key.id)
        if not key.api_project_ids:
            break
        if not seen.issuperset(key.api_project_ids):
            raise _appeared_projects(key, seen)
        if (yield Elapsed()) >= until:
            raise NotReachable(
                "projects_still_active",
                f"OpenAI still shows {', '.join(key.api_project_ids)} as active on {key.id}.",
                at_fault=key.id,
                remedy="Run the same command again: it resumes.",
            )
        yield Wait(POLL, f"Waiting for OpenAI to show no active project on {key.id}.")
    _check_workspace(key)
    return tuple(archived)


def _in_use(request: RetireRequest, record: Record | None, key: ExternalKey) -> Procedure[Conflict]:
    """Return the refusal that names the projects and the way on."""
    names = {known: name for name, known in record.projects.items()} if record else {}
    if any(active not in names for active in key.api_project_ids):
        listed: tuple[Project, ...] = yield ListProjects()
        names |= {project.id: project.name or "" for project in listed}
    shown = ", ".join(
        f"{names.get(active) or '(unnamed)'} ({active})" for active in key.api_project_ids
    )
    given = (
        f" EKM_CONFIRM_ARCHIVE names {request.confirm}, which is another key."
        if request.confirm
        else ""
    )
    return Conflict(
        "active_projects",
        f"{key.id} has active projects: {shown}. Nothing was changed.{given}",
        at_fault=key.id,
        remedy="If an edit of a Terraform configuration led here (a renamed label, "
        "registration = null, another name or id), undo it. To unregister all the same: make a "
        "second module instance with a key of its own, create new projects there, move the work, "
        "then archive these. Archiving is for good; to archive them in this run, "
        f"set EKM_CONFIRM_ARCHIVE={key.id} (or --confirm-archive).",
    )


def _archive_projects(project: str) -> Procedure[bool]:
    """Archive a project; False where the registration, read again, must say if it is needed."""
    yield Say(f"Archiving {project}: this cannot be undone.")
    try:
        done: bool = yield ArchiveProject(project)
    except EkmError as failure:
        if kind_of(failure) is not Kind.AMBIGUOUS:
            raise
        return False
    return done


def _appeared_projects(key: ExternalKey, seen: frozenset[str]) -> Conflict:
    new = ", ".join(active for active in key.api_project_ids if active not in seen)
    return Conflict(
        "active_projects",
        f"{new} became active on {key.id} while its other projects were being archived; it was "
        "left alone.",
        at_fault=key.id,
        remedy="Ask who made it. To archive it as well, run the same command again.",
    )


def _check_record(request: RetireRequest, record: Record | None) -> None:
    if record is None or record.state is State.RETIRED or request.intent is None:
        return
    if record.intent != request.intent:
        raise Conflict(
            "record_of_another_intent",
            f"The record {request.place} is of {record.intent}; asked for was {request.intent}.",
            at_fault=request.place,
            remedy="Leave the ARNs out to retire what the record has, or name another record.",
        )


def _check_key(request: RetireRequest, record: Record | None, key: ExternalKey) -> None:
    intent = record.intent if record else request.intent
    _check_workspace(key)
    differing = matching.differences(intent, key) if intent else ()
    if differing:
        raise Conflict(
            "registration_differs",
            f"{key.id} at OpenAI is not what the record {request.place} says: "
            + "; ".join(str(difference) for difference in differing)
            + ". Nothing was changed.",
            at_fault=request.place,
            remedy="Correct the record, or name the right one with --record.",
        )


def _check_workspace(key: ExternalKey) -> None:
    if key.workspace_id:
        raise Conflict(
            "workspace_key",
            f"{key.id} is bound to the ChatGPT workspace {key.workspace_id}; OpenAI never "
            "deletes such a key, and it was not touched.",
            at_fault=key.id,
            remedy="Ask OpenAI's support, and keep the KMS key, its policy and the role.",
        )
