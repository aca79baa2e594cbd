"""OpenAI's objects as far as we rely on them; unknown members are ignored.

Sources:
docs/reference/openai-api.md#external-keys
docs/reference/openai-api.md#projects
docs/reference/openai-api.md#published-forms-that-differ (members that may be absent)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from openai_ekm.openai import OPENAI_ID
from openai_ekm.openai_api.constants import MOST_CHARACTERS

__all__ = ["ExternalKey", "NotAnObject", "Project", "audit_event", "checked_id", "limited"]

_LAST_MOMENT: Final = 253_402_300_799  # the last second of the year 9999


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
            NotAnObject: No usable `id`, or that of a project is not usable.
        """
        members = _members(value)
        projects = members.get("api_project_ids")
        if not isinstance(projects, list):
            projects = []
        return cls(
            id=_id(members),
            type=_text(members, "type"),
            purpose=_text(members, "purpose"),
            name=_text(members, "name"),
            role_arn=_text(members, "role_arn"),
            kms_arn=_text(members, "kms_arn"),
            external_id=_text(members, "external_id"),
            api_project_ids=tuple(sorted(checked_id(p) for p in projects if isinstance(p, str))),
            workspace_id=_text(members, "workspace_id") or "",
            created_at=_moment(members.get("created_at")),
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
            # One published form has `title` instead. Source:
            # docs/reference/openai-api.md#published-forms-that-differ
            name=_text(members, "name") or _text(members, "title"),
            external_key_id=_text(members, "external_key_id"),
            archived=members.get("status") == "archived" or members.get("archived_at") is not None,
        )


def audit_event(value: object) -> dict[str, Any]:
    """Read an event of the audit log; its members are kept as OpenAI sent them.

    Raises:
        NotAnObject: No usable `id`, or no type or moment.
    """
    members = _members(value)
    _id(members)
    if not isinstance(members.get("type"), str) or _moment(members.get("effective_at")) is None:
        raise NotAnObject("an event of the audit log has no type or no moment")
    return dict(members)


def _members(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise NotAnObject("the answer is not a JSON object")
    return value


def _id(members: Mapping[str, Any]) -> str:
    value = members.get("id")
    if value is None or value == "":
        raise NotAnObject("the answer has no id")
    return checked_id(value)


def checked_id(value: object) -> str:
    """Return an id of OpenAI's, before anything is done with it.

    Raises:
        NotAnObject: It is not of the form that ids have: a line break, a path, 20 kB.
    """
    if not isinstance(value, str) or not OPENAI_ID.fullmatch(value):
        shown = ascii(value[:40]) if isinstance(value, str) else type(value).__name__
        raise NotAnObject(
            f"the answer has an id that cannot be one of OpenAI's: {shown}; they are up to 200 "
            "letters, digits, _ and -"
        )
    return value


def limited(text: str) -> str:
    """Return a text of OpenAI's that can be kept and printed: valid Unicode, and not too long.

    A longer one ends in "…", so it never equals a value of ours. Half of a pair of surrogates,
    which is what a cut through an emoji leaves, becomes its escape.
    """
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return limited(value) if isinstance(value, str) else None


def _moment(value: object) -> int | None:
    """Return the seconds since the epoch, where they are a moment."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= _LAST_MOMENT else None
