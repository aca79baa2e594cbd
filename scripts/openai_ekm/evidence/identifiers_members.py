"""Which members of a pack hold names as a whole: by what they are called, and where. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ISSUER_KEY",
    "holds_names",
    "is_of_events",
    "may_hold_a_name",
    "member_of",
    "names_in_events",
]

# Members whose text is a name as a whole, wherever they stand.
_NAME_MEMBERS: Final = frozenset(
    {
        "name",
        "project_name",
        "user_name",
        "userName",
        "session",
        "session_name",
        "sessionName",
        "host",
        "caller",
        "by",
        "email",
        "display_name",
        "place",
        "file",
        "file_name",
        "path_of_file",
        "record",
        "record_place",
        "instance",
        "subject_name",
        "external_id",
        "user_id",
        "username",
        "owner",
        "principal_name",
        "sid",
        "Sid",
        "Id",
        "CanonicalUser",
        "grant_id",
        "openai_organization",
    }
)
# Every text in these is a name: the members are called as the customer calls them.
_OF_NAMES: Final = frozenset(
    {
        "tags",
        "encryption_context",
        "EncryptionContextEquals",
        "EncryptionContextSubset",
        "external_ids",
    }
)
# Values that a sentence compares: one of them can be a name, and is no word that we look for.
_COMPARED: Final = frozenset(
    {"found", "needed", "value", "meant", "observed", "subject", "principal", "reason", "by"}
)
# OpenAI's events, in which other members hold names than elsewhere: `id`, `title`, `region`, ….
_AUDIT: Final = "audit_events"
_AUDIT_NAMES: Final = re.compile(
    rf"{_AUDIT}\.(?:(?:.*_)?ids?|title|role_name|user_agent|city|region|description|value)"
)
_AUDIT_STAYS: Final = re.compile(rf"{_AUDIT}\.(?:type|object|role|country|region_code|.*_at)")
_AUDIT_WORD: Final = re.compile(r"[a-z_.]+|[A-Z_]+")
# Checks of drift that compare names, and the members that others compare.
_CHECKS_OF_NAMES: Final = ("aliases", "projects", "tags", "workspace")
_CHECKS_OF_MEMBERS: Final = ("record", "registration")
_MEMBERS: Final = ("name", "external_id")
# Condition keys whose values are names.
_NAME_KEYS: Final = re.compile(
    r"[\w-]+:(?:PrincipalTag/|RequestTag/|ResourceTag/|EncryptionContext:)"
    r"|(?:aws|sts|kms|iam):(?:username|userid|SourceIdentity|RoleSessionName|ExternalId"
    r"|RequestAlias|ResourceAliases|Referer|UserAgent|PrincipalArn|SourceArn)$"
    r"|saml:(?!sub_type$)|identitystore:",
    re.IGNORECASE,
)
# Those of an issuer of tokens: `token.actions.githubusercontent.com:sub`.
ISSUER_KEY: Final = re.compile(r"([\w-]+(?:\.[\w-]+)+(?:/[^\s:]*)?):\w+")


def member_of(outer: str, within: Mapping[str, Any], name: str) -> str:
    """Return what `holds_names` takes for a member of an object.

    Args:
        outer: The member that the object stands in.
        within: The object.
        name: What the member is called.
    """
    if name in {"meant", "observed"} and _compares_names(within):
        return "name"
    if outer.removeprefix(f"{_AUDIT}.") in _OF_NAMES:
        return outer
    if outer == _AUDIT or outer.startswith(f"{_AUDIT}."):
        return f"{_AUDIT}.{name}"
    return name


def holds_names(member: str) -> bool:
    """Return whether the text of a member is a name as a whole."""
    if _AUDIT_NAMES.fullmatch(member):
        return True
    bare = member.removeprefix(f"{_AUDIT}.")
    return (
        bare in _NAME_MEMBERS
        or bare in _OF_NAMES
        or _NAME_KEYS.match(bare) is not None
        or ISSUER_KEY.fullmatch(bare) is not None
    )


def may_hold_a_name(member: str) -> bool:
    """Return whether a text of a member, as a whole, can be a name although it is a single word."""
    return holds_names(member) or member in _COMPARED


def _compares_names(difference: Mapping[str, Any]) -> bool:
    """Return whether a difference of drift is one of names."""
    check, subject = difference.get("check"), difference.get("subject")
    return check in _CHECKS_OF_NAMES or (check in _CHECKS_OF_MEMBERS and subject in _MEMBERS)


def is_of_events(member: str) -> bool:
    """Return whether a member is one of OpenAI's audit events."""
    return member.startswith(f"{_AUDIT}.")


def names_in_events(member: str, text: str) -> bool:
    """Return whether a text of OpenAI's audit events is a name: all but single words of theirs."""
    is_word = _AUDIT_WORD.fullmatch(text) is not None
    return holds_names(member) or not (is_word or _AUDIT_STAYS.fullmatch(member))
