"""What an answer that is not a success means: one kind for each way on.

Source: wire contract 1.0 (status codes by cause, error envelope) and 2.3, 2.4 (AWS's words).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ekm.admin_api.aws_words import read_aws_words
from ekm.admin_api.kinds import Kind
from ekm.admin_api.redaction import redact
from ekm.errors import NotReachable, OpenAIRefused

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
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TIMEOUT, _LIMITED, _SERVER = 401, 403, 404, 408, 429, 500
_MULTIPLE_CHOICES, _BAD_REQUEST = 300, 400


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success, read.

    Args:
        status: HTTP status; 0 when there was no answer.
        message: OpenAI's own words, or a sentence of ours where there are none.
        retry_after: Seconds that the server asks to wait, or None.
        should_retry: `x-should-retry`, or None.
    """

    kind: Kind
    status: int
    message: str
    code: str | None = None
    param: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    should_retry: bool | None = None


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
    external_key_id: str | None = None,
    request_id: str | None = None,
    retry_after: float | None = None,
    should_retry: bool | None = None,
) -> Refusal:
    """Read an answer outside 2xx; pure.

    Args:
        status: HTTP status.
        body: As received: an error object, a bare string, neither, or no JSON at all.
        external_key_id: The registration that was asked for; the texts that say "gone"
            contain it.
        request_id: `x-request-id`.
        retry_after: Seconds, from the headers.
        should_retry: `x-should-retry`.
    """
    message, code, param = _envelope(body)
    kind = _kind(status, message, code, external_key_id)
    return Refusal(
        kind=kind,
        status=status,
        message=redact(message) or f"(no message, HTTP {status})",
        code=code,
        param=param,
        request_id=request_id,
        retry_after=retry_after,
        should_retry=should_retry,
    )


def _envelope(body: bytes) -> tuple[str, str | None, str | None]:
    """Message, code and param of the error, in each of the three known forms."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", None, None
    error: Any = answer.get("error") if isinstance(answer, Mapping) else None
    if isinstance(error, str):
        return error, None, None
    if isinstance(error, Mapping):
        message, code, param = (error.get(name) for name in ("message", "code", "param"))
        return (
            message if isinstance(message, str) else "",
            code if isinstance(code, str) else None,
            param if isinstance(param, str) else None,
        )
    message = answer.get("message") if isinstance(answer, Mapping) else None
    return (message if isinstance(message, str) else ""), None, None


def _kind(  # noqa: C901, PLR0911 - one return for each row of the contract's table
    status: int, message: str, code: str | None, external_key_id: str | None
) -> Kind:
    if status == _LIMITED:
        return Kind.RATE_LIMITED
    if _MULTIPLE_CHOICES <= status < _BAD_REQUEST:
        return Kind.REDIRECTED
    if status == _TIMEOUT or status >= _SERVER or status < _BAD_REQUEST:
        return Kind.AMBIGUOUS
    if _MISSING_SCOPES.search(message):
        return Kind.SCOPE_MISSING
    if status == _NOT_FOUND and message == UNSUPPORTED:
        return Kind.FEATURE_OFF
    # Source: wire contract 1.0: compared exactly, or a lost feature flag reads as "gone".
    if status == _NOT_FOUND and message in {
        f"The external key {external_key_id} was not found",
        f"No external key found with id '{external_key_id}'",
    }:
        return Kind.GONE
    if IN_USE_TEXT in message:
        return Kind.IN_USE
    if aws := read_aws_words(message):
        return aws.kind
    if code == "incorrect_hostname":
        return Kind.WRONG_HOST
    if status == _UNAUTHORIZED:
        return Kind.INVALID_KEY
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
                f"OpenAI answered {asked} with a redirect (HTTP {refusal.status}), which "
                "is not followed: the admin key stays with the host that was named.",
                at_fault="OPENAI_BASE_URL",
                remedy="Set OPENAI_BASE_URL to the address it redirects to, if you trust it.",
            )
        case Kind.AMBIGUOUS:
            return NotReachable(
                "openai_unclear",
                f"{said}. Whether it was done is not known.",
                remedy="Run the same command again: it looks before it creates, and adopts.",
            )
        case Kind.UNREACHABLE:
            return NotReachable(
                "openai_not_reachable",
                f"{asked} did not reach OpenAI: {refusal.message}",
                remedy="Check the network, the proxy and OPENAI_BASE_URL.",
            )
        case _:
            return OpenAIRefused(
                "openai_refused",
                said,
                remedy="Correct what the message names; ask OpenAI with the request id.",
            )


def _aws_error(refusal: Refusal, said: str) -> OpenAIRefused:
    words = read_aws_words(refusal.message)
    at_fault = words.at_fault if words else None
    remedy = words.remedy if words else "Look at role and key with `ekm diagnose`."
    match refusal.kind:
        case Kind.AWS_KEY_UNUSABLE:
            return OpenAIRefused("aws_key_unusable", said, at_fault=at_fault, remedy=remedy)
        case Kind.AWS_TRANSIENT:
            return OpenAIRefused("aws_transient", said, at_fault=at_fault, remedy=remedy)
        case _:
            return OpenAIRefused("aws_denied", said, at_fault=at_fault, remedy=remedy)


def _scopes(message: str) -> str | None:
    """The scopes that OpenAI says are missing."""
    found = _MISSING_SCOPES.search(message)
    return f"the admin key's scopes: {found[1]}" if found else None
