"""Find what names an account, a person, a resource or an address, by its form and its place. Pure.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.openai import OPENAI_ACCOUNT, OPENAI_ROLE_NAME, OPENAI_SESSION_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TAGS", "Found", "embedded_json", "find_in_text", "find_names", "holds_names"]


@dataclass(frozen=True, slots=True)
class Found:
    """An identifier.

    Args:
        kind: What it is: `account`, `name`, `key`, `address`, `email`, `id`, ….
        text: The identifier.
    """

    kind: str
    text: str


# Everybody's, or ours: they tell nothing about a customer.
_PUBLIC: Final = frozenset(
    {
        OPENAI_ACCOUNT,
        OPENAI_ROLE_NAME,
        OPENAI_SESSION_NAME,
        "999999999999",
        "an-administrator-with-every-iam-permission",
        "another-role",
        "org-of-another-customer",
        "root",
        "use",
        "default",
        "true",
        "false",
    }
)
# What stands in our requests for what OpenAI does not publish.
_PLACEHOLDER: Final = "that-is-not-public"
# Of the module's own statements, and of the drill's.
_PUBLIC_SIDS: Final = frozenset(
    {
        "AllowAdministration",
        "AllowAssumeRoleByOpenAI",
        "AllowEncryptDecrypt",
        "AllowUseByRole",
        "DelegateToAccount",
        "DenyKeyDeletion",
    }
)
_PUBLIC_ACCOUNTS: Final = frozenset({"aws", "*", ""})
# What precedes the name in an ARN's resource, and names nobody.
_RESOURCE_TYPES: Final = frozenset(
    {
        "alias",
        "assumed-role",
        "federated-user",
        "group",
        "instance-profile",
        "key",
        "mfa",
        "oidc-provider",
        "parameter",
        "policy",
        "role",
        "root",
        "saml-provider",
        "secret",
        "server-certificate",
        "sts",
        "trail",
        "user",
        "event-bus",
        "rule",
        "log-group",
        "function",
        "table",
        "vpc-endpoint",
        "organization",
        "account",
        "ou",
        "service-role",
        "aws-service-role",
        "aws-reserved",
        "mrk",
        "grant",
        "topic",
        "queue",
        "stack",
        "key-pair",
    }
)
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
    }
)
# Of a role or a key: each of its members has the value of a tag.
TAGS: Final = "tags"
# Condition keys whose values are names.
_NAME_KEYS: Final = re.compile(
    r"(?:aws|sts|kms|iam):(?:PrincipalTag/|RequestTag/|ResourceTag/|EncryptionContext:|username$"
    r"|userid$|SourceIdentity$|RoleSessionName$|ExternalId$|RequestAlias$|ResourceAliases$)",
    re.IGNORECASE,
)
_ARN: Final = re.compile(r"arn:[a-z0-9-]+:[a-z0-9-]*:[a-z0-9*-]*:([\w*-]*):([^\s\"'`<>()\[\]{};]+)")
_FORMS: Final = {
    # Not the end of a UUID; `_` and `-` may stand beside it, as in the names of log files.
    "account": re.compile(
        r"(?<![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)(?<![A-Za-z0-9])"
        r"(?<!\d\.)\d{12}(?![A-Za-z0-9]|\.\d)"
    ),
    "email": re.compile(r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+"),
    "key": re.compile(
        r"(?:(?<=:key/)|(?<=\bkey/))(?:mrk-)?[0-9a-f][0-9a-f-]{7,40}(?![\w-])", re.IGNORECASE
    ),
    "unique-id": re.compile(r"\bA(?:ROA|IDA|KIA|SIA|GPA|NPA|PKA|BIA|CCA|IPA)[A-Z0-9]{8,}\b"),
    "organization": re.compile(
        r"(?<![\w-])(?:o-[a-z0-9]{10,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|org-\w[\w-]*)(?![\w-])"
    ),
    "root-of-organization": re.compile(r"(?<=/)r-[a-z0-9]{4,32}(?=/)"),
    "project": re.compile(r"\bproj_[\w-]+"),
    "external-key": re.compile(r"\bextkey_[\w-]+"),
    "user": re.compile(r"(?<![\w-])user-[\w-]{6,}"),
    "admin-key": re.compile(r"(?<![\w-])(?:key_[\w-]{6,}|sk-[\w-]{6,})"),
    "network": re.compile(r"(?<![\w-])vpce?-[0-9a-f]{8,17}(?![\w-])"),
}
_PLACE: Final = re.compile(r"(?:(?<=ssm:)|(?<=file:))[^\s\"'`<>,;]+")
_IPV4: Final = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:.])")
_SHORTEST: Final = 2  # characters; a name of one, as in the proof's examples, tells nothing
# Parts of paths that every trail has, Regions, and numbers of days: they name nobody.
_PUBLIC_PART: Final = re.compile(r"\d{1,8}|[a-z]{2}(?:-[a-z]+)+-\d|AWSLogs|CloudTrail[\w-]*")
_SCHEME: Final = re.compile(r"^[a-z0-9]+://")
# Checks of drift that compare names, so that what they compare is one.
_CHECKS_OF_NAMES: Final = frozenset({"aliases", "projects", "tags", "workspace"})
_TRAILING: Final = ".,:;!?"


def find_names(value: Any, member: str = "") -> Iterator[Found]:
    """Yield every identifier in a JSON value, in the order of the document.

    Args:
        value: The value.
        member: The member that it stands in.
    """
    if isinstance(value, str):
        parsed = embedded_json(value)
        if parsed is not None:
            yield from find_names(parsed, member)
            return
        yield from find_in_text(value)
        if member in {"sid", "Sid"}:
            yield from _found("statement", value, _PUBLIC_SIDS)
        elif holds_names(member):
            yield from _name(value)
    elif isinstance(value, Mapping):
        of_names = value.get("check") in _CHECKS_OF_NAMES
        for name, each in value.items():
            if of_names and name in {"meant", "observed"} and isinstance(each, str):
                yield from _name(each)
            yield from find_in_text(name)
            yield from find_names(each, member if member == TAGS else name)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from find_names(each, member)


def holds_names(member: str) -> bool:
    """Return whether the text of a member is a name as a whole."""
    return member == TAGS or member in _NAME_MEMBERS or _NAME_KEYS.match(member) is not None


def find_in_text(text: str) -> Iterator[Found]:
    """Yield every identifier that a text holds, by its form."""
    for arn in _ARN.finditer(text):
        if arn[1] not in _PUBLIC_ACCOUNTS:
            yield from _found("account", arn[1])
        for segment in re.split("[/:]", arn[2].rstrip(_TRAILING)):
            yield from _found(_kind_of(segment), segment)
    for kind, form in _FORMS.items():
        for match in form.finditer(text):
            yield from _found(kind, match[0].rstrip(_TRAILING))
    for match in _PLACE.finditer(text):
        yield from _path(match[0].rstrip(_TRAILING))
    for form in (_IPV4, _IPV6):
        yield from (Found("address", match[0]) for match in form.finditer(text) if _is_ip(match[0]))


def embedded_json(text: str) -> Any:
    """Return the JSON object that a text holds, so that no escape hides a name; else None."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _name(text: str) -> Iterator[Found]:
    """Yield a name; where it is made of parts as a path is, the parts as well."""
    if _ARN.fullmatch(text):
        return  # its parts were found by their form
    yield from _found(_kind_of(text), text)
    if "/" in text:
        yield from _path(text)


def _path(text: str) -> Iterator[Found]:
    """Yield a path, and each of its parts."""
    yield from _found("place", text)
    for part in re.split("[/:]", _SCHEME.sub("", text)):
        if not _PUBLIC_PART.fullmatch(part):
            yield from _found(_kind_of(part), part)


def _kind_of(text: str) -> str:
    for kind, form in _FORMS.items():
        if form.fullmatch(text):
            return kind
    if re.fullmatch(r"(?:mrk-)?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", text):
        return "key"
    return "name"


def _found(kind: str, text: str, public: frozenset[str] = _PUBLIC) -> Iterator[Found]:
    """Yield an identifier, unless it is public or says nothing."""
    bare = text.strip("*?$ ")
    if _PLACEHOLDER in text or len(bare) < _SHORTEST:
        return
    if text not in public and text not in _PUBLIC and bare not in _RESOURCE_TYPES:
        yield Found(kind, text)


def _is_ip(text: str) -> bool:
    """Return whether a text is an address, and not one that stands for all or for this machine."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)
