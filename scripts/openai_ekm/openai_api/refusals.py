"""The meaning of an answer that is not a success: one kind for each remedy.

Sources: docs/reference/openai-api.md#errors, docs/reference/openai-api.md#denials (AWS's words)
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from openai_ekm.errors import NotReachable, OpenAIRefused
from openai_ekm.openai_api.aws_error_texts import find_error_text
from openai_ekm.openai_api.objects import limited
from openai_ekm.openai_api.redaction import redact
from openai_ekm.openai_api.refusal_kinds import Kind
from openai_ekm.openai_api.tls import CERTIFICATE_REMEDY

__all__ = [
    "ApiRefused",
    "ApiUnclear",
    "Kind",
    "Refusal",
    "as_error",
    "kind_of",
    "read_refusal",
]


UNSUPPORTED: Final = "Unsupported endpoint"
IN_USE_TEXT: Final = "associated with active projects"
_SCOPE: Final = r"[A-Za-z0-9_.]*[A-Za-z0-9_]"
_MISSING_SCOPES: Final = re.compile(rf"Missing scopes: ({_SCOPE}(?:, ?{_SCOPE})*)")
# What OpenAI's codes mean; the guides name no code of their own for a certificate.
# Sources: https://developers.openai.com/api/docs/guides/error-codes,
# https://developers.openai.com/api/docs/guides/mutual-tls, docs/reference/openai-api.md#errors
_CODES: Final[Mapping[str, Kind]] = {
    "incorrect_hostname": Kind.WRONG_HOST,
    "invalid_api_key": Kind.INVALID_KEY,
    "ip_not_authorized": Kind.IP_NOT_ALLOWED,
    "insufficient_quota": Kind.QUOTA,
    "billing_hard_limit_reached": Kind.QUOTA,
    "billing_not_active": Kind.QUOTA,
}
_CERTIFICATE: Final = re.compile(r"mtls|mutual.tls|client.certificate", re.IGNORECASE)
_READ_ITS_WORDS: Final = (
    "Read OpenAI's words: they may mean the key, its owner or organization, or where the call "
    "comes from. Give another admin key (sk-admin-…) only if they mean the key."
)
_BETWEEN: Final = (
    "Something between this machine and OpenAI answers: a proxy, the sign-in page of a network, or "
    "what guards OpenAI from floods of calls. Look at HTTPS_PROXY and OPENAI_BASE_URL, or call "
    "from another network."
)
# Codes that say neither yes nor no to the key: what is at fault, and what helps.
_AT_FAULT: Final[Mapping[str, tuple[str, str]]] = {
    "account_deactivated": (
        "the OpenAI account that the admin key belongs to",
        "Ask OpenAI why the account was deactivated, or give a key of another owner.",
    ),
    "mismatched_organization": (
        "the header OpenAI-Organization",
        "This program sends no such header: correct the gateway that adds it, or change the key.",
    ),
    "no_organization": (
        "the OpenAI account that the admin key belongs to",
        "Give an admin key of an organization: the account is a member of none.",
    ),
    "unsupported_country_region_territory": (
        "the place that the call comes from",
        "Call from a country that OpenAI supports; look where the proxy or VPN leaves.",
    ),
}
# Kinds that OpenAI's program alone can mean: of a page that is not its own they are not true.
_SAID_BY_OPENAI: Final = frozenset({Kind.UNAUTHORIZED, Kind.NOT_FOUND, Kind.REFUSED})
_WORD: Final = re.compile(r"[\w.\[\]-]{1,100}", re.ASCII)
_FIRST_WORDS: Final = 120  # characters of a page that are shown
_LOOKED_AT: Final = 4000  # bytes of a page in which they are looked for
_MOST_OF_A_LOCATION: Final = 200  # characters that are shown
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TIMEOUT, _LIMITED, _SERVER = 401, 403, 404, 408, 429, 500
_MULTIPLE_CHOICES, _BAD_REQUEST = 300, 400


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success, read.

    Args:
        status: HTTP status; 0 when there was no answer.
        message: OpenAI's own words, or a sentence of ours where there are none.
        retry_after: Seconds that the server asks to wait, or None.
        should_retry: `x-should-retry`, or what is known here; None where nothing is.
        remedy: What helps, where that is known better than the kind says.
        page: The body was a page, not JSON: somebody else answered in OpenAI's place.
    """

    kind: Kind
    status: int
    message: str
    code: str | None = None
    param: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    should_retry: bool | None = None
    remedy: str | None = None
    page: bool = False


class ApiRefused(OpenAIRefused):
    """OpenAI answered, and nothing was done.

    Args:
        words: Id, message and remedy.
        refusal: What was read.
    """

    def __init__(self, words: OpenAIRefused, refusal: Refusal) -> None:
        super().__init__(
            words.id,
            words.message,
            at_fault=words.at_fault or refusal.param,
            remedy=words.remedy,
            request_id=refusal.request_id,
        )
        self.refusal = refusal


class ApiUnclear(NotReachable):
    """No answer that can be read: what was asked may have been done, or not.

    Args:
        words: Id, message and remedy.
        refusal: What was read.
    """

    def __init__(self, words: NotReachable, refusal: Refusal) -> None:
        super().__init__(
            words.id, words.message, remedy=words.remedy, request_id=refusal.request_id
        )
        self.refusal = refusal


def kind_of(error: BaseException) -> Kind | None:
    """Return the kind of an error of this client, None for any other."""
    return error.refusal.kind if isinstance(error, ApiRefused | ApiUnclear) else None


def read_refusal(
    status: int,
    body: bytes,
    *,
    content_type: str = "",
    location: str | None = None,
    external_key_id: str | None = None,
    request_id: str | None = None,
    retry_after: float | None = None,
    should_retry: bool | None = None,
) -> Refusal:
    """Read an answer that is not a success, or that is one and is no JSON object; pure.

    Args:
        status: HTTP status.
        body: As received: an error object, a bare string, neither, or no JSON at all.
        content_type: As the header says.
        location: Where a redirect leads, as the header says.
        external_key_id: The registration that was asked for; the texts that say "gone"
            contain it.
        request_id: `x-request-id`.
        retry_after: Seconds, from the headers.
        should_retry: `x-should-retry`.
    """
    answer = _json(body)
    page = answer is _NO_JSON and _is_page(body, content_type)
    message, code, param = _envelope(answer)
    kind = _kind(status, message, code, external_key_id)
    if page and kind in _SAID_BY_OPENAI:
        kind = Kind.FOREIGN_PAGE
    if page and status < _BAD_REQUEST:
        should_retry = False  # a sign-in page stays until somebody signs in
    if kind is Kind.REDIRECTED and location:
        message = f"to {location[:_MOST_OF_A_LOCATION]!a}"
    elif answer is _NO_JSON and (words := _first_words(body)):
        message = f"(not JSON, as OpenAI's API answers; it begins: {words})"
    return Refusal(
        kind=kind,
        status=status,
        message=redact(message) or f"(no message, HTTP {status})",
        code=code,
        param=param,
        request_id=request_id,
        retry_after=retry_after,
        should_retry=should_retry,
        page=page,
    )


_NO_JSON: Final = object()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _NO_JSON


def _is_page(body: bytes, content_type: str) -> bool:
    return body.lstrip()[:1] == b"<" or content_type.strip().lower().startswith("text/")


def _first_words(body: bytes) -> str | None:
    """Return the first words of what is no JSON, without markup; None where there are none."""
    text = body[:_LOOKED_AT].decode("utf-8", "replace")
    text = re.sub(r"(?is)<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[^>]*>", " ", text)
    words = "".join(one if one.isprintable() else " " for one in html.unescape(text)).split()
    shown = " ".join(words)
    if not shown:
        return None
    return f"“{shown[:_FIRST_WORDS]}…”" if len(shown) > _FIRST_WORDS else f"“{shown}”"


def _envelope(answer: Any) -> tuple[str, str | None, str | None]:
    """Return message, code and param of the error, in each of the three known forms."""
    error: Any = answer.get("error") if isinstance(answer, Mapping) else None
    if isinstance(error, str):
        return limited(error), None, None
    if isinstance(error, Mapping):
        # "quota" has been seen as the type alone. Source: https://github.com/openai/openai-python
        code = _word(error.get("code")) or _of(_CODES, _word(error.get("type")))
        return _text(error), code, _word(error.get("param"))
    return (_text(answer) if isinstance(answer, Mapping) else ""), None, None


def _text(error: Mapping[str, Any]) -> str:
    message = error.get("message")
    return limited(message) if isinstance(message, str) else ""


def _word(value: object) -> str | None:
    """Return a code or the name of a member if it is a word; nothing else is relied on."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _of(known: Mapping[str, Kind], value: str | None) -> str | None:
    return value if value in known else None


def _kind(  # noqa: C901, PLR0911 - one return for each row of the table of errors
    status: int, message: str, code: str | None, external_key_id: str | None
) -> Kind:
    known = _CODES.get(code or "")
    if status == _LIMITED:
        return Kind.QUOTA if known is Kind.QUOTA else Kind.RATE_LIMITED
    if _MULTIPLE_CHOICES <= status < _BAD_REQUEST:
        return Kind.REDIRECTED
    if status == _TIMEOUT or status >= _SERVER or status < _BAD_REQUEST:
        return Kind.AMBIGUOUS
    if _MISSING_SCOPES.search(message):
        return Kind.SCOPE_MISSING
    if status == _NOT_FOUND and message == UNSUPPORTED:
        return Kind.FEATURE_OFF
    # Compared exactly, or a lost feature flag reads as "gone". Source:
    # docs/reference/openai-api.md#errors
    if status == _NOT_FOUND and message in {
        f"The external key {external_key_id} was not found",
        f"No external key found with id '{external_key_id}'",
    }:
        return Kind.GONE
    if IN_USE_TEXT in message:
        return Kind.IN_USE
    aws = find_error_text(message)
    if aws is not None and aws.kind is not None:
        return aws.kind
    if known:
        return known
    if status in {_UNAUTHORIZED, _FORBIDDEN} and _CERTIFICATE.search(f"{code} {message}"):
        return Kind.CERTIFICATE_NEEDED
    if status == _UNAUTHORIZED:
        return Kind.UNAUTHORIZED
    return Kind.NOT_FOUND if status == _NOT_FOUND else Kind.REFUSED


def as_error(refusal: Refusal, asked: str) -> ApiRefused | ApiUnclear:
    """Return the error to raise for a refusal.

    Args:
        refusal: What was read.
        asked: The call in words (`POST /organization/external_keys`).
    """
    error = _error(refusal, asked)
    if isinstance(error, NotReachable):
        return ApiUnclear(error, refusal)
    return ApiRefused(error, refusal)


def _error(refusal: Refusal, asked: str) -> OpenAIRefused | NotReachable:  # noqa: PLR0911 - one for each kind
    said = f"OpenAI answered {asked} with HTTP {refusal.status}: {refusal.message}"
    match refusal.kind:
        case Kind.FEATURE_OFF:
            return OpenAIRefused(
                "openai_feature_off",
                f"{said}. Enterprise Key Management is not enabled for this organization.",
                remedy="Ask your OpenAI account representative to enable it; nothing was changed.",
            )
        case Kind.GONE:
            return OpenAIRefused(
                "openai_gone",
                f"{said}. The registration does not exist any more.",
                remedy="Run `ekm register` to register the key anew.",
            )
        case Kind.NOT_FOUND:
            return OpenAIRefused(
                "openai_not_found",
                f"{said}. This is none of the texts that mean that a registration is "
                "gone, so nothing was concluded from it.",
                remedy="Check OPENAI_BASE_URL and the id; ask OpenAI with the request id.",
            )
        case Kind.SCOPE_MISSING:
            return OpenAIRefused(
                "openai_scope_missing",
                said,
                at_fault=_scopes(refusal.message),
                remedy="Make a new admin key with api.external_keys.read and .write, and "
                "api.management.read and .write for projects: scopes added later have been "
                "seen not to take effect.",
            )
        case Kind.INVALID_KEY:
            return OpenAIRefused(
                "openai_invalid_key",
                said,
                at_fault="the admin key",
                remedy="Give an admin key (sk-admin-…) that is not revoked; project keys are "
                "refused here.",
            )
        case Kind.UNAUTHORIZED | Kind.IP_NOT_ALLOWED | Kind.CERTIFICATE_NEEDED | Kind.QUOTA:
            return _caller_error(refusal, said)
        case Kind.WRONG_HOST:
            return OpenAIRefused(
                "openai_wrong_host",
                said,
                at_fault="OPENAI_BASE_URL",
                remedy="Set OPENAI_BASE_URL to the host of the key's region, for example "
                "https://eu.api.openai.com/v1.",
            )
        case Kind.IN_USE:
            return OpenAIRefused(
                "openai_key_in_use",
                said,
                remedy="Archive or move the projects first; `ekm retire` says how.",
            )
        case _:
            return _other_error(refusal, said, asked)


def _other_error(  # noqa: PLR0911 - see above
    refusal: Refusal, said: str, asked: str
) -> OpenAIRefused | NotReachable:
    match refusal.kind:
        case Kind.AWS_DENIED | Kind.AWS_KEY_UNUSABLE | Kind.AWS_TRANSIENT:
            return _aws_error(refusal, said)
        case Kind.NOT_VALIDATED:
            return OpenAIRefused(
                "openai_not_validated",
                f"{said}. Only the status success means that OpenAI can use the key.",
                remedy="Run `ekm validate` again; ask OpenAI what this status means.",
            )
        case Kind.RATE_LIMITED:
            return OpenAIRefused(
                "openai_rate_limited",
                said,
                remedy=f"Try again in {refusal.retry_after:.0f} s."
                if refusal.retry_after
                else "Try again in some minutes, and lower EKM_CALLS_PER_MINUTE.",
            )
        case Kind.REDIRECTED:
            return OpenAIRefused(
                "openai_redirected",
                f"{asked} was answered with a redirect (HTTP {refusal.status}) "
                f"{refusal.message}. None is followed: the admin key stays with the host that was "
                "named.",
                at_fault="OPENAI_BASE_URL",
                remedy="OpenAI's API redirects nobody. Pass the sign-in page of the network, if "
                "one answers; else set OPENAI_BASE_URL to OpenAI's API itself.",
            )
        case Kind.FOREIGN_PAGE:
            return _foreign_page(refusal, asked)
        case Kind.AMBIGUOUS if asked.startswith("GET ") or asked.endswith("/validate"):
            if refusal.page:
                return _foreign_page(refusal, asked)
            return NotReachable(
                "openai_unclear",
                f"{said}. This call changed nothing.",
                remedy="Run the same command again; ask OpenAI with the request id if it stays so.",
            )
        case Kind.AMBIGUOUS:
            return NotReachable(
                "openai_unclear",
                f"{said}. Whether it was done is not known.",
                remedy="Run the same command again: it looks before it creates, and adopts."
                + (f" {_BETWEEN}" if refusal.page else ""),
            )
        case Kind.UNREACHABLE:
            return NotReachable(
                "openai_not_reachable",
                f"{asked} did not reach OpenAI: {refusal.message}",
                remedy=refusal.remedy or "Check the network, the proxy and OPENAI_BASE_URL.",
            )
        case _:
            at_fault, remedy = _AT_FAULT.get(
                refusal.code or "",
                (None, "Correct what the message names; ask OpenAI with the request id."),
            )
            return OpenAIRefused("openai_refused", said, at_fault=at_fault, remedy=remedy)


def _caller_error(refusal: Refusal, said: str) -> OpenAIRefused:
    """Return the error for a refusal of the caller, its address or its account, not of the key."""
    match refusal.kind:
        case Kind.IP_NOT_ALLOWED:
            return OpenAIRefused(
                "openai_ip_not_allowed",
                said,
                at_fault="the address that the call comes from",
                remedy="Add it to the IP allowlist in OpenAI's settings (a project's list replaces "
                "the organization's), or call from a listed one. A change acts within 15 minutes.",
            )
        case Kind.CERTIFICATE_NEEDED:
            return OpenAIRefused(
                "openai_certificate_needed",
                said,
                at_fault="the client certificate",
                remedy=CERTIFICATE_REMEDY,
            )
        case Kind.QUOTA:
            return OpenAIRefused(
                "openai_quota",
                said,
                at_fault="the organization's credit or budget at OpenAI",
                remedy="Add credit, or raise the limit in OpenAI's billing settings: waiting does "
                "not help.",
            )
        case _:
            at_fault, remedy = _AT_FAULT.get(refusal.code or "", (None, _READ_ITS_WORDS))
            return OpenAIRefused("openai_unauthorized", said, at_fault=at_fault, remedy=remedy)


def _aws_error(refusal: Refusal, said: str) -> OpenAIRefused:
    row = find_error_text(refusal.message)
    at_fault = row.at_fault if row else None
    remedy = row.remedy if row else "Look at role and key with `ekm diagnose`."
    match refusal.kind:
        case Kind.AWS_KEY_UNUSABLE:
            return OpenAIRefused("aws_key_unusable", said, at_fault=at_fault, remedy=remedy)
        case Kind.AWS_TRANSIENT:
            return OpenAIRefused("aws_transient", said, at_fault=at_fault, remedy=remedy)
        case _:
            return OpenAIRefused("aws_denied", said, at_fault=at_fault, remedy=remedy)


def _foreign_page(refusal: Refusal, asked: str) -> NotReachable:
    return NotReachable(
        "openai_foreign_page",
        f"{asked} was not answered by OpenAI's API: HTTP {refusal.status} {refusal.message}. "
        "This call changed nothing.",
        remedy=_BETWEEN,
    )


def _scopes(message: str) -> str | None:
    """Return the scopes that OpenAI says are missing."""
    found = _MISSING_SCOPES.search(message)
    return f"the admin key's scopes: {found[1]}" if found else None
