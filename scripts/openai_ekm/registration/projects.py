"""Find or create one active project of the key for each name.

Source: docs/registration.md#the-steps-of-ekm-register
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from openai_ekm.errors import Conflict, EkmError
from openai_ekm.openai_api import Kind, kind_of
from openai_ekm.registration import matching
from openai_ekm.registration.consistency import (
    MOST_UNCLEAR,
    lag_error,
    lag_left,
    list_projects,
    look_delays,
    wait_until_listed,
)
from openai_ekm.registration.protocol import Age, CreateProject, Say, WriteRecord
from openai_ekm.registration.record import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.openai_api.objects import ExternalKey, Project
    from openai_ekm.registration.iam_wait import IamWait
    from openai_ekm.registration.protocol import Procedure
    from openai_ekm.registration.record import Record

__all__ = ["ProjectOutcome", "ensure_projects"]


@dataclass(frozen=True, slots=True)
class ProjectOutcome:
    """A project and how it came to be: `created`, `adopted` or `unchanged`."""

    name: str
    id: str
    how: str


@dataclass(frozen=True, slots=True)
class _Made:
    """A project; `in_doubt` when another one may have been created before it."""

    project: Project
    how: str
    in_doubt: bool = False


def ensure_projects(
    names: tuple[str, ...],
    key: ExternalKey,
    record: Record,
    iam_wait: IamWait,
    *,
    fresh: bool,
    lag: float,
) -> Procedure[tuple[Record, tuple[ProjectOutcome, ...], tuple[str, ...]]]:
    """Make sure of each project, recording each create before and its id at once after it.

    Args:
        names: What is wanted; names that the record has beyond these stay as they are.
        key: As OpenAI last showed it.
        record: Written under this run's lease.
        iam_wait: For a create that AWS still denies.
        fresh: The key was made in this run.
        lag: Seconds by which the list of projects may lag behind a create.

    Returns:
        The record, an outcome for each name, and notices.
    """
    active = frozenset(key.api_project_ids)
    search = _Search(key, record, lag, fresh)
    outcomes: list[ProjectOutcome] = []
    notices: list[str] = []
    if record.creating and record.creating not in names:
        record = yield from _finish_create(record, record.creating, key.id, lag)
        active |= frozenset(record.projects.values()) - frozenset(search.record.projects.values())
    for name in names:
        known = record.projects.get(name)
        unsettled = record.creating == name
        if known in active:
            if unsettled:
                yield from _check_single(name, known or "", key.id, lag)
                record = replace(record, creating=None)
            outcomes.append(ProjectOutcome(name, known or "", "unchanged"))
            continue
        found: Project | None
        if unsettled:
            found = yield from _resume_create(name, key.id, known, lag)
        else:
            found = yield from search.find(name)
        made = _Made(found, "adopted") if found else None
        if made is None:
            if not unsettled:
                record = yield WriteRecord(replace(record, creating=name))
            doubtful = unsettled or known is not None
            made = yield from _create_project(
                name, key.id, record, iam_wait, lag, in_doubt=doubtful
            )
            if known:
                notices.append(
                    f"The project {name!r} ({known}) of the record is no longer active on this "
                    f"key; {made.project.id} was {made.how} in its place."
                )
                yield Say(notices[-1])
        new = made.project.id
        outcomes.append(ProjectOutcome(name, new, "unchanged" if new == known else made.how))
        if new != known or unsettled:
            record = yield from _record_project(record, name, made, lag)
    record, told = _without_archived(record, names, active)
    return record, tuple(outcomes), (*notices, *told)


def _without_archived(
    record: Record, names: tuple[str, ...], active: frozenset[str]
) -> tuple[Record, tuple[str, ...]]:
    """Return the record without archived projects nobody asks for, and notices for live ones."""
    left = {name: found for name, found in record.projects.items() if name not in names}
    notices = tuple(
        f"The project {name!r} ({found}) is not asked for any more; it stays as it is: nothing "
        "archives a project but `ekm retire` with your confirmation."
        for name, found in left.items()
        if found in active
    )
    dead = {name for name, found in left.items() if found not in active}
    kept = {name: found for name, found in record.projects.items() if name not in dead}
    return replace(record, projects=MappingProxyType(kept)), notices


def _record_project(record: Record, name: str, made: _Made, lag: float) -> Procedure[Record]:
    """Record a project; one that may be the second stays marked until a list has shown it."""
    record = record.with_project(name, made.project.id)
    if made.in_doubt:
        record = yield WriteRecord(replace(record, creating=name))
        yield from _check_single(name, made.project.id, record.external_key_id or "", lag)
        record = replace(record, creating=None)
    written: Record = yield WriteRecord(record)
    return written


@dataclass(slots=True)
class _Search:
    """Looks for projects that are there already, in one list for all names.

    Args:
        key: As OpenAI last showed it.
        record: As it was before this run created any project.
        lag: Seconds by which the list may lag.
        fresh: The key was made in this run.
        listed: The list, once it was needed.
    """

    key: ExternalKey
    record: Record
    lag: float
    fresh: bool
    listed: tuple[Project, ...] | None = None

    def find(self, name: str) -> Procedure[Project | None]:
        """Return the project of that name; look again for one that was recorded moments ago."""
        recorded = self.record.projects
        known = recorded.get(name)
        active = frozenset(self.key.api_project_ids)
        # A run that ended in the middle may have created a project without learning of it.
        unfinished = self.record.state is State.REGISTERING and not self.fresh
        if not unfinished and not matching.needs_listing(name, recorded, active, fresh=self.fresh):
            return None
        if self.listed is None:
            self.listed = yield from list_projects()
        choose = _choose(name, self.key.id, known)
        found = choose(self.listed)
        if found is None and known:
            age: float | None = yield Age(self.record.updated_at)
            found = yield from wait_until_listed(
                list_projects,
                choose,
                look_delays(lag_left(age, self.lag))[1:],
                f"The project {name!r} ({known}) of the record is not active on {self.key.id}.",
            )
        return found


def _resume_create(
    name: str, key_id: str, known: str | None, lag: float
) -> Procedure[Project | None]:
    """Return the project whose create an earlier run sent; None when it came to nothing."""
    found: Project | None = yield from wait_until_listed(
        list_projects,
        _choose(name, key_id, known),
        look_delays(lag),
        f"An earlier run ended before the project {name!r} was settled.",
    )
    return found


def _finish_create(record: Record, name: str, key_id: str, lag: float) -> Procedure[Record]:
    """Return the record with what became of an earlier run's create that nobody wants any more."""
    found = yield from _resume_create(name, key_id, record.projects.get(name), lag)
    return record.with_project(name, found.id) if found else replace(record, creating=None)


def _create_project(
    name: str, key_id: str, record: Record, iam_wait: IamWait, lag: float, *, in_doubt: bool
) -> Procedure[_Made]:
    """Create the project; after an unclear answer look before creating again."""
    unclear = 0
    while True:
        try:
            project: Project = yield CreateProject(name, key_id)
        except EkmError as failure:
            if kind_of(failure) is not Kind.AMBIGUOUS:
                unsent = not unclear and not in_doubt
                yield from _wait_for_iam(failure, iam_wait, record if unsent else None)
                continue
            unclear += 1
            found = yield from wait_until_listed(
                list_projects, _choose(name, key_id, None), look_delays(lag), failure.message
            )
            if found:
                return _Made(found, "adopted")
            if unclear >= MOST_UNCLEAR:
                raise
        else:
            return _Made(project, "created", in_doubt=unclear > 0 or in_doubt)


def _wait_for_iam(failure: EkmError, iam_wait: IamWait, unmarked: Record | None) -> Procedure[None]:
    """Wait for IAM, or end with the mark taken back: a refused create made nothing."""
    try:
        yield from iam_wait.retry(failure)
    except EkmError:
        if unmarked is not None and kind_of(failure) is not None:
            yield WriteRecord(replace(unmarked, creating=None))
        raise


def _choose(
    name: str, key_id: str, known: str | None
) -> Callable[[tuple[Project, ...]], Project | None]:
    return lambda listed: matching.choose_project(name, key_id, listed, known)


def _check_single(name: str, id: str, key_id: str, lag: float) -> Procedure[None]:
    """Look until the list shows the project after an unclear answer, and tell when there are two.

    Nothing is archived: that is for good, and takes a person's word.
    """

    def same_name(listed: tuple[Project, ...]) -> list[str]:
        found = (p.id for p in listed if matching.choose_project(name, key_id, (p,), None))
        return [other for other in found if other != id]

    def telling(listed: tuple[Project, ...]) -> tuple[Project, ...] | None:
        return listed if same_name(listed) or any(p.id == id for p in listed) else None

    listed = yield from wait_until_listed(
        list_projects,
        telling,
        look_delays(lag),
        f"The project {name!r} was created after a create that was not answered.",
    )
    if listed is None:
        raise lag_error(f"of {key_id}", f"The project {name!r} ({id})", lag)
    others = same_name(listed)
    if others:
        raise Conflict(
            "several_projects",
            f"An unclear create was carried out after all: {', '.join(others)} on {key_id} has "
            f"the name {name!r} as well as {id}, which the record names.",
            at_fault="projects",
            remedy="Rename or archive all but one in OpenAI's settings, then run again.",
        )
