"""Find what names an account, a person, a resource or an address, by its form and its place. Pure.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import ast
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evidence.identifiers_members import (
    ISSUER_KEY,
    holds_names,
    is_of_events,
    member_of,
    names_in_events,
)
from openai_ekm.json_reader import is_too_deep
from openai_ekm.openai import OPENAI_ACCOUNT, OPENAI_ROLE_NAME, OPENAI_SESSION_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Found", "account_of", "embedded_json", "find_in_text", "find_names"]


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
        # Ids of policies that AWS's console writes.
        "key-default-1",
        "key-consolepolicy-3",
        # Hosts of everybody's sign-in, and what subjects of tokens are made of.
        "accounts.google.com",
        "cognito-identity.amazonaws.com",
        "graph.facebook.com",
        "signin.aws.amazon.com",
        "sts.amazonaws.com",
        "token.actions.githubusercontent.com",
        "www.amazon.com",
        "environment",
        "heads",
        "main",
        "master",
        "pull_request",
        "ref",
        "refs",
        "repo",
        "serviceaccount",
        "system",
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
# Bounded, so that a text of openings alone is searched in one pass.
_VARIABLE: Final = r"\$\{[^}{\"]{0,200}\}"
_FIELD: Final = rf"(?:{_VARIABLE}|[^\s:\"'$]|\$(?!\{{))*"
_ARN: Final = re.compile(
    rf"arn:{_FIELD}:{_FIELD}:{_FIELD}:((?:{_VARIABLE}|[\w*?-])*)"
    rf":((?:{_VARIABLE}|[^\s\"'`<>()\[\]{{}};])+)"
)
# The end of an ARN, as patterns have it: `*:role/NAME`.
_END_OF_ARN: Final = re.compile(
    r"(?<=[*?}]):?(?:role|user|group|policy|assumed-role|federated-user|instance-profile|key|alias)"
    rf"/((?:{_VARIABLE}|[^\s\"'`<>()\[\]{{}};])+)"
)
_VARIABLES: Final = re.compile(_VARIABLE)
_DEFAULT: Final = re.compile(r"\$\{[^}{']{0,200}'([^'{}]{1,200})' {0,9}\}")
_FORMS: Final = {
    # Not the end of a UUID; `_` and `-` may stand beside it, as in the names of log files.
    "account": re.compile(
        r"(?<![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)(?<![A-Za-z0-9])"
        r"(?<!\d\.)\d{12}(?![A-Za-z0-9]|\.\d)"
    ),
    # As people write one: 1111-2222-3333.
    "account in groups": re.compile(r"(?<![\w-])\d{4}-\d{4}-\d{4}(?![\w-])"),
    "email": re.compile(r"(?:[\w.+%-]{1,64}|\"[^\"@\n]{1,64}\")(?:@|%40)[\w-]+(?:\.[\w-]+)+"),
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
# Members of policies that hold ARNs, and patterns of them.
_OF_ARNS: Final = frozenset({"AWS", "Federated", "Resource", "NotResource"})
_PUBLIC_AGENT: Final = re.compile(r"AWS Internal|[\w.-]+\.amazonaws\.com")
_TRAILING: Final = ".,:;!?"
# Sentences of drift that tell a name; each is quoted as Python does it, or not at all.
_SENTENCES: Final = (
    re.compile(r"The project (.*) \([\w-]+\) (?:of the record is not|is) active\b", re.DOTALL),
    re.compile(r"[\w-]+ \((.*), \d+ projects\) is another ", re.DOTALL),
)
_QUOTED: Final = re.compile(r"""(['"])(.*)\1""", re.DOTALL)
_NONE: Final = frozenset({"None", "(unnamed)"})


def find_names(value: Any, member: str = "") -> Iterator[Found]:
    """Yield every identifier in a JSON value, in the order of the document.

    Args:
        value: The value.
        member: The member that it stands in.

    Raises:
        RecursionError: A text in it holds JSON that is nested too deep to be searched.
    """
    if isinstance(value, str):
        parsed = embedded_json(value)
        if parsed is not None:
            yield from find_names(parsed, member)
            return
        yield from find_in_text(value)
        yield from _whole(value, member)
    elif isinstance(value, Mapping):
        yield from _of_difference(value)
        for name, each in value.items():
            yield from find_in_text(name)
            issuer = ISSUER_KEY.fullmatch(name)
            if issuer is not None:
                yield from _path(issuer[1])
            yield from find_names(each, member_of(member, value, name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from find_names(each, member)
    elif (account := account_of(value, member)) is not None:
        yield from _found("account", account)


def account_of(value: Any, member: str) -> str | None:
    """Return the account id that a number is: a policy may have it without quotes."""
    if isinstance(value, bool) or not isinstance(value, int | float) or member == "bytes":
        return None
    # A number has no zeros in front, so that an id with some is shorter.
    least = 10**6 if member.lower().endswith("account") else 10**11
    return f"{int(value):012d}" if least <= value < 10**12 and value == int(value) else None


def _whole(text: str, member: str) -> Iterator[Found]:
    """Yield a text that is a name as a whole, by the member that it stands in."""
    if member in {"sid", "Sid"}:
        yield from _found("statement", text, _PUBLIC_SIDS)
    elif member == "user_agent":
        if not _PUBLIC_AGENT.fullmatch(text):
            yield from _found("user-agent", text)
    elif is_of_events(member):
        if names_in_events(member, text):
            yield from _found(_kind_of(text), text)
    elif member in _OF_ARNS and text.startswith("arn:"):
        yield from _segments(text.split(":", 5)[-1])  # a name with a space, which ends no text here
    elif member in _OF_ARNS or holds_names(member):
        yield from _name(text)


def _of_difference(value: Mapping[str, Any]) -> Iterator[Found]:
    """Yield the names in the sentence of a difference of drift."""
    check, message = value.get("check"), value.get("message")
    if isinstance(check, str) and isinstance(message, str):
        for sentence in _SENTENCES:
            found = sentence.match(message)
            if found is not None and found[1] not in _NONE:
                yield from _name(_unquoted(found[1]))


def _unquoted(text: str) -> str:
    """Return a name that a sentence may quote as `repr` does it."""
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return text
    try:
        return str(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return quoted[2]


def find_in_text(text: str) -> Iterator[Found]:
    """Yield every identifier that a text holds, by its form."""
    for arn in _ARN.finditer(text):
        account = _VARIABLES.sub("", arn[1])
        if account not in _PUBLIC_ACCOUNTS and account == arn[1]:
            yield from _found("account", account)
        yield from _segments(arn[2])
    for end in _END_OF_ARN.finditer(text):
        yield from _segments(end[1])
    for default in _DEFAULT.finditer(text):
        yield from _name(default[1])
    for kind, form in _FORMS.items():
        for match in form.finditer(text):
            yield from _found(kind.split()[0], match[0].rstrip(_TRAILING))
    for match in _PLACE.finditer(text):
        yield from _path(match[0].rstrip(_TRAILING))
    for form in (_IPV4, _IPV6):
        yield from (Found("address", match[0]) for match in form.finditer(text) if _is_ip(match[0]))


def embedded_json(text: str) -> Any:
    """Return the JSON object or list that a text holds, so that no escape hides a name.

    Raises:
        RecursionError: It is nested too deep to be searched or written.
    """
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if is_too_deep(found):
        raise RecursionError
    return found


def _segments(resource: str) -> Iterator[Found]:
    """Yield the parts of an ARN's resource; a variable is none, and parts it from what is."""
    for segment in re.split("[/:]", _VARIABLES.sub("/", resource.rstrip(_TRAILING))):
        yield from _found(_kind_of(segment), segment)


def _name(text: str) -> Iterator[Found]:
    """Yield a name; where it is made of parts as a path is, the parts as well."""
    if text.startswith("arn:"):
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
            return kind.split()[0]
    if re.fullmatch(r"(?:mrk-)?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", text):
        return "key"
    return "name"


def _found(kind: str, text: str, public: frozenset[str] = _PUBLIC) -> Iterator[Found]:
    """Yield an identifier, unless it is public or says nothing."""
    bare = text.strip("*?$ -_.")
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
