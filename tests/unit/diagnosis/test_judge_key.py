"""The key: its ARN, whether it is there, its state and its type."""

from __future__ import annotations

import pytest

from tests.constants import ACCOUNT, KEY
from tests.support.judged import ALIAS, STATEMENT, Change, judged, put


@pytest.mark.parametrize(
    ("state", "outcome", "code", "message"),
    [
        ("Disabled", "key_disabled", "DisabledException", f"{KEY} is disabled."),
        (
            "PendingDeletion",
            "key_pending_deletion",
            "KMSInvalidStateException",
            f"{KEY} is pending deletion.",
        ),
        (
            "PendingReplicaDeletion",
            "key_pending_deletion",
            "KMSInvalidStateException",
            f"{KEY} is pending replica deletion.",
        ),
        (
            "PendingImport",
            "key_pending_import",
            "KMSInvalidStateException",
            f"{KEY} is pending import.",
        ),
        ("Unavailable", "key_unavailable", "KMSInvalidStateException", f"{KEY} is unavailable."),
        ("Hibernating", "key_unavailable", "KMSInvalidStateException", f"{KEY} is Hibernating."),
    ],
)
def test_a_key_state_refuses_in_awss_words(
    state: str, outcome: str, code: str, message: str
) -> None:
    """A disabled or doomed key would pass."""
    found = judged(put("keys.0.state", state))
    assert (found.outcome, found.message) == (outcome, message)
    assert found.error is not None
    assert found.error.code == code
    assert not found.curable_by_waiting


def test_a_key_being_made_will_be_there_and_one_being_updated_is() -> None:
    """A registrar would give up on a key that only needs a moment."""
    assert judged(put("keys.0.state", "Creating")).curable_by_waiting
    assert judged(put("keys.0.state", "Updating")).outcome == "ok"


@pytest.mark.parametrize(
    "changes",
    [
        [put("keys.0.usage", "SIGN_VERIFY"), put("keys.0.spec", "RSA_2048")],
        [put("keys.0.spec", "RSA_3072")],
        [put("keys.0.usage", "GENERATE_VERIFY_MAC"), put("keys.0.spec", "HMAC_256")],
    ],
)
def test_only_a_symmetric_encryption_key_will_do(changes: list[Change]) -> None:
    """LocalStack encrypts with an RSA key where AWS refuses."""
    found = judged(*changes)
    assert found.outcome == "not_symmetric"
    assert found.error is not None
    assert found.error.code == "InvalidKeyUsageException"


@pytest.mark.parametrize(
    "kms_arn",
    [
        "",
        "key/11111111-2222-3333-4444-555555555555",
        KEY.replace("arn:aws:", "arn:aws-us-gov:"),
        f"{KEY}\n",
        KEY.replace(ACCOUNT, "1234"),
        KEY.replace(ACCOUNT, "١١١١٢٢٢٢٣٣٣٣"),
        KEY.replace("/1", "/X"),
    ],
)
def test_a_kms_arn_of_another_form_is_said_so(kms_arn: str) -> None:
    """A misspelt ARN would read as a key that is gone."""
    found = judged(put("registration.kms_arn", kms_arn))
    assert found.outcome == "invalid_arn"


def test_a_key_that_was_not_found() -> None:
    """A user would not learn which key is missing."""
    found = judged(put("keys", []))
    assert (found.outcome, found.message) == ("key_not_found", f"Key '{KEY}' does not exist")
    assert not found.curable_by_waiting
    gone = f"{ALIAS}-gone"
    found = judged(put("registration.kms_arn", gone))
    assert (found.outcome, found.message) == ("key_not_found", f"Alias {gone} is not found.")


def test_a_key_of_another_region() -> None:
    """A user would look for a deleted key and not at the Region."""
    there = KEY.replace("eu-west-1", "us-east-1")
    assert judged(put("registration.kms_arn", there)).outcome == "wrong_region"


def test_an_alias_leads_to_its_key() -> None:
    """A registered alias would never work."""
    assert judged(put("registration.kms_arn", ALIAS)).outcome == "ok"
    condition = {"StringEquals": {"kms:RequestAlias": "alias/openai"}}
    tied = put(f"{STATEMENT}.Condition", condition)
    assert judged(tied, put("registration.kms_arn", ALIAS)).outcome == "ok"
    assert judged(tied).outcome == "encrypt_denied"
