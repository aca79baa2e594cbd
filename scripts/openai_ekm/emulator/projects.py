"""`/organization/projects`: create, list, read, update, archive. Nothing deletes a project.

Source: docs/reference/openai-api.md#projects
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool

from openai_ekm.arns import region_of
from openai_ekm.emulator import errors, request_parsing, schemas
from openai_ekm.emulator.auth import MANAGEMENT_READ, MANAGEMENT_WRITE, Caller
from openai_ekm.emulator.documentation import answers, body_schema, list_parameters
from openai_ekm.emulator.errors import INVALID_FIELD, ApiError
from openai_ekm.emulator.state import Emulator, admitted, emulator_of, new_id, seen_as_of
from openai_ekm.emulator.store import ExternalKeyRow, ProjectRow

__all__ = ["router"]

router = APIRouter(prefix="/organization/projects", tags=["projects"])
Writer = Annotated[Caller, Depends(admitted(MANAGEMENT_WRITE))]
READER: Final = Depends(admitted(MANAGEMENT_READ))

# Residency area -> beginnings of the AWS Regions that are in it.
_REGIONS_OF_AREA: Final = {
    "US": ("us-",),
    "EU": ("eu-",),
    "JP": ("ap-northeast-1", "ap-northeast-3"),
    "KR": ("ap-northeast-2",),
    "CA": ("ca-",),
    "SG": ("ap-southeast-1",),
    "IN": ("ap-south-",),
    "AU": ("ap-southeast-2", "ap-southeast-4"),
    "GB": ("eu-west-2",),
    "AE": ("me-central-1",),
}


@router.post(
    "",
    response_model=None,
    responses=answers(schemas.Project),
    operation_id="create_project",
    summary="Create a project, encrypted when it names an external key",
    openapi_extra=body_schema(schemas.ProjectCreate),
)
async def create(request: Request, caller: Writer) -> Any:
    """Create a project; creating the same name again makes another one."""
    body = await request_parsing.json_object(request)
    return await run_in_threadpool(_create, emulator_of(request), body, caller)


def _create(emulator: Emulator, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
    settings = emulator.settings
    asked = request_parsing.parsed(schemas.ProjectCreate, body, settings)
    _check_residency(emulator, asked)
    if asked.external_key_id is not None:
        key = _usable_key(emulator, asked.external_key_id)
        _check_region(emulator, key, asked.residency)
        if settings.project_create_validates:
            emulator.cloud.check(key, settings)
    row = ProjectRow(
        id=new_id("proj"),
        name=asked.name,
        created_at=emulator.clock(),
        external_key_id=asked.external_key_id,
        residency=asked.residency,
        geography=asked.geography,
    )
    with emulator.store.transaction():
        if row.external_key_id is not None:
            # The key may have been deleted meanwhile.
            _usable_key(emulator, row.external_key_id)
        _check_limits(emulator, row)
        emulator.store.add_project(row)
        details = {"id": row.id, "data": {"name": row.name, "title": row.name}}
        emulator.log_event("project.created", row.id, details, caller)
    if settings.project_shape == "article":
        return schemas.article_project(row, emulator.organization)
    return schemas.project(row, settings)


def _check_residency(emulator: Emulator, asked: schemas.ProjectCreate) -> None:
    settings = emulator.settings
    if asked.residency is not None and asked.geography is not None:
        raise ApiError(
            INVALID_FIELD,
            "Do not provide both 'geography' and 'residency'.",
            param="geography",
            code="invalid_value",
        )
    known = asked.residency is None or asked.residency in schemas.RESIDENCIES
    if not known and settings.unknown_residency == "refuse":
        supported = ", ".join(f"'{value}'" for value in schemas.RESIDENCIES)
        raise request_parsing.unsupported_value("residency", str(asked.residency), supported)


def _check_region(emulator: Emulator, key: ExternalKeyRow, residency: str | None) -> None:
    if not emulator.settings.region_must_fit_residency or residency in (None, "GLOBAL"):
        return
    region = region_of(key.kms_arn)
    prefixes = _REGIONS_OF_AREA.get(str(residency).partition("_")[0], ())
    if not region.startswith(prefixes):
        raise ApiError(
            INVALID_FIELD,
            f"The external key is in {region}, which does not fit residency '{residency}'.",
            param="residency",
            code="invalid_value",
        )


def _check_limits(emulator: Emulator, row: ProjectRow) -> None:
    settings = emulator.settings
    status = INVALID_FIELD
    if settings.max_projects and len(emulator.store.projects()) >= settings.max_projects:
        raise ApiError(status, "Your organization has reached its limit of projects.")
    if row.external_key_id is None or not settings.max_projects_per_key:
        return
    if len(emulator.store.active_projects_of(row.external_key_id)) >= settings.max_projects_per_key:
        raise ApiError(status, "This external key has reached its limit of projects.")


def _usable_key(emulator: Emulator, id: str) -> ExternalKeyRow:
    """Return the key that a project may be given.

    Raises:
        ApiError: It is not there, or is for another purpose.
    """
    settings = emulator.settings
    key = emulator.store.external_key(id) if settings.feature_enabled else None
    if key is None:
        not_found = errors.key_not_found(id)
        raise ApiError(settings.unknown_key_status, not_found.message, param="external_key_id")
    if key.purpose != "ekm":
        raise ApiError(
            400,
            f"The external key {id} has purpose '{key.purpose}' and cannot encrypt a project.",
            param="external_key_id",
        )
    return key


@router.get(
    "",
    response_model=None,
    responses=answers(schemas.ProjectPage),
    dependencies=[READER],
    operation_id="list_projects",
    summary="List projects, the archived ones when asked",
    openapi_extra=list_parameters(limit=(1, 100), flags=("include_archived",)),
)
def list_projects(request: Request) -> Any:
    """Return a page, newest first."""
    emulator = emulator_of(request)
    settings = emulator.settings
    limit = request_parsing.page_limit(request)
    rows = emulator.store.projects(
        include_archived=request_parsing.flag(request, "include_archived"),
        as_of=seen_as_of(request, settings.list_delay_seconds),
    )
    rows.reverse()
    page, has_more = request_parsing.page_of(request, rows, limit, settings)
    return schemas.list_page([schemas.project(row, settings) for row in page], has_more=has_more)


@router.get(
    "/{project_id}",
    response_model=None,
    responses=answers(schemas.Project),
    dependencies=[READER],
    operation_id="retrieve_project",
    summary="Read one project, archived or not",
)
def retrieve(request: Request, project_id: str) -> Any:
    """Return the project."""
    emulator = emulator_of(request)
    return schemas.project(_find_project(emulator, project_id), emulator.settings)


@router.post(
    "/{project_id}",
    response_model=None,
    responses=answers(schemas.Project),
    operation_id="update_project",
    summary="Change a project's name, or, with a further flag, its key",
    openapi_extra=body_schema(schemas.ProjectUpdate),
)
async def update(request: Request, project_id: str, caller: Writer) -> Any:
    """Change what is given; residency is fixed at creation."""
    body = await request_parsing.json_object(request)
    return await run_in_threadpool(_update, emulator_of(request), project_id, body, caller)


def _update(
    emulator: Emulator, project_id: str, body: dict[str, Any], caller: Caller
) -> dict[str, Any]:
    settings = emulator.settings
    asked = request_parsing.parsed(schemas.ProjectUpdate, body, settings)
    row = _changeable(emulator, project_id)
    if asked.external_key_id is not None and asked.external_key_id != row.external_key_id:
        _check_new_key(emulator, row, asked.external_key_id)
    with emulator.store.transaction():
        row = _changeable(emulator, project_id)
        changes: dict[str, Any] = {
            name: value
            for name in ("name", "external_key_id", "geography")
            if (value := getattr(asked, name)) is not None
        }
        if "external_key_id" in changes:
            _usable_key(emulator, changes["external_key_id"])
        elif "external_key_id" in body and settings.null_clears_key:
            changes["external_key_id"] = None
        row = replace(row, **changes)
        emulator.store.save_project(row)
        details = {"id": row.id, "changes_requested": {"title": row.name}}
        emulator.log_event("project.updated", row.id, details, caller)
    return schemas.project(row, settings)


def _check_new_key(emulator: Emulator, row: ProjectRow, id: str) -> None:
    """Refuse a key on an existing project without the flag, and a swap after a revocation.

    Sources: https://help.openai.com/en/articles/20000953 (the flag),
    https://help.openai.com/en/articles/20000957 (no swap after a revocation).
    """
    settings = emulator.settings
    if not settings.existing_project_flag:
        raise ApiError(
            400,
            "An external key cannot be added to an existing project. Create a new project.",
            param="external_key_id",
        )
    _usable_key(emulator, id)
    present = row.external_key_id and emulator.store.external_key(row.external_key_id)
    if not present:
        return
    try:
        emulator.cloud.check(present, settings)
    except ApiError:
        raise ApiError(
            400,
            "The external key of this project was revoked and cannot be replaced. Archive the "
            "project.",
            param="external_key_id",
        ) from None


@router.post(
    "/{project_id}/archive",
    response_model=None,
    responses=answers(schemas.Project),
    operation_id="archive_project",
    summary="Archive a project; no endpoint brings it back",
)
def archive(request: Request, project_id: str, caller: Writer) -> Any:
    """Archive the project; its key is then no longer in use by it."""
    emulator = emulator_of(request)
    settings = emulator.settings
    with emulator.store.transaction():
        row = _find_project(emulator, project_id)
        if row.archived_at is not None:
            if settings.second_archive_status >= 400:  # noqa: PLR2004 - HTTP's first error status
                raise ApiError(settings.second_archive_status, "This project is archived already.")
            return schemas.project(row, settings)
        if row.is_default and settings.default_project_archive == "refuse":
            raise ApiError(400, "The default project cannot be archived.")
        row = replace(row, archived_at=emulator.clock())
        emulator.store.save_project(row)
        emulator.log_event("project.archived", row.id, {"id": row.id}, caller)
    return schemas.project(row, settings)


def _find_project(emulator: Emulator, project_id: str) -> ProjectRow:
    row = emulator.store.project(project_id)
    if row is None:
        raise errors.project_not_found(project_id)
    return row


def _changeable(emulator: Emulator, project_id: str) -> ProjectRow:
    row = _find_project(emulator, project_id)
    if row.is_default:
        raise ApiError(400, "The default project cannot be updated.")
    if row.archived_at is not None:
        raise ApiError(
            emulator.settings.update_archived_status, "An archived project cannot be updated."
        )
    return row
