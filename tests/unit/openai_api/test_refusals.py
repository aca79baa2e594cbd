"""What each answer outside 2xx means."""

from __future__ import annotations

import json

import pytest

from openai_ekm.openai_api.refusals import Kind, read_refusal
from openai_ekm.openai_api.retry import SAFE, delay
from tests.constants import KEY

ID = "extkey_1"
ASSUME = (
    "User: arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service is "
    "not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/ekm"
)


def body(message: str, code: str | None = None) -> bytes:
    """The error object."""
    return json.dumps(
        {"error": {"message": message, "type": "x", "param": None, "code": code}}
    ).encode()


CAUSES = {
    "feature_off": (404, body("Unsupported endpoint"), Kind.FEATURE_OFF),
    "gone_on_get": (404, body("The external key extkey_1 was not found"), Kind.GONE),
    "gone_on_delete": (404, body("No external key found with id 'extkey_1'"), Kind.GONE),
    "another_key_gone": (404, body("The external key extkey_2 was not found"), Kind.NOT_FOUND),
    "gone_with_a_full_stop": (
        404,
        body("The external key extkey_1 was not found."),
        Kind.NOT_FOUND,
    ),
    "feature_off_in_other_words": (404, body("Unsupported endpoint!"), Kind.NOT_FOUND),
    "404_without_body": (404, b"", Kind.NOT_FOUND),
    "gone_text_with_another_status": (
        400,
        body("The external key extkey_1 was not found"),
        Kind.REFUSED,
    ),
    "scope_missing_403_bare": (
        403,
        json.dumps(
            {"error": "You have insufficient permissions. Missing scopes: a.b.read."}
        ).encode(),
        Kind.SCOPE_MISSING,
    ),
    "scope_missing_401_object": (
        401,
        body("Missing scopes: api.management.read"),
        Kind.SCOPE_MISSING,
    ),
    "invalid_key": (401, body("Incorrect API key", "invalid_api_key"), Kind.INVALID_KEY),
    "unauthorized": (401, body("bad key"), Kind.UNAUTHORIZED),
    "unauthorized_number_as_code": (
        401,
        b'{"error": {"message": "bad key", "code": 401}}',
        Kind.UNAUTHORIZED,
    ),
    "unauthorized_without_body": (401, b"", Kind.UNAUTHORIZED),
    "ip_401": (401, body("Your IP address …", "ip_not_authorized"), Kind.IP_NOT_ALLOWED),
    "ip_403": (403, body("Your IP address …", "ip_not_authorized"), Kind.IP_NOT_ALLOWED),
    "certificate_by_code": (401, body("no", "mtls_certificate_required"), Kind.CERTIFICATE_NEEDED),
    "certificate_by_words": (
        403,
        body("A client certificate is required for this request."),
        Kind.CERTIFICATE_NEEDED,
    ),
    "other_organization": (401, body("…", "mismatched_organization"), Kind.UNAUTHORIZED),
    "deactivated": (401, body("…", "account_deactivated"), Kind.UNAUTHORIZED),
    "country": (403, body("…", "unsupported_country_region_territory"), Kind.REFUSED),
    "quota": (429, body("You exceeded …", "insufficient_quota"), Kind.QUOTA),
    "quota_by_type": (
        429,
        b'{"error": {"message": "x", "type": "insufficient_quota", "code": null}}',
        Kind.QUOTA,
    ),
    "quota_without_429": (403, body("x", "billing_hard_limit_reached"), Kind.QUOTA),
    "page_403": (403, b"<!DOCTYPE html><title>Attention Required!</title>", Kind.FOREIGN_PAGE),
    "page_401": (401, b"<html>sign in</html>", Kind.FOREIGN_PAGE),
    "page_404": (404, b" \n<html>not here</html>", Kind.FOREIGN_PAGE),
    "page_429": (429, b"<html>error 1015</html>", Kind.RATE_LIMITED),
    "page_520": (520, b"<html>error code: 520</html>", Kind.AMBIGUOUS),
    "page_200": (200, b"<html>please accept</html>", Kind.AMBIGUOUS),
    "wrong_host": (401, body("no", "incorrect_hostname"), Kind.WRONG_HOST),
    "in_use": (
        400,
        body(
            "This external key is associated with active projects. Please archive the projects "
            "before deleting the external key."
        ),
        Kind.IN_USE,
    ),
    "assume_role_denied": (400, body(ASSUME), Kind.AWS_DENIED),
    "assume_role_denied_with_sdk_prefix": (
        403,
        body(f"An error occurred (AccessDenied) when calling the AssumeRole operation: {ASSUME}"),
        Kind.AWS_DENIED,
    ),
    "encrypt_denied": (
        400,
        body(
            "User: arn:aws:sts::111122223333:assumed-role/ekm/s is not authorized to perform: "
            f"kms:Encrypt on resource: {KEY} because no identity-based policy allows the "
            "kms:Encrypt action"
        ),
        Kind.AWS_DENIED,
    ),
    "key_not_found": (400, body(f"Key '{KEY}' does not exist"), Kind.AWS_DENIED),
    "alias_not_found": (400, body("Alias arn:aws:kms:x:1:alias/y is not found."), Kind.AWS_DENIED),
    "key_disabled": (400, body(f"{KEY} is disabled."), Kind.AWS_KEY_UNUSABLE),
    "key_pending_deletion": (400, body(f"{KEY} is pending deletion."), Kind.AWS_KEY_UNUSABLE),
    "wrong_usage": (400, body("InvalidKeyUsageException: x"), Kind.AWS_KEY_UNUSABLE),
    "kms_unavailable": (400, body("KeyUnavailableException"), Kind.AWS_TRANSIENT),
    "limited": (429, b"", Kind.RATE_LIMITED),
    "limited_bare": (429, b'{"error": "slow down"}', Kind.RATE_LIMITED),
    "bad_field": (400, body("Invalid 'role_arn': string does not match pattern."), Kind.REFUSED),
    "server_error": (500, body("oops"), Kind.AMBIGUOUS),
    "server_error_with_aws_words": (502, body(ASSUME), Kind.AMBIGUOUS),
    "html": (502, b"<html>", Kind.AMBIGUOUS),
    "request_timeout": (408, b"", Kind.AMBIGUOUS),
    "redirect": (302, b"", Kind.REDIRECTED),
    "error_null": (400, b'{"error": null}', Kind.REFUSED),
    "error_absent": (400, b'{"message": "no"}', Kind.REFUSED),
    "error_number": (400, b'{"error": 3}', Kind.REFUSED),
    "body_list": (400, b"[]", Kind.REFUSED),
    "body_not_utf8": (400, b"\xff\xfe", Kind.REFUSED),
}


@pytest.mark.parametrize(("status", "content", "kind"), CAUSES.values(), ids=CAUSES)
def test_cause_is_told_from_every_other(status: int, content: bytes, kind: Kind) -> None:
    """An answer is taken for another: a live registration dropped, or a denial waited for."""
    assert read_refusal(status, content, external_key_id=ID).kind is kind


WAITING_HELPS = {"limited", "limited_bare", "page_429", "server_error", "page_520", "html"}
WAITING_IS_VAIN = {
    "quota",
    "quota_by_type",
    "page_200",
    "page_403",
    "ip_401",
    "certificate_by_code",
}


@pytest.mark.parametrize("cause", sorted(WAITING_HELPS | WAITING_IS_VAIN))
def test_a_call_is_repeated_where_waiting_can_help(cause: str) -> None:
    """Guards against: minutes of repeats against a quota or a sign-in page."""
    refusal = read_refusal(*CAUSES[cause][:2])
    assert (delay(SAFE, refusal, 1, 0.0) is not None) is (cause in WAITING_HELPS)


def test_texts_of_openai_are_kept_short_and_in_their_form() -> None:
    """Guards against: 20 kB of message in a state or a ticket; a code that forges a line."""
    long = json.dumps(
        {"error": {"message": "x\ud83d" * 20_000, "code": "a\nremedy: b", "param": "p" * 500}}
    ).encode()
    refusal = read_refusal(400, long)
    assert len(refusal.message) < 3000
    refusal.message.encode()
    assert (refusal.code, refusal.param) == (None, None)
