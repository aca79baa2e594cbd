"""From the text that OpenAI passes on to what is at fault, alone and beside a snapshot."""

from __future__ import annotations

import pytest
from faulty import FAULTS
from healthy import ID, KEY, ROLE, healthy, put

from ekm.diagnosis import diagnose, error_text
from ekm.errors import BadInput
from ekm.snapshot import Snapshot

CALLER = "arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service"
ASSUME = f"User: {CALLER} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
SESSION = f"{ROLE.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/s"
ENCRYPT = f"User: {SESSION} is not authorized to perform: kms:Encrypt on resource: {KEY}"
TEXTS = [
    (ASSUME, "assume_role_denied", "trust_policy"),
    (
        f"An error occurred (AccessDenied) when calling the AssumeRole operation: {ASSUME}",
        "assume_role_denied",
        "trust_policy",
    ),
    (ENCRYPT, "encrypt_denied", "permission_policies"),
    (ENCRYPT.replace("Encrypt", "Decrypt"), "decrypt_denied", "permission_policies"),
    (f"RegionDisabledException: {ROLE}", "assume_role_denied", "customer"),
    (f"DisabledException: {KEY} is disabled.", "key_disabled", "keys[0]"),
    ("IncorrectKeyException", "decrypt_denied", "aliases"),
]


@pytest.mark.parametrize(("text", "outcome", "document"), TEXTS)
def test_a_text_is_told_with_the_likeliest_cause_first(
    text: str, outcome: str, document: str
) -> None:
    """A user would be sent to the key for a Region that is switched off."""
    for given in (text, f"  400: {text}\n", text.upper() if "DISABLED" in text.upper() else text):
        found = error_text.read(given, None, None)
        assert found.outcome == outcome
        assert found.causes[0].document.startswith(document)


def test_every_refusal_that_is_judged_reads_back_as_itself() -> None:
    """The words that AWS uses for a fault are taken for those of another."""
    for name, (path, value, *_) in FAULTS.items():
        snapshot = Snapshot.from_json(put(healthy(), path, value))
        judged = diagnose(snapshot)
        if judged.outcome == "policy_malformed":
            continue  # nothing that OpenAI passes on: AWS saves no such document
        alone = error_text.read(judged.message, None, None)
        narrowed = error_text.read(judged.message, judged, snapshot)
        use = {"encrypt_denied", "decrypt_denied", "key_not_found", "wrong_region"}
        same = alone.outcome == judged.outcome or {alone.outcome, judged.outcome} <= use
        assert same, (name, judged.message, alone.outcome)
        assert narrowed.note == "The snapshot shows the cause: see the faults.", name


def test_a_snapshot_that_lets_openai_in_rules_the_trust_policy_out() -> None:
    """Six causes would be told of a refusal that none of them can be."""
    body = put(healthy(), "keys/0/state", "Disabled")
    snapshot = Snapshot.from_json(body)
    found = error_text.read(ASSUME, diagnose(snapshot), snapshot)
    assert [each.document for each in found.causes] == ["role"]
    assert "key_disabled" in found.note
    closed = Snapshot.from_json(put(body, ID, {"StringEquals": {"sts:ExternalId": "org-xyz"}}))
    assert not error_text.read(ASSUME, diagnose(closed), closed).causes


def test_another_text_is_refused() -> None:
    """A text of OpenAI's own would be explained as one of AWS's."""
    for text in ("", "Unsupported endpoint", "This external key is associated with projects."):
        with pytest.raises(BadInput) as refused:
            error_text.read(text, None, None)
        assert refused.value.id == "error_text_unknown"
