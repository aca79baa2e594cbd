"""`/organization/external_storage`: a customer's own bucket.

OpenAI uses another role for buckets than for keys. A trust policy that names OpenAI's whole
account would let that role in as well. The emulator does not look at the bucket: a setting says
what a validation answers.

Sources: https://github.com/openai/openai-python (resources of the admin API),
docs/reference/openai-api.md#chatgpt-workspaces-and-other-objects
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request

from openai_ekm.emulator import errors, request_parsing, schemas
from openai_ekm.emulator.auth import MANAGEMENT_READ, MANAGEMENT_WRITE, Caller
from openai_ekm.emulator.documentation import answers, body_schema, list_parameters
from openai_ekm.emulator.state import admitted, emulator_of, new_id

__all__ = ["router"]

router = APIRouter(prefix="/organization/external_storage", tags=["external_storage"])
Writer = Annotated[Caller, Depends(admitted(MANAGEMENT_WRITE))]
READER: Final = Depends(admitted(MANAGEMENT_READ))
_ORDERS: Final = ("asc", "desc")


@router.post(
    "",
    response_model=None,
    responses=answers(schemas.ExternalStorage),
    operation_id="create_external_storage",
    summary="Name a bucket for a project",
    openapi_extra=body_schema(schemas.ExternalStorageCreate),
)
async def create(request: Request, _caller: Writer) -> Any:
    """Keep what was asked; it is pending until it is validated."""
    emulator = emulator_of(request)
    body = await request_parsing.json_object(request)
    asked = request_parsing.parsed(schemas.ExternalStorageCreate, body, emulator.settings)
    made = {
        "id": new_id("extstorage"),
        "object": "organization.external_storage",
        "created_at": int(emulator.clock()),
        "status": "pending",
        "geography": None,
        **asked.model_dump(exclude_none=True),
    }
    emulator.store.save_storage(made)
    return made


@router.get(
    "",
    response_model=None,
    responses=answers(schemas.ExternalStoragePage),
    dependencies=[READER],
    operation_id="list_external_storage",
    summary="List buckets",
    openapi_extra=list_parameters(limit=(1, 100), texts=("project_id",), order=_ORDERS),
)
def list_external_storage(request: Request) -> Any:
    """Return a page, of one project where one is asked for."""
    emulator = emulator_of(request)
    settings = emulator.settings
    limit = request_parsing.page_limit(request)
    order = request_parsing.choice(request, "order", _ORDERS) or settings.external_key_list_order
    asked = request.query_params.get("project_id")
    found = [
        storage
        for storage in emulator.store.storages()[:: -1 if order == "desc" else 1]
        if asked is None or storage["project_id"] == asked
    ]
    items, has_more = request_parsing.page_of(request, found, limit, settings)
    return schemas.list_page(items, has_more=has_more)


@router.get(
    "/{id}",
    response_model=None,
    responses=answers(schemas.ExternalStorage),
    dependencies=[READER],
    operation_id="retrieve_external_storage",
    summary="Read one bucket",
)
def retrieve(request: Request, id: str) -> Any:
    """Return it."""
    return _find_storage(request, id)


@router.post(
    "/{id}/validate",
    response_model=None,
    responses=answers(schemas.ExternalStorage),
    operation_id="validate_external_storage",
    summary="Look at the bucket; the answer is a setting",
)
def validate(request: Request, id: str, _caller: Writer) -> Any:
    """Return it with the status of the settings."""
    emulator = emulator_of(request)
    checked = {**_find_storage(request, id), "status": emulator.settings.external_storage_status}
    emulator.store.save_storage(checked)
    return checked


@router.delete(
    "/{id}",
    response_model=None,
    responses=answers(schemas.ExternalStorage),
    operation_id="delete_external_storage",
    summary="Forget a bucket; nothing in it changes",
)
def delete(request: Request, id: str, _caller: Writer) -> Any:
    """Return what was deleted."""
    found = _find_storage(request, id)
    emulator_of(request).store.delete_storage(id)
    return {**found, "object": "organization.external_storage.deleted", "deleted": True}


def _find_storage(request: Request, id: str) -> dict[str, Any]:
    for storage in emulator_of(request).store.storages():
        if storage["id"] == id:
            return storage
    raise errors.storage_not_found(id)
