"""OpenAI's errors as JSON: two forms, and the exact texts that are known.

Sources: docs/reference/openai-api.md#errors, https://github.com/openai/terraform-provider-openai
(resource_external_key.go and its protocol test, for the texts).
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["INVALID_FIELD", "ApiError", "invalid_pattern", "missing_scope"]

KEY_IN_USE: Final = (
    "This external key is associated with active projects. "
    "Please archive the projects before deleting the external key."
)
UNSUPPORTED_ENDPOINT: Final = "Unsupported endpoint"
SCOPE_TAIL: Final = (
    "Check that you have the correct role in your organization (Reader, Writer, Owner) and "
    "project (Member, Owner), and if you're using a restricted API key, that it has the "
    "necessary scopes."
)
INVALID_FIELD: Final = 400  # status of a field that fails its check


class ApiError(Exception):
    """An error as OpenAI answers it.

    Args:
        status: HTTP status.
        message: The text.
        type: `type` of the envelope.
        param: The field at fault, or `None`.
        code: OpenAI's code, or `None`.
        bare: Answer the second shape, `{"error": "text"}`.
        headers: Further response headers.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        bare: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.bare = bare
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        if self.bare:
            return {"error": self.message}
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


def missing_key() -> ApiError:
    """Return the error for a call without a bearer token."""
    return ApiError(401, "Missing bearer authentication in header")


def invalid_key() -> ApiError:
    """Return the error for a key that is wrong, revoked, or no admin key, without the key."""
    return ApiError(
        401,
        "Incorrect API key provided. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        code="invalid_api_key",
    )


def incorrect_hostname() -> ApiError:
    """Return the error for a credential that belongs to another regional host."""
    return ApiError(
        401,
        "Attempted to access resource with incorrect regional hostname. Please make your "
        "request to the regional host of this organization.",
        code="incorrect_hostname",
    )


def ip_not_authorized(status: int) -> ApiError:
    """Return the error for a call from an address that the IP allowlist does not name."""
    return ApiError(
        status,
        "Your IP address is not authorized to access this resource.",
        code="ip_not_authorized",
    )


def certificate_required(code: str | None) -> ApiError:
    """Return the error for a missing client certificate; text and code are not public."""
    return ApiError(401, "A client certificate is required for this request.", code=code)


def insufficient_quota() -> ApiError:
    """Return the error for an organization without credit or budget: waiting does not help."""
    return ApiError(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        type="insufficient_quota",
        code="insufficient_quota",
    )


def missing_scope(scope: str, *, status: int) -> ApiError:
    """Return the error for an admin key without a scope: the second shape."""
    return ApiError(
        status,
        f"You have insufficient permissions for this operation. Missing scopes: {scope}. "
        f"{SCOPE_TAIL}",
        bare=True,
    )


def unsupported_endpoint() -> ApiError:
    """Return the error for an organization without EKM."""
    return ApiError(404, UNSUPPORTED_ENDPOINT)


def key_not_found(external_key_id: str) -> ApiError:
    """Return the error for GET of a registration that is not there."""
    return ApiError(404, f"The external key {external_key_id} was not found")


def key_to_delete_not_found(external_key_id: str) -> ApiError:
    """Return the error for DELETE of a registration that is not there."""
    return ApiError(404, f"No external key found with id '{external_key_id}'")


def project_not_found(project_id: str) -> ApiError:
    """Return the error for a project that is not there; the text is not public."""
    return ApiError(404, f"The project {project_id} was not found", param="project_id")


def storage_not_found(id: str) -> ApiError:
    """Return the error for an external storage that is not there; the text is not public."""
    return ApiError(404, f"The external storage {id} was not found", param="id")


def invalid_pattern(field: str, pattern: str) -> ApiError:
    """Return the error for a field that does not match its pattern."""
    return ApiError(
        INVALID_FIELD,
        f"Invalid '{field}': string does not match pattern. "
        f"Expected a string that matches the pattern '{pattern}'.",
        param=field,
        code="invalid_value",
    )


def rate_limited(retry_after: int | None) -> ApiError:
    """Return the error for too many requests; the header is absent when the caller must act."""
    headers = {} if retry_after is None else {"Retry-After": str(max(1, retry_after))}
    return ApiError(
        429,
        "Rate limit reached for this endpoint. Please slow down.",
        type="requests",
        code="rate_limit_exceeded",
        headers=headers,
    )


def server_error(status: int) -> ApiError:
    """Return the error for a fault at OpenAI."""
    return ApiError(
        status,
        "The server had an error while processing your request. Sorry about that!",
        type="server_error",
    )
