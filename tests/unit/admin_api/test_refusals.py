"""What each answer outside 2xx means."""

from __future__ import annotations

import json

import pytest

from ekm.admin_api.refusals import ApiRefused, ApiUnclear, Kind, as_error, kind_of, read_refusal

ID = "extkey_1"
ASSUME = (
    "User: arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service is "
    "not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/ekm"
)
KEY = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"


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


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_message_a_remedy_and_an_exit_code(kind: Kind) -> None:
    """A kind that nobody wrote words for reaches the user as a bare status."""
    refusal = read_refusal(400, body("the server's words"), request_id="req_1")
    error = as_error(type(refusal)(kind, 400, refusal.message, request_id="req_1"), "GET /x")
    assert isinstance(error, ApiRefused | ApiUnclear)
    assert kind_of(error) is kind
    assert error.remedy
    assert "GET /x" in error.message
    assert error.request_id == "req_1"
    assert error.exit_code == (5 if kind in {Kind.AMBIGUOUS, Kind.UNREACHABLE} else 4)
    if kind is not Kind.REDIRECTED:
        assert "the server's words" in error.message


def test_kind_of_a_foreign_error_is_none() -> None:
    """Any exception is taken for one of OpenAI's answers."""
    assert kind_of(ValueError("x")) is None
