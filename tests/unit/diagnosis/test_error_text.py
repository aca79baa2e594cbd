"""From the text that OpenAI passes on to what is at fault, alone and beside a snapshot."""

from __future__ import annotations

import json

import pytest

from openai_ekm.diagnosis import diagnose, error_text
from openai_ekm.errors import BadInput
from openai_ekm.openai_api.refusal_errors import as_error
from openai_ekm.openai_api.refusals import read_refusal
from openai_ekm.snapshot import Snapshot
from tests.support.diagnosed import diagnosed_fault
from tests.support.faulty import FAULTS
from tests.support.healthy import ID, KEY, ROLE, healthy, put

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
        found = error_text.read_error_text(given, None, None)
        assert found.outcome == outcome
        assert found.causes[0].document.startswith(document)


@pytest.mark.exhaustive
def test_every_refusal_that_is_judged_reads_back_as_itself() -> None:
    """The words that AWS uses for a fault are taken for those of another."""
    for name in FAULTS:
        snapshot, judged = diagnosed_fault(name)
        if judged.outcome == "policy_malformed":
            continue  # nothing that OpenAI passes on: AWS saves no such document
        alone = error_text.read_error_text(judged.message, None, None)
        narrowed = error_text.read_error_text(judged.message, judged, snapshot)
        use = {"encrypt_denied", "decrypt_denied", "key_not_found", "wrong_region"}
        same = alone.outcome == judged.outcome or {alone.outcome, judged.outcome} <= use
        assert same, (name, judged.message, alone.outcome)
        assert narrowed.note == "The snapshot shows the cause: see the faults.", name


def test_a_snapshot_that_lets_openai_in_rules_the_trust_policy_out() -> None:
    """Six causes would be told of a refusal that none of them can be."""
    body = put(healthy(), "keys/0/state", "Disabled")
    snapshot = Snapshot.from_json(body)
    found = error_text.read_error_text(ASSUME, diagnose(snapshot), snapshot)
    assert [each.document for each in found.causes] == ["role"]
    assert "key_disabled" in found.note
    closed = Snapshot.from_json(put(body, ID, {"StringEquals": {"sts:ExternalId": "org-xyz"}}))
    assert not error_text.read_error_text(ASSUME, diagnose(closed), closed).causes


def test_another_text_is_refused() -> None:
    """A text of OpenAI's own would be explained as one of AWS's."""
    for text in ("", "Unsupported endpoint", "This external key is associated with projects."):
        with pytest.raises(BadInput) as refused:
            error_text.read_error_text(text, None, None)
        assert refused.value.id == "error_text_unknown"


POLICY = "arn:aws:organizations::123456789012:policy/o-abcdefghij/service_control_policy/p-1234abcd"
NAMED = "arn:aws:iam::111122223333:policy/guard"
# AWS's name for a kind of policy -> where a snapshot holds it; nothing where none does.
KINDS = {
    "identity-based policy": "permission_policies",
    "resource-based policy": "keys",
    "permissions boundary": "permissions_boundary",
    "service control policy": "scps",
    "resource control policy": "rcps",
    "session policy": "",
    "VPC endpoint policy": "",
}


@pytest.mark.parametrize("operation", ["Encrypt", "Decrypt"])
@pytest.mark.parametrize("arn", [None, POLICY, NAMED])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("deny", [True, False])
def test_the_kind_of_policy_that_a_text_names_is_the_only_one_blamed(
    deny: bool, kind: str, arn: str | None, operation: str
) -> None:
    """The user would search policies that the text itself says are not at fault."""
    article = "an" if kind.startswith("identity") else "a"
    said = ENCRYPT.replace("Encrypt", operation)
    text = (
        f"{said} with an explicit deny in {article} {kind}"
        if deny
        else f"{said} because no {kind} allows the kms:{operation} action"
    )
    found = error_text.read_error_text(f"{text}: {arn}." if arn else text, None, None)
    assert found.outcome == f"{operation.lower()}_denied"
    assert {each.document.partition("[")[0] for each in found.causes} == {KINDS[kind]}
    if arn is not None and (deny or kind not in {"identity-based policy", "resource-based policy"}):
        (cause,) = found.causes
        assert f"it is {arn}." in cause.message
        assert (POLICY.rpartition("/")[2] if arn == POLICY else NAMED) in cause.check
    if kind in {"session policy", "VPC endpoint policy"} and arn is None:
        assert "OpenAI" in found.meaning
        assert "tell OpenAI" in found.causes[0].check


@pytest.mark.parametrize("kind", [each for each in KINDS if KINDS[each]])
def test_a_fault_of_another_kind_of_policy_is_not_the_cause(kind: str) -> None:
    """The text says that a boundary denies, and the snapshot's SCP would be mended."""
    places = {
        "scps": ("scps", [[{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}]}]]),
        "permission_policies": ("role/permission_policies/0/document/Statement/0/Action",
                                   ["kms:Decrypt"]),
    }  # fmt: skip
    for document, (path, value) in places.items():
        snapshot = Snapshot.from_json(put(healthy(), path, value))
        text = f"{ENCRYPT} with an explicit deny in a {kind}"
        found = error_text.read_error_text(text, diagnose(snapshot), snapshot)
        if KINDS[kind] == document:
            assert found.note == "The snapshot shows the cause: see the faults."
        else:
            assert "another fault" in found.note
            assert {each.document.partition("[")[0] for each in found.causes} == {KINDS[kind]}


@pytest.mark.parametrize(
    ("text", "outcome", "wanted", "kind"),
    [
        (("An error occurred (ThrottlingException) when calling the Decrypt operation (reached max "
         "retries: 4): You have exceeded the rate at which you may call KMS."),
         "key_unavailable", "quota", "aws_transient"),
        ("ThrottlingException: Rate exceeded", "key_unavailable", "quota", "aws_transient"),
        (("An error occurred (AccessDeniedException) when calling the Decrypt operation: The "
         "ciphertext refers to a customer master key that does not exist, does not exist in this "
         "region, or you are not allowed to access."), "decrypt_denied", "alias", "aws_denied"),
        (("An error occurred (UnrecognizedClientException) when calling the Encrypt operation: The "
         "security token included in the request is invalid"), "encrypt_denied", "Region",
         "aws_key_unusable"),
        ("ExpiredTokenException: The security token included in the request is expired",
         "encrypt_denied", "session", "aws_transient"),
        (("An error occurred (ValidationError) when calling the AssumeRole operation: "
         "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
         "chaining"),
         "assume_role_denied", "3600", "aws_key_unusable"),
        ("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
         "assume_role_denied", "maximum session duration", "aws_key_unusable"),
        (("KMSInvalidStateException: the external key store proxy denied the request "
         "(XksProxyAccessDeniedException)"), "key_unavailable", "proxy", "aws_key_unusable"),
        ("An error occurred (AccessDenied) when calling the AssumeRole operation: Access denied",
         "assume_role_denied", "external id", "aws_denied"),
    ],
)  # fmt: skip
def test_a_text_has_one_meaning_for_the_registrar_and_for_the_user(
    text: str, outcome: str, wanted: str, kind: str
) -> None:
    """An apply would wait for what no wait cures, or a user be told that the text is unknown."""
    found = error_text.read_error_text(text, None, None)
    assert found.outcome == outcome
    assert wanted in f"{found.causes[0].message} {found.causes[0].check}"
    body = json.dumps({"error": {"message": text}}).encode()
    refusal = read_refusal(400, body, external_key_id="ek_1")
    assert refusal.kind == kind
    assert as_error(refusal, "POST /x").remedy


def test_the_names_that_a_text_holds_stand_in_the_commands() -> None:
    """The user would have to look for the ARN that stands in the text already."""
    tail = "because the resource does not exist in this Region, no resource-based policies allow"
    found = error_text.read_error_text(
        ENCRYPT.replace("on resource", "x on resource") + f" {tail}", None, None
    )
    region = KEY.split(":")[3]
    assert f"--key-id {KEY} --region {region}" in found.causes[0].check
    found = error_text.read_error_text(ASSUME, None, None)
    assert any("--role-name openai-ekm" in each.check for each in found.causes)


@pytest.mark.parametrize(
    "other",
    [KEY.replace("/1", "/9"), KEY.replace("eu-west-1", "us-east-1"), SESSION.replace("ekm/", "x/")],
)
def test_a_text_about_another_key_or_role_is_not_judged_by_this_snapshot(other: str) -> None:
    """The causes of one registration's refusal would be looked for in another's policies."""
    snapshot = Snapshot.from_json(put(healthy(), "keys/0/state", "Disabled"))
    text = ENCRYPT.replace(SESSION if "sts" in other else KEY, other)
    found = error_text.read_error_text(text, diagnose(snapshot), snapshot)
    assert found.note.startswith(f"The text is about {other}"[:60])
    assert found.causes
