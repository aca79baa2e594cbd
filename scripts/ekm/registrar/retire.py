"""The reverse of registering, in the order that loses nothing; it resumes wherever it stopped.

Source: design section 5 (retire); wire contract 1.4, 1.10, 3.8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import BadInput, Conflict, EkmError, NotReachable
from ekm.registrar import matching
from ekm.registrar.doubt import (
    LIST_LAG,
    check_in_doubt,
    deleted,
    kept_of_two,
    look_delays,
    looked_for,
)
from ekm.registrar.listing import listed_keys
from ekm.registrar.patience import DEFAULT_WAIT, claimed
from ekm.registrar.recall import recalled
from ekm.registrar.record import Record, State
from ekm.registrar.steps import (
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

if TYPE_CHECKING:
    from ekm.admin_api.objects import ExternalKey, Project
    from ekm.registrar.intent import Intent
    from ekm.registrar.steps import Protocol

__all__ = ["Retired", "Unwanted", "retire"]

POLL: Final = 2.0  # seconds between two looks at a registration that still shows projects


@dataclass(frozen=True, slots=True)
class Unwanted:
    """What a run of `retire` is asked for.

    Args:
        place: Where the record is, for messages.
        base_url: Where OpenAI is.
        intent: What the caller believes is registered; None takes the record's.
        confirm: The external key's id, which allows archiving its projects in this run.
        delete_record: Delete the record (and its claims) at the end.
        wait: Seconds to wait for projects to be archived, and for a claim.
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
    """What a run of `retire` ended in.

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


def retire(unwanted: Unwanted) -> Protocol[Retired]:
    """Archive projects if that was confirmed, delete the registration, mark the record.

    Raises:
        Conflict: Active projects without confirmation, a workspace key, or another registration.
        OpenAIRefused, NotReachable: As the client.
    """
    claim: int = yield from claimed(unwanted.place, unwanted.wait)
    record: Record | None = yield ReadRecord()
    _check_record(unwanted, record)
    key, gone = yield from _found(unwanted, record)
    archived: tuple[str, ...] = ()
    how = "gone" if gone else "nothing"
    if key:
        _check_key(unwanted, record, key)
        archived = yield from _emptied(unwanted, record, key)
        yield from deleted(key.id)
        how = "deleted"
    left = "none" if record is None else record.state.value
    if record is not None and record.state is not State.RETIRED:
        # The id stays only where this run deleted it: what was not found may be there after all
        # (a clock set forward, reads that lag), and the next run must not pass it over.
        known = key.id if key else None
        yield WriteRecord(replace(record, state=State.RETIRED, claim=claim, external_key_id=known))
        left = "retired"
    if unwanted.delete_record and record is not None:
        yield DeleteRecord()
        left = "deleted"
    return Retired(key.id if key else gone, how, archived, left)


def _found(
    unwanted: Unwanted, record: Record | None
) -> Protocol[tuple[ExternalKey | None, str | None]]:
    """The registration to delete; else the id of one that is gone, if there was one."""
    if record is not None and record.state is State.RETIRED:
        yield Say(f"The record {unwanted.place} says retired: nothing is left at OpenAI.")
        return None, record.external_key_id
    if record is not None and record.external_key_id:
        key = yield from recalled(record, record.external_key_id, unwanted.list_lag)
        if key is None and record.base_url != unwanted.base_url:
            raise _of_another_host(unwanted, record)
        if key is not None and record.in_doubt:
            key = yield from kept_of_two(
                record.intent, key, record, unwanted.list_lag, unwanted.place
            )
        if key is not None or not record.in_doubt:
            return key, None if key else record.external_key_id
    intent = record.intent if record else unwanted.intent
    if intent is None:
        raise BadInput(
            "nothing_to_retire",
            f"There is no record at {unwanted.place}, and no ARNs were given to look for the "
            "registration by.",
            at_fault="--record",
            remedy="Name the record, or give --role-arn, --kms-arn, --external-id and --name.",
        )
    # A run that ended before its create was answered may have registered the key all the same.
    lag = unwanted.list_lag if record else 0.0
    found: ExternalKey | None = yield from looked_for(
        lambda: listed_keys(intent),
        lambda keys: matching.choose_key(intent, keys),
        look_delays(lag),
        "An earlier run ended before OpenAI had answered its create.",
    )
    if record and not found:
        yield from check_in_doubt(record, unwanted.place, unwanted.list_lag)
        return None, record.external_key_id
    return found, None


def _emptied(
    unwanted: Unwanted, record: Record | None, key: ExternalKey
) -> Protocol[tuple[str, ...]]:
    """Archive what is active, once confirmed, and wait until OpenAI shows nothing active.

    What becomes active on the way was seen by nobody who confirmed: it is not archived.
    """
    archived: list[str] = []
    seen = frozenset(key.api_project_ids)
    until: float = (yield Elapsed()) + unwanted.wait
    while key.api_project_ids:
        if unwanted.confirm != key.id:
            raise (yield from _in_use(unwanted, record, key))
        for project in key.api_project_ids:
            if project not in archived and (yield from _archived(project)):
                archived.append(project)
        key = yield FetchKey(key.id)
        if not key.api_project_ids:
            break
        if not seen.issuperset(key.api_project_ids):
            raise _appeared(key, seen)
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


def _in_use(unwanted: Unwanted, record: Record | None, key: ExternalKey) -> Protocol[Conflict]:
    """The refusal that names the projects and the way on."""
    names = {known: name for name, known in record.projects.items()} if record else {}
    if any(active not in names for active in key.api_project_ids):
        listed: tuple[Project, ...] = yield ListProjects()
        names |= {project.id: project.name or "" for project in listed}
    shown = ", ".join(
        f"{names.get(active) or '(unnamed)'} ({active})" for active in key.api_project_ids
    )
    given = (
        f" EKM_CONFIRM_ARCHIVE names {unwanted.confirm}, which is another key."
        if unwanted.confirm
        else ""
    )
    return Conflict(
        "active_projects",
        f"{key.id} has active projects: {shown}. Nothing was changed.{given}",
        at_fault=key.id,
        remedy="Make a second module instance with a key of its own, create new projects there, "
        "move the work, then archive these. Archiving is for good; to archive them in this run, "
        f"set EKM_CONFIRM_ARCHIVE={key.id} (or --confirm-archive).",
    )


def _archived(project: str) -> Protocol[bool]:
    """Archive a project; False where the registration, read again, must say if it is needed."""
    yield Say(f"Archiving {project}: this cannot be undone.")
    try:
        done: bool = yield ArchiveProject(project)
    except EkmError as failure:
        if kind_of(failure) is not Kind.AMBIGUOUS:
            raise
        return False
    return done


def _appeared(key: ExternalKey, seen: frozenset[str]) -> Conflict:
    new = ", ".join(active for active in key.api_project_ids if active not in seen)
    return Conflict(
        "active_projects",
        f"{new} became active on {key.id} while its other projects were being archived; it was "
        "left alone.",
        at_fault=key.id,
        remedy="Ask who made it. To archive it as well, run the same command again.",
    )


def _check_record(unwanted: Unwanted, record: Record | None) -> None:
    if record is None or record.state is State.RETIRED or unwanted.intent is None:
        return
    if record.intent != unwanted.intent:
        raise Conflict(
            "record_of_another_intent",
            f"The record {unwanted.place} is of {record.intent}; asked for was {unwanted.intent}.",
            at_fault=unwanted.place,
            remedy="Leave the ARNs out to retire what the record has, or name another record.",
        )


def _check_key(unwanted: Unwanted, record: Record | None, key: ExternalKey) -> None:
    intent = record.intent if record else unwanted.intent
    _check_workspace(key)
    differing = matching.differences(intent, key) if intent else ()
    if differing:
        raise Conflict(
            "registration_differs",
            f"{key.id} at OpenAI is not what the record {unwanted.place} says: "
            + "; ".join(str(difference) for difference in differing)
            + ". Nothing was changed.",
            at_fault=unwanted.place,
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


def _of_another_host(unwanted: Unwanted, record: Record) -> Conflict:
    return Conflict(
        "record_of_another_host",
        f"The record {unwanted.place} was made at {record.base_url}, and {unwanted.base_url} does "
        f"not know {record.external_key_id}.",
        at_fault="OPENAI_BASE_URL",
        remedy=f"Set OPENAI_BASE_URL={record.base_url}, or name another record.",
    )
