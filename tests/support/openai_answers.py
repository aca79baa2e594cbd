"""What OpenAI answers by cause, and what a command makes of it: one table, for tests and docs.

tests/contract/test_error_table.py gives each answer to the real commands over HTTP, and
tools/docs.py writes the table into docs/errors.md.

Sources: docs/reference/openai-api.md#errors, docs/reference/openai-api.md#denials
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROWS", "SECTIONS", "SHORT", "Answer"]

KEYS = "/organization/external_keys"
KEY = f"{KEYS}/extkey_1"
ROLE_ARN = "arn:aws:iam::111122223333:role/openai-ekm"
KMS_ARN = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"
ALIAS_ARN = "arn:aws:kms:eu-west-1:111122223333:alias/openai"
SECTIONS = {
    "openai": "OpenAI's own answers",
    "documented": "Denials that OpenAI documents",
    "aws": "What else AWS can answer OpenAI",
}


@dataclass(frozen=True)
class Answer:
    """A cause, what is answered on the wire, and how the command that meets it ends.

    Args:
        section: Key of SECTIONS.
        cause: In a few words.
        command: What the user runs.
        call: Method and path of the call that is answered so.
        status: HTTP status; 0 is a connection that cannot be made.
        body: As sent.
        headers: Besides the length.
        id: Of the error; empty where the command succeeds all the same.
        code: Exit code.
        at_fault: As shown; None when nothing is named.
        remedy: As shown.
        message: Must be part of the error's message, besides `text`.
        text: OpenAI's or AWS's words, which the message repeats.
        times: How often it is answered so; 0 for always.
        wait: EKM_WAIT_SECONDS.
    """

    section: str
    cause: str
    command: str
    call: tuple[str, str]
    status: int
    body: bytes
    id: str
    code: int
    remedy: str = ""
    at_fault: str | None = None
    message: str = ""
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 0
    wait: int = 0


def envelope(message: str, *, code: str | None = None, param: str | None = None) -> bytes:
    """The error object of OpenAI's API."""
    error = {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }
    return json.dumps({"error": error}).encode()


def bare(message: str) -> bytes:
    """The second shape: the error is a string."""
    return json.dumps({"error": message}).encode()


LIST, CREATE = ("GET", KEYS), ("POST", KEYS)
GET, DELETE, VALIDATE = ("GET", KEY), ("DELETE", KEY), ("POST", f"{KEY}/validate")

MISSING_SCOPES = (
    "You have insufficient permissions for this operation. Missing scopes: api.management.read. "
    "Check that you have the correct role in your organization (Reader, Writer, Owner) and "
    "project (Member, Owner), and if you're using a restricted API key, that it has the "
    "necessary scopes."
)
IN_USE = (
    "This external key is associated with active projects. Please archive the projects before "
    "deleting the external key."
)
PATTERN = (
    "Invalid 'role_arn': string does not match pattern. Expected a string that matches the "
    "pattern '^arn:aws:iam::\\d{12}:role/.+$'."
)
UNSUPPORTED = "Unsupported endpoint"

ASK_OPENAI = "Correct what the message names; ask OpenAI with the request id."
NEW_SCOPES = (
    "Make a new admin key with api.external_keys.read and .write, and api.management.read and "
    ".write for projects: scopes added later have been seen not to take effect."
)
ADMIN_KEY = "Give an admin key (sk-admin-…) that is not revoked; project keys are refused here."
AGAIN = "Run the same command again: it looks before it creates, and adopts."
SLOWER = "Try again in some minutes, and lower EKM_CALLS_PER_MINUTE."


def own(  # noqa: PLR0917 - the columns of the table
    cause: str,
    command: str,
    call: tuple[str, str],
    status: int,
    words: str,
    id: str,
    remedy: str,
    *,
    body: bytes | None = None,
    code: int = 4,
    error_code: str | None = None,
    at_fault: str | None = None,
    message: str = "",
    headers: Mapping[str, str] | None = None,
    times: int = 0,
) -> Answer:
    """A row of 1.0, in the first shape unless a body is given."""
    sent = envelope(words, code=error_code) if body is None else body
    return Answer(
        "openai", cause, command, call, status, sent, id, code, remedy, at_fault, message, words,
        headers or {}, times,
    )  # fmt: skip


BETWEEN = (
    "Something between this machine and OpenAI answers: a proxy, the sign-in page of a network, or "
    "what guards OpenAI from floods of calls. Look at HTTPS_PROXY and OPENAI_BASE_URL, or call "
    "from another network."
)
READ_ITS_WORDS = (
    "Read OpenAI's words: they may mean the key, its owner or organization, or where the call "
    "comes from. Give another admin key (sk-admin-…) only if they mean the key."
)
CERTIFICATE = (
    "The organization wants a client certificate that it trusts (mutual TLS): set "
    "OPENAI_MTLS_CERT_PATH and OPENAI_MTLS_KEY_PATH to its files, and OPENAI_BASE_URL to "
    "https://mtls.api.openai.com/v1 (Europe: https://mtls-eu.api.openai.com/v1)."
)
_OWN = (
    Answer(
        "openai", "a field fails its check", "register", CREATE, 400,
        envelope(PATTERN, code="invalid_value", param="role_arn"),
        "openai_refused", 4, ASK_OPENAI, "role_arn", text=PATTERN,
    ),
    own("a refusal without an error member", "register", CREATE, 400, "", "openai_refused",
        ASK_OPENAI, body=b"{}", message="(no message, HTTP 400)"),
    own("delete refused: the key is in use", "retire", DELETE, 400, IN_USE, "openai_key_in_use",
        "Archive or move the projects first; `ekm retire` says how."),
    own("wrong or revoked key", "register", LIST, 401, "Incorrect API key provided.",
        "openai_invalid_key", ADMIN_KEY, error_code="invalid_api_key", at_fault="the admin key"),
    own("a 401 whose code says nothing of the key", "register", LIST, 401, "Not authorized.",
        "openai_unauthorized", READ_ITS_WORDS),
    own("the address is not on the IP allowlist", "register", LIST, 401,
        "Your IP address is not authorized to access this resource.", "openai_ip_not_allowed",
        "Add it to the IP allowlist in OpenAI's settings (a project's list replaces the "
        "organization's), or call from a listed one. A change acts within 15 minutes.",
        error_code="ip_not_authorized", at_fault="the address that the call comes from"),
    own("mutual TLS is on, and no certificate was shown", "register", LIST, 401,
        "A client certificate is required for this request.", "openai_certificate_needed",
        CERTIFICATE, at_fault="the client certificate"),
    own("the account of the key was deactivated", "register", LIST, 401,
        "The OpenAI account associated with this API key has been deactivated.",
        "openai_unauthorized",
        "Ask OpenAI why the account was deactivated, or give a key of another owner.",
        error_code="account_deactivated",
        at_fault="the OpenAI account that the admin key belongs to"),
    own("a gateway names another organization", "register", LIST, 401,
        "OpenAI-Organization header should match organization for API key",
        "openai_unauthorized",
        "This program sends no such header: correct the gateway that adds it, or change the key.",
        error_code="mismatched_organization", at_fault="the header OpenAI-Organization"),
    own("the organization has no credit left", "register", LIST, 429,
        "You exceeded your current quota.", "openai_quota",
        "Add credit, or raise the limit in OpenAI's billing settings: waiting does not help.",
        error_code="insufficient_quota",
        at_fault="the organization's credit or budget at OpenAI"),
    own("wrong regional host", "register", LIST, 401, "Wrong host for this key.",
        "openai_wrong_host",
        "Set OPENAI_BASE_URL to the host of the key's region, for example "
        "https://eu.api.openai.com/v1.",
        error_code="incorrect_hostname", at_fault="OPENAI_BASE_URL"),
    own("the admin key lacks a scope (a bare string)", "register", LIST, 403, MISSING_SCOPES,
        "openai_scope_missing", NEW_SCOPES, body=bare(MISSING_SCOPES),
        at_fault="the admin key's scopes: api.management.read"),
    own("the same with 401, as some have seen", "validate", VALIDATE, 401, MISSING_SCOPES,
        "openai_scope_missing", NEW_SCOPES,
        at_fault="the admin key's scopes: api.management.read"),
    own("Enterprise Key Management is not enabled", "register", LIST, 404, UNSUPPORTED,
        "openai_feature_off",
        "Ask your OpenAI account representative to enable it; nothing was changed."),
    own("the same while something is registered", "retire", DELETE, 404, UNSUPPORTED,
        "openai_feature_off",
        "Ask your OpenAI account representative to enable it; nothing was changed."),
    own("the registration is gone (GET's text)", "validate", VALIDATE, 404,
        "The external key extkey_1 was not found", "openai_gone",
        "Run `ekm register` to register the key anew."),
    own("the registration is gone (DELETE's text)", "retire", DELETE, 404,
        "No external key found with id 'extkey_1'", "", "", code=0),
    own("a 404 with any other text", "retire", GET, 404, "Not found", "openai_not_found",
        "Check OPENAI_BASE_URL and the id; ask OpenAI with the request id.",
        message="nothing was concluded from it"),
    own("rate limit with a short Retry-After", "register", LIST, 429, "Slow down.", "", "",
        code=0, headers={"Retry-After": "3"}, times=1),
    own("rate limit with a Retry-After over 120 s", "register", LIST, 429, "Slow down.",
        "openai_rate_limited", "Try again in 600 s.", headers={"Retry-After": "600"}),
    own("rate limit without Retry-After, to the last repeat", "register", LIST, 429,
        "Slow down.", "openai_rate_limited", SLOWER),
    own("fault at OpenAI, on a read, to the last repeat", "register", LIST, 503,
        "The server had an error.", "openai_unclear",
        "Run the same command again; ask OpenAI with the request id if it stays so.", code=5,
        message="This call changed nothing"),
    own("fault at OpenAI, on a create, after looking each time", "register", CREATE, 500,
        "The server had an error.", "openai_unclear", AGAIN, code=5,
        message="Whether it was done is not known"),
    own("a proxy's page", "register", CREATE, 502, "", "openai_unclear", f"{AGAIN} {BETWEEN}",
        code=5, body=b"<html><h1>Bad gateway</h1></html>", message="it begins: “Bad gateway”"),
    own("the sign-in page of a network", "validate", VALIDATE, 200, "",
        "openai_foreign_page", BETWEEN, code=5, body=b"<html>Accept the terms</html>",
        message="it begins: “Accept the terms”"),
    own("a page of what guards OpenAI", "register", LIST, 403, "", "openai_foreign_page", BETWEEN,
        code=5, body=b"<title>Attention Required! | Cloudflare</title>",
        message="“Attention Required!"),
    own("200 with what is not JSON", "validate", VALIDATE, 200, "", "openai_unclear",
        "Run the same command again; ask OpenAI with the request id if it stays so.",
        code=5, body=b"OK", message="not JSON, as OpenAI's API answers; it begins: “OK”"),
    own("validation answers another status than success", "validate", VALIDATE, 200, "",
        "openai_not_validated",
        "Run `ekm validate` again; ask OpenAI what this status means.",
        body=b'{"status": "pending"}', message='status "pending"'),
    own("a redirect to another host", "register", LIST, 302, "", "openai_redirected",
        "OpenAI's API redirects nobody. Pass the sign-in page of the network, if one answers; "
        "else set OPENAI_BASE_URL to OpenAI's API itself.", body=b"",
        at_fault="OPENAI_BASE_URL", message="to 'https://elsewhere.example/'. None is followed",
        headers={"Location": "https://elsewhere.example/"}),
    own("no connection", "register", LIST, 0, "", "openai_not_reachable",
        "Check the network, the proxy and OPENAI_BASE_URL.", body=b"", code=5,
        message="did not reach OpenAI"),
)  # fmt: skip

CALLER = "arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service"
SESSION = "arn:aws:sts::111122223333:assumed-role/openai-ekm/session"
ASSUME = f"User: {CALLER} is not authorized to perform: sts:AssumeRole on resource: {ROLE_ARN}"
ASSUME_FAULT = "the role's trust policy, role_arn or external_id"
ASSUME_REMEDY = (
    "Check that role_arn is spelt right and that its trust policy names OpenAI's role and the "
    "external id of the organization that is encrypted: `ekm diagnose` tells which; a policy "
    "saved minutes ago may still be settling."
)
EITHER = (
    "Allow kms:Encrypt and kms:Decrypt on the key's ARN in the role's policy, and in the key "
    "policy if that does not leave it to the account; a policy saved minutes ago may still be "
    "settling."
)
IDENTITY = (
    "Allow kms:Encrypt and kms:Decrypt on the key's ARN there (an alias's ARN never matches); a "
    "policy saved minutes ago may still be settling."
)
RESOURCE = (
    "Check that kms_arn names the key, its account and its Region; then that the key policy lets "
    "the role use it and denies nothing; a policy saved minutes ago may still be settling."
)
LIFT = (
    "Lift the deny for this role and key; `ekm diagnose` names the statement, and a policy saved "
    "minutes ago may still be settling."
)
NO_KEY = "Correct kms_arn: in that account and Region there is no such key or alias."
ENABLE = "Enable the KMS key (aws kms enable-key)."
CANCEL = (
    "Cancel the key's deletion (aws kms cancel-key-deletion), then enable it (aws kms "
    "enable-key): once the waiting period ends, the data is lost."
)
SYMMETRIC = "Register a symmetric key for ENCRYPT_DECRYPT: a key's type cannot be changed."
STATE = (
    "Bring the key back into use: connect its custom key store, or look at its state with aws kms "
    "describe-key."
)
LATER = "Try again later; an external key store behind the key may be down."


def prefixed(error: str, operation: str, text: str) -> str:
    """A text with what AWS's SDK for Python puts before it."""
    return f"An error occurred ({error}) when calling the {operation} operation: {text}"


def denied(operation: str, tail: str) -> str:
    """A refusal by KMS."""
    return f"User: {SESSION} is not authorized to perform: kms:{operation} {tail}"


def passed_on(  # noqa: PLR0917 - the columns of the table
    section: str,
    cause: str,
    text: str,
    id: str,
    at_fault: str | None,
    remedy: str,
    *,
    command: str = "register",
) -> Answer:
    """A row of 2.3 or 2.4: AWS's words in OpenAI's error object."""
    call = CREATE if command == "register" else VALIDATE
    return Answer(
        section, cause, command, call, 400, envelope(text), id, 4, remedy, at_fault, text=text
    )


_ON_KEY = f"on resource: {KMS_ARN}"
_DOCUMENTED = (
    passed_on("documented", "trust policy without OpenAI's role, or another external id", ASSUME,
              "aws_denied", ASSUME_FAULT, ASSUME_REMEDY),
    passed_on("documented", "trust policy not saved, role_arn misspelt (with an SDK's prefix)",
              prefixed("AccessDenied", "AssumeRole", ASSUME),
              "aws_denied", ASSUME_FAULT, ASSUME_REMEDY, command="validate"),
    Answer("documented", "role made seconds ago: it settles within the wait", "register", CREATE,
           400, envelope(ASSUME), "", 0, text=ASSUME, times=3, wait=120),
    Answer("documented", "role made seconds ago: it does not settle within the wait", "register",
           CREATE, 400, envelope(ASSUME), "wait_deadline", 5,
           "`ekm diagnose` with the same role, key and external id names the statement at fault. "
           "Mend it, then run again (--wait SECONDS).",
           message="could not use the key within 120 s", text=ASSUME, wait=120),
    passed_on("documented", "role's policy lacks Encrypt, or the key policy does not grant it",
              denied("Encrypt", _ON_KEY), "aws_denied",
              "the role's identity policy, or the key policy", EITHER),
    passed_on("documented", "the same for Decrypt", denied("Decrypt", _ON_KEY), "aws_denied",
              "the role's identity policy, or the key policy", EITHER, command="validate"),
)  # fmt: skip

_NO_IDENTITY = f"{_ON_KEY} because no identity-based policy allows the kms:Encrypt action"
_NO_RESOURCE = (
    "on this resource because the resource does not exist in this Region, no resource-based "
    "policies allow access, or a resource-based policy explicitly denies access"
)
_KINDS_OF_DENY = (
    "an identity-based policy",
    "a resource-based policy",
    "a permissions boundary",
    "a service control policy",
    "a session policy",
)
_UNDOCUMENTED = (
    passed_on("aws", "role's policy lacks the action, or names an alias or another key",
              denied("Encrypt", _NO_IDENTITY), "aws_denied", "the role's identity policy",
              IDENTITY),
    passed_on("aws", "permissions boundary does not allow it",
              denied("Encrypt", _NO_IDENTITY.replace("identity-based policy",
                                                     "permissions boundary")),
              "aws_denied", "the permissions boundary",
              "Let it allow kms:Encrypt and kms:Decrypt on the key's ARN; a policy saved minutes "
              "ago may still be settling."),
    passed_on("aws", "wrong key, account or Region, or the key policy gives nothing or denies",
              denied("Encrypt", _NO_RESOURCE), "aws_denied", "kms_arn, or the key policy",
              RESOURCE),
    *(passed_on("aws", f"explicit deny in {kind}",
                denied("Decrypt", f"{_ON_KEY} with an explicit deny in {kind}"),
                "aws_denied", f"the explicit deny in {kind}", LIFT)
      for kind in _KINDS_OF_DENY),
    passed_on("aws", "key gone", f"Key '{KMS_ARN}' does not exist", "aws_denied", "kms_arn",
              NO_KEY),
    passed_on("aws", "alias gone", f"Alias {ALIAS_ARN} is not found.", "aws_denied", "kms_arn",
              NO_KEY),
    passed_on("aws", "key disabled", f"{KMS_ARN} is disabled.", "aws_key_unusable",
              "the KMS key", ENABLE, command="validate"),
    passed_on("aws", "deletion scheduled", f"{KMS_ARN} is pending deletion.",
              "aws_key_unusable", "the KMS key", CANCEL, command="validate"),
    passed_on("aws", "material not imported", f"{KMS_ARN} is pending import.",
              "aws_key_unusable", "the KMS key",
              "Import the key's material, or register another key."),
    passed_on("aws", "custom key store disconnected",
              prefixed("KMSInvalidStateException", "Encrypt", f"{KMS_ARN} is unavailable."),
              "aws_key_unusable", "the KMS key", STATE, command="validate"),
    passed_on("aws", "key for signing or MACs",
              f"{KMS_ARN} key usage is SIGN_VERIFY which is not valid for Encrypt.",
              "aws_key_unusable", "the KMS key", SYMMETRIC),
    passed_on("aws", "key of the wrong algorithm (by the exception's name alone)",
              "InvalidKeyUsageException", "aws_key_unusable", "the KMS key", SYMMETRIC),
    passed_on("aws", "alias moved to another key",
              prefixed("IncorrectKeyException", "Decrypt", "The key ID in the request does not "
                       "identify a CMK that can perform this operation."),
              "aws_key_unusable", "the alias that kms_arn names",
              "Point the alias back to the key that it named before: moving it cuts off what was "
              "encrypted.", command="validate"),
    *(passed_on("aws", f"AWS fails for the moment ({name})", prefixed(name, "Encrypt", "x"),
                "aws_transient", None, LATER, command="validate")
      for name in ("KeyUnavailableException", "DependencyTimeoutException",
                   "KMSInternalException")),
    passed_on("aws", "STS not active in that Region",
              prefixed("RegionDisabledException", "AssumeRole", "STS is not activated in this "
                       "region for account:111122223333."),
              "aws_key_unusable", "the account's settings of STS",
              "Activate STS in that Region for the account (IAM console, account settings)."),
)  # fmt: skip

# How a document shortens what is the same in every row.
SHORT = {CALLER: "arn:…/OpenAI-EKM-Service", SESSION: "arn:…/session", ROLE_ARN: "arn:…:role/…",
         KMS_ARN: "arn:aws:kms:…:key/…", ALIAS_ARN: "arn:aws:kms:…:alias/…"}  # fmt: skip
ROWS = (*_OWN, *_DOCUMENTED, *_UNDOCUMENTED)
