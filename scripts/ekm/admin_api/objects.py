"""OpenAI's objects as far as we rely on them; unknown members are ignored.

Source: wire contract 1.6, 1.7 and section 5 (members that may be absent).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ExternalKey", "NotAnObject", "Project"]


class NotAnObject(ValueError):
    """A member that must be there is not: the answer cannot be relied on."""


@dataclass(frozen=True, slots=True)
class ExternalKey:
    """A registration; a member that the answer left out is None.

    Args:
        id: `extkey_...`, opaque.
        api_project_ids: Ids of active API projects that use it, sorted (the API keeps no order).
        workspace_id: The ChatGPT workspace bound to it, or "".
    """

    id: str
    type: str | None = None
    purpose: str | None = None
    name: str | None = None
    role_arn: str | None = None
    kms_arn: str | None = None
    external_id: str | None = None
    api_project_ids: tuple[str, ...] = ()
    workspace_id: str = ""
    created_at: int | None = None

    @classmethod
    def parse(cls, value: object) -> ExternalKey:
        """Read an object of the API.

        Raises:
            NotAnObject: No usable `id`.
        """
        members = _members(value)
        projects = members.get("api_project_ids")
        created_at = members.get("created_at")
        return cls(
            id=_id(members),
            type=_text(members, "type"),
            purpose=_text(members, "purpose"),
            name=_text(members, "name"),
            role_arn=_text(members, "role_arn"),
            kms_arn=_text(members, "kms_arn"),
            external_id=_text(members, "external_id"),
            api_project_ids=tuple(sorted(p for p in projects if isinstance(p, str)))
            if isinstance(projects, list)
            else (),
            workspace_id=_text(members, "workspace_id") or "",
            created_at=created_at if isinstance(created_at, int) else None,
        )


@dataclass(frozen=True, slots=True)
class Project:
    """An API project; `status` is `active` or `archived` where the answer says so."""

    id: str
    name: str | None = None
    external_key_id: str | None = None
    archived: bool = False

    @classmethod
    def parse(cls, value: object) -> Project:
        """Read an object of the API.

        Raises:
            NotAnObject: No usable `id`.
        """
        members = _members(value)
        return cls(
            id=_id(members),
            # Source: wire contract 5, row 7: one published form has `title` instead.
            name=_text(members, "name") or _text(members, "title"),
            external_key_id=_text(members, "external_key_id"),
            archived=members.get("status") == "archived" or members.get("archived_at") is not None,
        )


def _members(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise NotAnObject("the answer is not a JSON object")
    return value


def _id(members: Mapping[str, Any]) -> str:
    value = _text(members, "id")
    if not value:
        raise NotAnObject("the answer has no id")
    return value


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None
