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

_BETWEEN: Final = (
    "Something between this machine and OpenAI answers: a proxy, the sign-in page of a network, or "
    "what guards OpenAI from floods of calls. Look at HTTPS_PROXY and OPENAI_BASE_URL, or call "
    "from another network."
)
_DIAGNOSE: Final = "Look at role and key with `ekm diagnose`."
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

# What each kind says. `{said}` is OpenAI's answer, `{asked}` the call, `{status}` and `{message}`
# are those of the answer; `_of_this_answer` changes some.
_ERRORS: Final[Mapping[Kind, OpenAIRefused | NotReachable]] = {
    Kind.FEATURE_OFF: OpenAIRefused(
        "openai_feature_off",
        "{said}. Enterprise Key Management is not enabled for this organization.",
        remedy="Ask your OpenAI account representative to enable it; nothing was changed.",
    ),
    Kind.GONE: OpenAIRefused(
        "openai_gone",
        "{said}. The registration does not exist any more.",
        remedy="Run `ekm register` to register the key anew.",
    ),
    Kind.NOT_FOUND: OpenAIRefused(
        "openai_not_found",
        "{said}. This is none of the texts that mean that a registration is gone, so nothing was "
        "concluded from it.",
        remedy="Check OPENAI_BASE_URL and the id; ask OpenAI with the request id.",
    ),
    Kind.SCOPE_MISSING: OpenAIRefused(
        "openai_scope_missing",
        "{said}",
        remedy="Make a new admin key with api.external_keys.read and .write, and "
        "api.management.read and .write for projects: scopes added later have been seen not to "
        "take effect.",
    ),
    Kind.INVALID_KEY: OpenAIRefused(
        "openai_invalid_key",
        "{said}",
        at_fault="the admin key",
        remedy="Give an admin key (sk-admin-…) that is not revoked; project keys are refused here.",
    ),
    Kind.UNAUTHORIZED: OpenAIRefused(
        "openai_unauthorized",
        "{said}",
        remedy="Read OpenAI's words: they may mean the key, its owner or organization, or where "
        "the call comes from. Give another admin key (sk-admin-…) only if they mean the key.",
    ),
    Kind.IP_NOT_ALLOWED: OpenAIRefused(
        "openai_ip_not_allowed",
        "{said}",
        at_fault="the address that the call comes from",
        remedy="Add it to the IP allowlist in OpenAI's settings (a project's list replaces the "
        "organization's), or call from a listed one. A change acts within 15 minutes.",
    ),
    Kind.CERTIFICATE_NEEDED: OpenAIRefused(
        "openai_certificate_needed",
        "{said}",
        at_fault="the client certificate",
        remedy=CERTIFICATE_REMEDY,
    ),
    Kind.QUOTA: OpenAIRefused(
        "openai_quota",
        "{said}",
        at_fault="the organization's credit or budget at OpenAI",
        remedy="Add credit, or raise the limit in OpenAI's billing settings: waiting does not "
        "help.",
    ),
    Kind.WRONG_HOST: OpenAIRefused(
        "openai_wrong_host",
        "{said}",
        at_fault="OPENAI_BASE_URL",
        remedy="Set OPENAI_BASE_URL to the host of the key's region, for example "
        "https://eu.api.openai.com/v1.",
    ),
    Kind.IN_USE: OpenAIRefused(
        "openai_key_in_use",
        "{said}",
        remedy="Archive or move the projects first; `ekm retire` says how.",
    ),
    Kind.AWS_DENIED: OpenAIRefused("aws_denied", "{said}", remedy=_DIAGNOSE),
    Kind.AWS_KEY_UNUSABLE: OpenAIRefused("aws_key_unusable", "{said}", remedy=_DIAGNOSE),
    Kind.AWS_TRANSIENT: OpenAIRefused("aws_transient", "{said}", remedy=_DIAGNOSE),
    Kind.NOT_VALIDATED: OpenAIRefused(
        "openai_not_validated",
        "{said}. Only the status success means that OpenAI can use the key.",
        remedy="Run `ekm validate` again; ask OpenAI what this status means.",
    ),
    Kind.RATE_LIMITED: OpenAIRefused(
        "openai_rate_limited",
        "{said}",
        remedy="Try again in some minutes, and lower EKM_CALLS_PER_MINUTE.",
    ),
    Kind.REDIRECTED: OpenAIRefused(
        "openai_redirected",
        "{asked} was answered with a redirect (HTTP {status}) {message}. None is followed: the "
        "admin key stays with the host that was named.",
        at_fault="OPENAI_BASE_URL",
        remedy="OpenAI's API redirects nobody. Pass the sign-in page of the network, if one "
        "answers; else set OPENAI_BASE_URL to OpenAI's API itself.",
    ),
    Kind.REFUSED: OpenAIRefused(
        "openai_refused",
        "{said}",
        remedy="Correct what the message names; ask OpenAI with the request id.",
    ),
    Kind.FOREIGN_PAGE: NotReachable(
        "openai_foreign_page",
        "{asked} was not answered by OpenAI's API: HTTP {status} {message}. This call changed "
        "nothing.",
        remedy=_BETWEEN,
    ),
    Kind.AMBIGUOUS: NotReachable(
        "openai_unclear",
        "{said}. Whether it was done is not known.",
        remedy="Run the same command again: it looks before it creates, and adopts.",
    ),
    Kind.UNREACHABLE: NotReachable(
        "openai_not_reachable",
        "{asked} did not reach OpenAI: {message}",
        remedy="Check the network, the proxy and OPENAI_BASE_URL.",
    ),
}
_UNCLEAR_READ: Final = NotReachable(
    "openai_unclear",
    "{said}. This call changed nothing.",
    remedy="Run the same command again; ask OpenAI with the request id if it stays so.",
)


class ApiRefused(OpenAIRefused):
    """OpenAI answered, and nothing was done; `refusal` is what was read."""

    def __init__(
        self, id: str, message: str, *, at_fault: str | None, remedy: str | None, refusal: Refusal
    ) -> None:
        super().__init__(
            id, message, at_fault=at_fault, remedy=remedy, request_id=refusal.request_id
        )
        self.refusal = refusal


class ApiUnclear(NotReachable):
    """No answer that can be read: what was asked may have been done, or not."""

    def __init__(self, id: str, message: str, *, remedy: str | None, refusal: Refusal) -> None:
        super().__init__(id, message, remedy=remedy, request_id=refusal.request_id)
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
    error = _ERRORS[refusal.kind]
    if refusal.kind is Kind.AMBIGUOUS and (asked.startswith("GET ") or asked.endswith("/validate")):
        error = _ERRORS[Kind.FOREIGN_PAGE] if refusal.page else _UNCLEAR_READ
    message = error.message.format(
        said=f"OpenAI answered {asked} with HTTP {refusal.status}: {refusal.message}",
        asked=asked,
        status=refusal.status,
        message=refusal.message,
    )
    at_fault, remedy = _of_this_answer(error, refusal)
    if isinstance(error, NotReachable):
        return ApiUnclear(error.id, message, remedy=remedy, refusal=refusal)
    return ApiRefused(
        error.id, message, at_fault=at_fault or refusal.param, remedy=remedy, refusal=refusal
    )


def _of_this_answer(
    error: OpenAIRefused | NotReachable, refusal: Refusal
) -> tuple[str | None, str | None]:
    """Return what is at fault and what helps, where the answer says more than its kind."""
    at_fault, remedy = error.at_fault, error.remedy
    match refusal.kind:
        case Kind.SCOPE_MISSING if found := MISSING_SCOPES.search(refusal.message):
            at_fault = f"the admin key's scopes: {found[1]}"
        case Kind.UNAUTHORIZED | Kind.REFUSED:
            at_fault, remedy = _AT_FAULT.get(refusal.code or "", (at_fault, remedy))
        case Kind.AWS_DENIED | Kind.AWS_KEY_UNUSABLE | Kind.AWS_TRANSIENT:
            if row := find_error_text(refusal.message):
                at_fault, remedy = row.at_fault, row.remedy
        case Kind.RATE_LIMITED if refusal.retry_after:
            remedy = f"Try again in {refusal.retry_after:.0f} s."
        case Kind.UNREACHABLE:
            remedy = refusal.remedy or remedy
        case Kind.AMBIGUOUS if refusal.page and error is _ERRORS[Kind.AMBIGUOUS]:
            remedy = f"{remedy} {_BETWEEN}"
    return at_fault, remedy
