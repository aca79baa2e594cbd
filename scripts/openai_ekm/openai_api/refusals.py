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

from openai_ekm.openai_api.aws_error_texts import find_error_text
from openai_ekm.openai_api.objects import limited
from openai_ekm.openai_api.redaction import redact
from openai_ekm.openai_api.refusal_kinds import Kind

__all__ = ["MISSING_SCOPES", "Kind", "Refusal", "read_refusal"]

UNSUPPORTED: Final = "Unsupported endpoint"
IN_USE_TEXT: Final = "associated with active projects"
_SCOPE: Final = r"[A-Za-z0-9_.]*[A-Za-z0-9_]"
MISSING_SCOPES: Final = re.compile(rf"Missing scopes: ({_SCOPE}(?:, ?{_SCOPE})*)")
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
    if MISSING_SCOPES.search(message):
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
