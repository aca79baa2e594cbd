"""Behaviour that OpenAI does not publish: one typed setting each, with a chosen default.

A test changes the setting to run the opposite of a default.

Sources: docs/reference/openai-api.md#published-forms-that-differ,
docs/reference/openai-api.md#not-public
"""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from openai_ekm.arns import KMS_ARN_PATTERN
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Settings", "list_settings", "networks_of", "parse_assignments"]


def _choice(default: Any, description: str, **limits: Any) -> Any:
    return Field(default=default, description=description, **limits)


_STATUS: dict[str, Any] = {"ge": 200, "le": 599}


class Settings(BaseModel):
    """Every unknown as a value; `ekm emulate --list-settings` prints them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # The organization
    organization: str = _choice(
        "", "Organization id. Empty: any external id of the right form is accepted."
    )
    feature_enabled: bool = _choice(
        True, "EKM is enabled; off: external_keys answers 404 `Unsupported endpoint`."
    )
    external_key_id_always: bool = _choice(
        True, "Project items carry external_key_id even while the feature is off."
    )
    existing_project_flag: bool = _choice(
        False, "The further flag: an existing project may be given a key."
    )

    ip_allowlist: str = _choice(
        "", "Networks that may call, such as `10.0.0.0/8, ::1/128`; empty: any."
    )
    ip_allowlist_delay_seconds: float = _choice(
        900, "How late a changed ip_allowlist acts; OpenAI says within about 15 minutes.", ge=0
    )
    ip_not_authorized_status: int = _choice(401, "Status of a call from elsewhere.", **_STATUS)
    mtls_required: bool = _choice(
        False, "A client certificate is active: plain calls, as all to this emulator, are refused."
    )
    mtls_code: str | None = _choice(None, "`code` of that error; empty is null.")

    # Checking a field
    kms_arn_pattern: str = _choice(KMS_ARN_PATTERN, "Pattern that kms_arn is checked against.")
    name_max_length: int = _choice(0, "Longest name in characters; 0 is no limit.", ge=0)
    unknown_members: Literal["refuse", "ignore"] = _choice(
        "refuse", "A member of a request body that is not documented."
    )
    unknown_residency: Literal["accept", "refuse"] = _choice(
        "accept", "A residency that the reference does not list."
    )
    region_must_fit_residency: bool = _choice(
        False, "Refuse a project whose residency is not where the KMS key's Region is."
    )

    # Checking the cloud
    cloud_refusal_status: int = _choice(400, "Status when the cloud check fails.", **_STATUS)
    cloud_refusal_code: str | None = _choice(None, "`code` of that error; empty is null.")
    cloud_refusal_prefix: bool = _choice(
        False, "Put an SDK's words before AWS's: `An error occurred (…) when calling the …`."
    )
    validate_failure_status: str = _choice(
        "", "`status` of a 200 answer to a validation that fails; empty: an error is answered."
    )
    tries_decrypt: bool = _choice(True, "The check tries Decrypt after Encrypt.")
    negative_probes: bool = _choice(
        False, "The check also expects refusals without and with a wrong external id."
    )
    session_name: str = _choice(
        "openai-ekm-emulated",
        "Session name in the customer's role.",
        pattern=r"^[\w+=,.@-]{2,64}$",
    )
    session_duration_seconds: int = _choice(
        3600, "DurationSeconds of AssumeRole; AWS caps role chaining at 3600.", ge=900, le=43200
    )
    sts_region: str = _choice("", "Region of the STS endpoint; empty: that of kms_arn.")
    source_ip: str = _choice("", "aws:SourceIp of OpenAI's calls; empty: not known.")
    user_agent: str = _choice(
        "openai-ekm-emulated", "userAgent of OpenAI's calls in the trail; not known."
    )
    trail_denial_names_key: bool = _choice(
        False, "A denial by KMS has requestParameters and resources in the trail."
    )
    encryption_context: dict[str, str] = _choice(
        {}, "Encryption context of Encrypt and Decrypt, a JSON object."
    )
    session_cache_seconds: int = _choice(
        0, "How long a session in the customer's role is kept and used again.", ge=0
    )

    # External keys
    identical_registrations: Literal["allow", "refuse"] = _choice(
        "allow", "A second registration with the same role, key and external id."
    )
    unique_names: bool = _choice(False, "Refuse a second registration of the same name.")
    max_external_keys: int = _choice(0, "Registrations allowed; 0 is no limit.", ge=0)
    psp_registration: Literal["accept", "refuse"] = _choice(
        "accept", "purpose psp_decryption: listed, its RSA key not checked; or refused."
    )
    id_length: int = _choice(28, "Characters after `extkey_`.", ge=8, le=64)
    id_alphabet: str = _choice("0123456789abcdef", "Characters of that suffix.", min_length=2)
    external_key_list_limit: int = _choice(20, "Page size when none is asked.", ge=1, le=100)
    external_key_list_order: Literal["asc", "desc"] = _choice(
        "desc", "Order by creation when none is asked."
    )
    limit_zero: Literal["empty", "default"] = _choice("empty", "What `limit=0` returns.")
    unknown_after: Literal["refuse", "empty"] = _choice("refuse", "A cursor that names no item.")
    delete_missing_text: Literal["delete", "get"] = _choice(
        "delete", "404 text of DELETE: `No external key found with id …`, or that of GET."
    )
    workspace_id_for_new_keys: str = _choice(
        "", "Bind new registrations to this ChatGPT workspace."
    )
    workspace_delete_message: str = _choice(
        "This external key is associated with a ChatGPT workspace and cannot be deleted.",
        "Text of deleting a workspace key.",
    )
    shuffle_project_ids: bool = _choice(
        True, "api_project_ids come in another order at every read."
    )
    purpose_member: bool = _choice(True, "External keys carry `purpose`.")
    workspace_id_form: Literal["empty", "null", "absent"] = _choice(
        "empty", "workspace_id of a key without a workspace."
    )
    external_id_in_lists: bool = _choice(True, "List and delete answers carry external_id.")
    account_number_member: bool = _choice(False, "List and delete answers carry account_number.")
    list_delay_seconds: float = _choice(
        0, "How late lists see a create, delete or archiving.", ge=0
    )
    read_delay_seconds: float = _choice(0, "How late a GET of a key sees a change.", ge=0)

    # Projects
    project_shape: Literal["reference", "article"] = _choice(
        "reference", "Answer of project create: the reference's object, or the help article's."
    )
    unknown_key_status: int = _choice(
        404, "Status of a project with an unknown or deleted external_key_id.", **_STATUS
    )
    project_create_validates: bool = _choice(
        False, "Creating a project with a key checks the key anew."
    )
    max_projects: int = _choice(0, "Active projects allowed; 0 is no limit.", ge=0)
    max_projects_per_key: int = _choice(0, "Active projects per key allowed; 0: no limit.", ge=0)
    null_clears_key: bool = _choice(False, "`external_key_id: null` in an update clears the key.")
    default_project_archive: Literal["refuse", "allow"] = _choice(
        "refuse", "Archiving the default project."
    )
    second_archive_status: int = _choice(200, "Status of archiving twice.", **_STATUS)
    update_archived_status: int = _choice(400, "Status of updating an archived one.", **_STATUS)

    # External storage
    external_storage_status: Literal["validated", "unhealthy", "pending"] = _choice(
        "validated", "`status` after a validation of an external storage; nothing is looked at."
    )

    # Audit log, scopes, limits
    audit_registered_data: Literal["object", "empty"] = _choice(
        "object", "`data` of external_key.registered: the object as created, or nothing."
    )
    audit_delay_seconds: float = _choice(0, "How late an event is listed.", ge=0)
    audit_validate_type: str = _choice("", "Event type of a validation; empty: none.")
    missing_scope_status: int = _choice(403, "Status of a missing scope.", **_STATUS)
    calls_per_minute: int = _choice(0, "Calls allowed a minute and endpoint; 0: no limit.", ge=0)
    retry_after: bool = _choice(True, "A 429 of that limit carries Retry-After.")
    ratelimit_headers: bool = _choice(False, "Answers carry x-ratelimit-*-requests headers.")

    @field_validator("ip_allowlist")
    @classmethod
    def _networks_are_networks(cls, value: str) -> str:
        networks_of(value)
        return value

    def changed(self, values: Mapping[str, Any]) -> Settings:
        """Return settings with some values changed.

        Args:
            values: Name to value; a text is read as the setting's type (`true`, `400`, JSON).

        Raises:
            BadInput: `setting_unknown` or `setting_value`, naming value and valid ones.
        """
        fields = type(self).model_fields
        named = {name.replace("-", "_"): value for name, value in values.items()}
        unknown = [name for name in named if name not in fields]
        if unknown:
            raise BadInput(
                "setting_unknown",
                f"There is no setting {unknown[0]!r}.",
                at_fault=unknown[0],
                remedy=f"Settings: {', '.join(fields)}.",
            )
        read = {name: _read(fields[name].annotation, value) for name, value in named.items()}
        try:
            return Settings.model_validate({**self.model_dump(), **read})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            raise BadInput(
                "setting_value",
                f"The setting {name} cannot be {named.get(name)!r}: {first['msg']}.",
                at_fault=name,
                remedy=f"It is: {fields[name].description} Its default is "
                f"{json.dumps(fields[name].default)}.",
            ) from error


def networks_of(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Return the networks of the setting ip_allowlist.

    Raises:
        ValueError: One is none.
    """
    return tuple(ipaddress.ip_network(word.strip()) for word in text.split(",") if word.strip())


def _read(annotation: Any, value: Any) -> Any:
    """Read a text from the command line as the setting's type needs it."""
    if not isinstance(value, str):
        return value
    if value == "" and type(None) in get_args(annotation):
        return None
    if annotation == dict[str, str]:
        try:
            return read_json(value)
        except UnreadableJsonError:
            return value
    return value


def parse_assignments(words: Iterable[str]) -> dict[str, str]:
    """Split `NAME=VALUE` words.

    Raises:
        BadInput: `setting_value`, when a word has no `=`.
    """
    values: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadInput(
                "setting_value",
                f"--setting {word!r} is not NAME=VALUE.",
                at_fault="--setting",
                remedy="List them with `ekm emulate --list-settings`.",
            )
        values[name.strip()] = value
    return values


def list_settings() -> list[dict[str, Any]]:
    """Return name, type, default and meaning of every setting."""
    return [
        {
            "name": name,
            "type": _type_name(field.annotation),
            "default": field.default,
            "meaning": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]


def _type_name(annotation: Any) -> str:
    if annotation == dict[str, str]:
        return "JSON object"
    arguments = get_args(annotation)
    if type(None) in arguments:
        return "text or null"
    if arguments:
        return " | ".join(str(value) for value in arguments)
    names = {bool: "true | false", int: "whole number", float: "number"}
    return names.get(annotation, "text")
