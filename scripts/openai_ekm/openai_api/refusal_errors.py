"""The error that a refusal is raised as: id, what is at fault, and the remedy.

Source: docs/reference/openai-api.md#errors
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_ekm.errors import NotReachable, OpenAIRefused
from openai_ekm.openai_api.aws_error_texts import find_error_text
from openai_ekm.openai_api.refusal_kinds import Kind
from openai_ekm.openai_api.refusals import MISSING_SCOPES
from openai_ekm.openai_api.tls import CERTIFICATE_REMEDY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.openai_api.refusals import Refusal

__all__ = ["ApiRefused", "ApiUnclear", "as_error", "kind_of"]

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
    found = MISSING_SCOPES.search(message)
    return f"the admin key's scopes: {found[1]}" if found else None
