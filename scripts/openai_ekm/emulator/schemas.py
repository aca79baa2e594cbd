"""Requests and objects exactly as they are on the wire.

Sources: docs/reference/openai-api.md, https://developers.openai.com/api/reference (administration),
https://help.openai.com/en/articles/20000953.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from openai_ekm.arns import account_of
from openai_ekm.openai import EXTERNAL_ID_PATTERN

if TYPE_CHECKING:
    from openai_ekm.emulator.settings import Settings
    from openai_ekm.emulator.store import ExternalKeyRow, ProjectRow

__all__ = ["CLOUDS", "ExternalKey", "Project", "external_key", "list_page", "project"]

# OpenAI's own pattern, which is wider than what IAM makes.
ROLE_ARN_PATTERN: Final = r"^arn:aws:iam::\d{12}:role/.+$"
Purpose = Literal["ekm", "psp_decryption"]
RESIDENCIES: Final = (
    "GLOBAL",
    "US_STORAGE_PROCESSING",
    "EU_STORAGE_PROCESSING",
    "JP_STORAGE",
    "JP_STORAGE_PROCESSING",
    "KR_STORAGE",
    "CA_STORAGE",
    "SG_STORAGE",
    "IN_STORAGE",
    "IN_STORAGE_PROCESSING",
    "AU_STORAGE",
    "AU_STORAGE_PROCESSING",
    "GB_STORAGE",
    "AE_STORAGE",
    "AE_STORAGE_PROCESSING",
)


class _Body(BaseModel):
    """A request body: types are not converted, and unknown members are kept to be looked at."""

    model_config = ConfigDict(strict=True, extra="allow")


class AwsKey(_Body):
    """Register an AWS KMS key."""

    type: Literal["aws"]
    name: str = Field(min_length=1)
    role_arn: str = Field(pattern=ROLE_ARN_PATTERN)
    kms_arn: str
    external_id: str = Field(pattern=EXTERNAL_ID_PATTERN)
    purpose: Purpose = "ekm"


class GcpKey(_Body):
    """Register a Google Cloud KMS key; the emulator checks the form and refuses."""

    type: Literal["gcp"]
    name: str = Field(min_length=1)
    audience: str
    workload_identity_project_number: str = Field(pattern=r"^[0-9]{1,19}$")
    workload_identity_pool_id: str
    workload_identity_provider_id: str
    kms_project_id: str
    kms_key_ring_name: str
    kms_key_name: str
    kms_key_location: str
    kms_key_version: str | None = None
    purpose: Purpose = "ekm"


class AzureKey(_Body):
    """Register an Azure Key Vault key; the emulator checks the form and refuses."""

    type: Literal["azure"]
    name: str = Field(min_length=1)
    tenant_id: str
    vault_uri: str
    key_name: str = Field(pattern=r"^org-[0-9a-zA-Z-]*--[0-9a-zA-Z-]*$")
    key_version: str | None = None
    purpose: Purpose = "ekm"


class OciKey(_Body):
    """Register an OCI Vault key; the emulator checks the form and refuses."""

    type: Literal["oci"]
    name: str = Field(min_length=1)
    key_ocid: str
    region: str
    vault_ocid: str
    key_version_ocid: str | None = None
    purpose: Purpose = "ekm"


CLOUDS: Final[dict[str, type[_Body]]] = {
    "aws": AwsKey,
    "gcp": GcpKey,
    "azure": AzureKey,
    "oci": OciKey,
}


class ProjectCreate(_Body):
    """Create a project."""

    name: str = Field(min_length=1)
    external_key_id: str | None = None
    residency: str | None = None
    geography: str | None = None


class ProjectUpdate(_Body):
    """Change a project; `residency` is fixed at creation."""

    name: str | None = Field(default=None, min_length=1)
    external_key_id: str | None = None
    geography: str | None = None


class ExternalKey(BaseModel):
    """An external key, as it is answered."""

    id: str
    object: Literal["organization.external_key", "organization.external_key.deleted"]
    created_at: int
    api_project_ids: list[str]
    type: str
    name: str
    workspace_id: str | None
    purpose: Purpose | None = None
    role_arn: str | None = None
    kms_arn: str | None = None
    external_id: str | None = None
    account_number: str | None = None


class Project(BaseModel):
    """A project, as it is answered."""

    id: str
    object: Literal["organization.project"]
    created_at: int
    name: str | None = None
    archived_at: int | None = None
    status: Literal["active", "archived"] | None = None
    external_key_id: str | None = None
    residency: str | None = None


class ExternalStorageCreate(_Body):
    """Name a bucket for a project."""

    project_id: str = Field(min_length=1)
    provider: dict[str, Any]
    geography: str | None = None


class ExternalStorage(BaseModel):
    """A customer's own bucket, as it is answered."""

    id: str
    object: Literal["organization.external_storage", "organization.external_storage.deleted"]
    created_at: int
    project_id: str
    provider: dict[str, Any]
    status: Literal["pending", "validated", "unhealthy"]
    geography: str | None = None


class Validation(BaseModel):
    """The answer to a validation."""

    status: str


class Event(BaseModel):
    """An audit-log event; its details sit under a member named like its type."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: str
    effective_at: int


class _Page(BaseModel):
    object: Literal["list"]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ExternalKeyPage(_Page):
    """A page of external keys."""

    data: list[ExternalKey]


class ProjectPage(_Page):
    """A page of projects."""

    data: list[Project]


class ExternalStoragePage(_Page):
    """A page of external storages."""

    data: list[ExternalStorage]


class EventPage(_Page):
    """A page of events."""

    data: list[Event]


class ErrorDetail(BaseModel):
    """The error of a response."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """An error; a missing scope is answered as a bare text."""

    error: ErrorDetail | str


def external_key(
    row: ExternalKeyRow,
    project_ids: list[str],
    settings: Settings,
    *,
    in_list: bool = False,
    deleted: bool = False,
) -> dict[str, Any]:
    """Return an external key as OpenAI answers it.

    Args:
        row: The registration.
        project_ids: Ids of the active projects that use it.
        settings: Which of the members that sources differ on are there.
        in_list: The answer is a list.
        deleted: The answer is that of DELETE.
    """
    body: dict[str, Any] = {
        "id": row.id,
        "object": f"organization.external_key{'.deleted' if deleted else ''}",
        "created_at": int(row.created_at),
        "api_project_ids": project_ids,
        "type": row.type,
    }
    if settings.purpose_member:
        body["purpose"] = row.purpose
    body |= {"name": row.name, "role_arn": row.role_arn, "kms_arn": row.kms_arn}
    short = in_list or deleted
    if not short or settings.external_id_in_lists:
        body["external_id"] = row.external_id
    if short and settings.account_number_member:
        body["account_number"] = account_of(row.role_arn)
    if row.workspace_id or settings.workspace_id_form == "empty":
        body["workspace_id"] = row.workspace_id
    elif settings.workspace_id_form == "null":
        body["workspace_id"] = None
    return body


def project(row: ProjectRow, settings: Settings) -> dict[str, Any]:
    """Return a project as the reference shows it."""
    body: dict[str, Any] = {
        "id": row.id,
        "object": "organization.project",
        "name": row.name,
        "created_at": int(row.created_at),
        "archived_at": None if row.archived_at is None else int(row.archived_at),
        "status": "active" if row.archived_at is None else "archived",
    }
    if settings.feature_enabled or settings.external_key_id_always:
        body["external_key_id"] = row.external_key_id
    if row.residency is not None:
        body["residency"] = row.residency
    return body


def article_project(row: ProjectRow, organization: str) -> dict[str, Any]:
    """Return a created project as the help article shows it.

    Source: https://help.openai.com/en/articles/20000953
    """
    return {
        "id": row.id,
        "object": "project",
        "title": row.name,
        "created": int(row.created_at),
        "organization_id": organization,
        "is_initial": row.is_default,
        "geography": row.geography,
        "scale_tier_enabled": False,
        "disable_user_api_keys": False,
        "zdr_type": None,
        "external_key_id": row.external_key_id,
    }


def list_page(items: list[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """Return one page of a list."""
    return {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
        "has_more": has_more,
    }
