"""One active project a name on the key: found where it exists, else created.

Source: design section 5, step 6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import EkmError
from ekm.registrar import matching
from ekm.registrar.patience import CURABLE
from ekm.registrar.record import State
from ekm.registrar.steps import CreateProject, ListProjects, Say, Wait, WriteRecord

if TYPE_CHECKING:
    from ekm.admin_api.objects import ExternalKey, Project
    from ekm.registrar.patience import Patience
    from ekm.registrar.record import Record
    from ekm.registrar.steps import Protocol

__all__ = ["ProjectOutcome", "settled_projects"]

MOST_UNCLEAR: Final = 3
LOOK_DELAYS: Final = (0.0, 5.0)  # seconds before each look after an unclear create


@dataclass(frozen=True, slots=True)
class ProjectOutcome:
    """A project and how it came to be: `created`, `adopted` or `unchanged`."""

    name: str
    id: str
    how: str


def settled_projects(
    names: tuple[str, ...],
    key: ExternalKey,
    record: Record,
    patience: Patience,
    *,
    fresh: bool,
) -> Protocol[tuple[Record, tuple[ProjectOutcome, ...], tuple[str, ...]]]:
    """Make sure of each project, recording every new id at once.

    Args:
        names: What is wanted; names that the record has beyond these stay as they are.
        key: As OpenAI last showed it.
        record: Written under this run's claim.
        patience: For a create that AWS still denies.
        fresh: The key was made in this run.

    Returns:
        The record, an outcome for each name, and notices.
    """
    active = frozenset(key.api_project_ids)
    recorded = dict(record.projects)
    # A run that ended in the middle may have created a project without learning of it.
    unfinished = record.state is State.REGISTERING and not fresh
    listed: tuple[Project, ...] | None = None
    outcomes: list[ProjectOutcome] = []
    notices: list[str] = []
    for name in names:
        known = recorded.get(name)
        if known in active:
            outcomes.append(ProjectOutcome(name, known or "", "unchanged"))
            continue
        found: Project | None = None
        if unfinished or matching.needs_listing(name, recorded, active, fresh=fresh):
            if listed is None:
                listed = yield ListProjects()
            found = matching.choose_project(name, key.id, listed, known)
        how = "adopted"
        if found is None:
            found, how = yield from _created(name, key.id, patience)
            if known:
                notices.append(
                    f"The project {name!r} ({known}) of the record is no longer active on this "
                    f"key; {found.id} was {how} in its place."
                )
                yield Say(notices[-1])
        outcomes.append(ProjectOutcome(name, found.id, "unchanged" if found.id == known else how))
        if found.id != known:
            record = record.with_project(name, found.id)
            recorded[name] = found.id
            record = yield WriteRecord(record)
    left = {name: found for name, found in record.projects.items() if name not in names}
    notices += [
        f"The project {name!r} ({found}) is not asked for any more; it stays as it is: nothing "
        "archives a project but `ekm retire` with your confirmation."
        for name, found in left.items()
        if found in active
    ]
    dead = {name for name, found in left.items() if found not in active}
    kept = {name: found for name, found in record.projects.items() if name not in dead}
    return replace(record, projects=MappingProxyType(kept)), tuple(outcomes), tuple(notices)


def _created(name: str, external_key_id: str, patience: Patience) -> Protocol[tuple[Project, str]]:
    unclear = 0
    while True:
        try:
            project: Project = yield CreateProject(name, external_key_id)
        except EkmError as failure:
            kind = kind_of(failure)
            if kind in CURABLE:
                yield from patience.endure(failure)
                continue
            if kind is not Kind.AMBIGUOUS:
                raise
            unclear += 1
            found = yield from _looked_again(name, external_key_id, failure)
            if found:
                return found, "adopted"
            if unclear >= MOST_UNCLEAR:
                raise
        else:
            return project, "created"


def _looked_again(name: str, external_key_id: str, failure: EkmError) -> Protocol[Project | None]:
    for delay in LOOK_DELAYS:
        if delay:
            yield Wait(delay, f"{failure.message} It is not in the list yet; looking again.")
        listed: tuple[Project, ...] = yield ListProjects()
        found = matching.choose_project(name, external_key_id, listed, None)
        if found:
            return found
    return None
