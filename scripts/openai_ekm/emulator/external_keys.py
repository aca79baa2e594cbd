"""`/organization/external_keys`: register, list, read, delete, validate.

Source: docs/reference/openai-api.md#external-keys
"""

from __future__ import annotations

import random
import re
import secrets
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool

from openai_ekm.emulator import errors, request_parsing, schemas
from openai_ekm.emulator.auth import EXTERNAL_KEYS_READ, EXTERNAL_KEYS_WRITE, Caller
from openai_ekm.emulator.documentation import answers, body_schema, list_parameters
from openai_ekm.emulator.errors import INVALID_FIELD, ApiError
from openai_ekm.emulator.state import Emulator, admitted, emulator_of, seen_as_of
from openai_ekm.emulator.store import ExternalKeyRow
from openai_ekm.openai import EXTERNAL_KEY_PREFIX

if TYPE_CHECKING:
    from openai_ekm.emulator.settings import Settings

__all__ = ["router"]

router = APIRouter(prefix="/organization/external_keys", tags=["external_keys"])
Writer = Annotated[Caller, Depends(admitted(EXTERNAL_KEYS_WRITE, feature=True))]
Reader = Annotated[Caller, Depends(admitted(EXTERNAL_KEYS_READ, feature=True))]
READER: Final = Depends(admitted(EXTERNAL_KEYS_READ, feature=True))
PURPOSES: Final = ("ekm", "psp_decryption")


@router.post(
    "",
    response_model=None,
    responses=answers(schemas.ExternalKey),
    operation_id="create_external_key",
    summary="Register a key, after proving that it can be used",
    openapi_extra=body_schema(*schemas.CLOUDS.values()),
)
async def create(request: Request, caller: Writer) -> Any:
    """Check the input, then the customer's cloud, then store."""
    body = await request_parsing.json_object(request)
    return await run_in_threadpool(_create, emulator_of(request), body, caller)


def _create(emulator: Emulator, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
    settings = emulator.settings
    asked = _requested_key(body, settings)
    _check_form(emulator, asked)
    row = ExternalKeyRow(
        id=_new_id(settings),
        type="aws",
        purpose=asked.purpose,
        name=asked.name,
        role_arn=asked.role_arn,
        kms_arn=asked.kms_arn,
        external_id=asked.external_id,
        workspace_id=settings.workspace_id_for_new_keys,
        created_at=emulator.clock(),
    )
    _check_allowed(emulator, row)
    if row.purpose == "ekm":
        emulator.cloud.check(row, settings)
    with emulator.store.transaction():
        # Asked again, now that nobody else can write: two creates may have been checked at once.
        _check_allowed(emulator, row)
        emulator.store.add_external_key(row)
        answer = _answer(emulator, row)
        registered = answer if settings.audit_registered_data == "object" else {}
        emulator.log_event(
            "external_key.registered", row.id, {"id": row.id, "data": registered}, caller
        )
    return answer


def _requested_key(body: dict[str, Any], settings: Settings) -> schemas.AwsKey:
    """Return what is to be registered; clouds other than AWS are checked for form and refused."""
    cloud = body.get("type")
    if isinstance(cloud, str) and cloud not in schemas.CLOUDS:
        supported = "'aws', 'azure', 'gcp', and 'oci'"
        raise request_parsing.unsupported_value("type", cloud, supported)
    model = schemas.CLOUDS[cloud] if isinstance(cloud, str) else schemas.AwsKey
    asked = request_parsing.parsed(model, body, settings)
    if not isinstance(asked, schemas.AwsKey):
        raise ApiError(
            INVALID_FIELD,
            f"This emulator has no '{cloud}' cloud behind it: it registers keys of type 'aws'.",
            param="type",
            code="unsupported_value",
        )
    return asked


def _check_form(emulator: Emulator, asked: schemas.AwsKey) -> None:
    settings = emulator.settings
    if not re.fullmatch(settings.kms_arn_pattern, asked.kms_arn, re.ASCII):
        raise errors.invalid_pattern("kms_arn", settings.kms_arn_pattern)
    if asked.purpose == "psp_decryption":
        if settings.psp_registration == "refuse":
            raise request_parsing.unsupported_value("purpose", asked.purpose, "'ekm'")
        if ":alias/" in asked.kms_arn:
            raise ApiError(
                INVALID_FIELD,
                "Invalid 'kms_arn': an alias cannot be used for purpose 'psp_decryption'.",
                param="kms_arn",
                code="invalid_value",
            )
    if settings.name_max_length and len(asked.name) > settings.name_max_length:
        raise ApiError(
            INVALID_FIELD,
            f"Invalid 'name': string too long. Expected a string with maximum length "
            f"{settings.name_max_length}, but got a string with length {len(asked.name)} instead.",
            param="name",
            code="string_above_max_length",
        )
    known = {settings.organization} | {row.id for row in emulator.store.projects()}
    if settings.organization and asked.external_id not in known:
        raise ApiError(
            INVALID_FIELD,
            "Invalid 'external_id': it must be the id of your organization or of an API project "
            "that belongs to it.",
            param="external_id",
            code="invalid_value",
        )


def _check_allowed(emulator: Emulator, row: ExternalKeyRow) -> None:
    """Refuse what the settings say that the organization may not register."""
    settings, present = emulator.settings, emulator.store.external_keys()
    same = ("role_arn", "kms_arn", "external_id", "purpose")
    refused = None
    if settings.identical_registrations == "refuse" and any(
        all(getattr(other, name) == getattr(row, name) for name in same) for other in present
    ):
        refused = "An external key with this configuration is already registered."
    elif settings.unique_names and any(other.name == row.name for other in present):
        refused = f"An external key named '{row.name}' is already registered."
    elif settings.max_external_keys and len(present) >= settings.max_external_keys:
        refused = f"Your organization has reached its limit of {len(present)} external keys."
    if refused:
        raise ApiError(INVALID_FIELD, refused)


@router.get(
    "",
    response_model=None,
    responses=answers(schemas.ExternalKeyPage),
    dependencies=[READER],
    operation_id="list_external_keys",
    summary="List registrations of every purpose, or of one",
    openapi_extra=list_parameters(limit=(0, 100), order=("asc", "desc"), purpose=PURPOSES),
)
def list_external_keys(request: Request) -> Any:
    """Return a page."""
    emulator = emulator_of(request)
    settings = emulator.settings
    limit = request_parsing.page_limit(request, settings.external_key_list_limit, lowest=0)
    if limit == 0 and settings.limit_zero == "default":
        limit = settings.external_key_list_limit
    order = request_parsing.choice(request, "order", ("asc", "desc"))
    purpose = request_parsing.choice(request, "purpose", PURPOSES)
    as_of = seen_as_of(request, settings.list_delay_seconds)
    rows = emulator.store.external_keys(as_of=as_of)
    rows = [row for row in rows if purpose in (None, row.purpose)]
    if (order or settings.external_key_list_order) == "desc":
        rows.reverse()
    page, has_more = request_parsing.page_of(request, rows, limit, settings)
    items = [_answer(emulator, row, in_list=True, as_of=as_of) for row in page]
    return schemas.list_page(items, has_more=has_more)


@router.get(
    "/{external_key_id}",
    response_model=None,
    responses=answers(schemas.ExternalKey),
    dependencies=[READER],
    operation_id="retrieve_external_key",
    summary="Read one registration",
)
def retrieve(request: Request, external_key_id: str) -> Any:
    """Return the object, or the exact 404 text that says it is gone."""
    emulator = emulator_of(request)
    as_of = seen_as_of(request, emulator.settings.read_delay_seconds)
    row = emulator.store.external_key(external_key_id, as_of=as_of)
    if row is None:
        raise errors.key_not_found(external_key_id)
    return _answer(emulator, row, as_of=as_of)


@router.delete(
    "/{external_key_id}",
    response_model=None,
    responses=answers(schemas.ExternalKey),
    operation_id="delete_external_key",
    summary="Delete a registration that no active project and no workspace uses",
)
def delete(request: Request, external_key_id: str, caller: Writer) -> Any:
    """Delete the registration; nothing in AWS changes. The whole object is answered."""
    emulator = emulator_of(request)
    settings = emulator.settings
    with emulator.store.transaction():
        row = emulator.store.external_key(external_key_id)
        if row is None:
            texts = {"delete": errors.key_to_delete_not_found, "get": errors.key_not_found}
            raise texts[settings.delete_missing_text](external_key_id)
        if row.workspace_id:
            raise ApiError(400, settings.workspace_delete_message)
        if emulator.store.active_projects_of(row.id):
            raise ApiError(400, errors.KEY_IN_USE)
        answer = _answer(emulator, row, deleted=True)
        emulator.store.delete_external_key(row.id, at=emulator.clock())
        emulator.log_event("external_key.removed", row.id, {"id": row.id}, caller)
    return answer


@router.post(
    "/{external_key_id}/validate",
    response_model=None,
    responses=answers(schemas.Validation),
    operation_id="validate_external_key",
    summary="Ask the customer's cloud now whether the key can be used",
)
def validate(request: Request, external_key_id: str, caller: Reader) -> Any:
    """Check the key now; OpenAI's data-key cache does not matter here."""
    emulator = emulator_of(request)
    settings = emulator.settings
    row = emulator.store.external_key(external_key_id)
    if row is None:
        raise errors.key_not_found(external_key_id)
    _log_optional(emulator, settings.audit_validate_type, row.id, caller)
    if row.purpose == "ekm":
        try:
            emulator.cloud.check(row, settings)
        except ApiError:
            if not settings.validate_failure_status:
                raise
            return {"status": settings.validate_failure_status}
    return {"status": "success"}


def _answer(
    emulator: Emulator,
    row: ExternalKeyRow,
    *,
    in_list: bool = False,
    deleted: bool = False,
    as_of: float | None = None,
) -> dict[str, Any]:
    project_ids = [project.id for project in emulator.store.active_projects_of(row.id, as_of=as_of)]
    if emulator.settings.shuffle_project_ids:
        random.shuffle(project_ids)
    return schemas.external_key(
        row, project_ids, emulator.settings, in_list=in_list, deleted=deleted
    )


def _new_id(settings: Settings) -> str:
    suffix = "".join(secrets.choice(settings.id_alphabet) for _ in range(settings.id_length))
    return f"{EXTERNAL_KEY_PREFIX}{suffix}"


def _log_optional(emulator: Emulator, type: str, id: str, caller: Caller) -> None:
    """Log what is not known to be logged, where a setting names its event type."""
    if type:
        emulator.log_event(type, id, {"id": id}, caller)
