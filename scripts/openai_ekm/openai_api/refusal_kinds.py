"""Why a call to OpenAI did not succeed, as far as it decides what to do next."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Kind"]


class Kind(StrEnum):
    """The reason why a call did not succeed, as far as it decides what to do next."""

    FEATURE_OFF = "feature_off"
    GONE = "gone"
    NOT_FOUND = "not_found"
    SCOPE_MISSING = "scope_missing"
    INVALID_KEY = "invalid_key"
    UNAUTHORIZED = "unauthorized"
    IP_NOT_ALLOWED = "ip_not_allowed"
    CERTIFICATE_NEEDED = "certificate_needed"
    QUOTA = "quota"
    WRONG_HOST = "wrong_host"
    IN_USE = "in_use"
    AWS_DENIED = "aws_denied"
    AWS_KEY_UNUSABLE = "aws_key_unusable"
    AWS_TRANSIENT = "aws_transient"
    NOT_VALIDATED = "not_validated"
    RATE_LIMITED = "rate_limited"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    FOREIGN_PAGE = "foreign_page"
    AMBIGUOUS = "ambiguous"
    UNREACHABLE = "unreachable"
