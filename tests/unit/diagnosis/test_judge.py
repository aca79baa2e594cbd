"""What OpenAI's validation would answer: outcomes in order, AWS's words, what could be cured."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ekm.diagnosis import Diagnosis, judge, judge_assume_role, judge_use
from ekm.snapshot import Snapshot

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/openai-ekm"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
ALIAS = f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/openai"
OPENAI = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/openai-ekm/openai-ekm-emulated"
ASSUME_DENIED = (
    "User: arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service "
    f"is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
)
RESOURCE_TAIL = (
    "on this resource because the resource does not exist in this Region, no resource-based "
    "policies allow access, or a resource-based policy explicitly denies access"
)

ANYTHING = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
NOTHING = {"Effect": "Allow", "Principal": {"AWS": OPENAI}, "Action": "sts:TagSession"}

Change = Callable[[dict[str, Any]], object]


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def good() -> dict[str, Any]:
    """A snapshot in which OpenAI can use the key."""
    return {
        "registration": {"role_arn": ROLE, "kms_arn": KEY, "external_id": "org-abc"},
        "role": {
            "arn": ROLE,
            "trust_policy": document(
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": OPENAI},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": ["org-abc"]}},
                }
            ),
            "permission_policies": [
                {
                    "name": "use",
                    "document": document(
                        {
                            "Sid": "AllowEncryptDecrypt",
                            "Effect": "Allow",
                            "Action": ["kms:Decrypt", "kms:Encrypt"],
                            "Resource": KEY,
                        }
                    ),
                }
            ],
            "permissions_boundary": None,
        },
        "keys": [
            {
                "arn": KEY,
                "state": "Enabled",
                "spec": "SYMMETRIC_DEFAULT",
                "usage": "ENCRYPT_DECRYPT",
                "origin": "AWS_KMS",
                "multi_region": None,
                "policy": document(
                    {
                        "Sid": "Use",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                        "Action": ["kms:Encrypt", "kms:Decrypt"],
                        "Resource": "*",
                        "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}},
                    }
                ),
            }
        ],
        "aliases": [{"arn": ALIAS, "target": KEY}],
        "grants": [],
        "scps": [],
        "rcps": [],
        "customer": {"account": ACCOUNT},
    }


def judged(*changes: Change, session_name: str | None = "openai-ekm-emulated") -> Diagnosis:
    """Judge the good snapshot after some changes."""
    snapshot = copy.deepcopy(good())
    for change in changes:
        change(snapshot)
    return judge(Snapshot.from_json(snapshot), session_name=session_name)


def put(path: str, value: Any) -> Change:
    """A change that sets a member, such as `keys.0.state`."""

    def change(snapshot: dict[str, Any]) -> None:
        *steps, last = path.split(".")
        target: Any = snapshot
        for step in steps:
            target = target[int(step)] if isinstance(target, list) else target[step]
        target[last] = value

    return change


def lose(path: str) -> Change:
    """A change that removes a member."""

    def change(snapshot: dict[str, Any]) -> None:
        *steps, last = path.split(".")
        target: Any = snapshot
        for step in steps:
            target = target[int(step)] if isinstance(target, list) else target[step]
        del target[last]

    return change


IDENTITY = "role.permission_policies.0.document"
STATEMENT = f"{IDENTITY}.Statement.0"
DENY_ENCRYPT = {"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}
ENCRYPT_ONLY = document({"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"})


def test_what_is_right_is_ok() -> None:
    """OpenAI's answer to a correct configuration would be a refusal."""
    found = judged()
    assert (found.outcome, found.message, found.error) == ("ok", "", None)
    assert {name: made.allowed for name, made in found.decisions.items()} == {
        "sts:AssumeRole": True,
        "kms:Encrypt": True,
        "kms:Decrypt": True,
    }
    assert found.curable_by_waiting, "nothing that was read refuses, so IAM has not settled"


@pytest.mark.parametrize(
    "change",
    [
        put("registration.external_id", "org-other"),
        put("registration.external_id", "org-abc\n"),
        put("role.arn", f"arn:aws:iam::{ACCOUNT}:role/team/openai-ekm"),
        put("role.trust_policy", document(NOTHING)),
        put("role.trust_policy.Statement.0.Principal", {"AWS": "arn:aws:iam::790389265272:role/X"}),
        put("rcps", [[document({**ANYTHING, "Effect": "Deny"})]]),
    ],
)
def test_every_refusal_of_the_role_reads_the_same(change: Change) -> None:
    """AWS would seem to say why a cross-account AssumeRole is refused."""
    found = judged(change)
    assert (found.outcome, found.message) == ("assume_role_denied", ASSUME_DENIED)
    assert found.error is not None
    assert (found.error.operation, found.error.code) == ("AssumeRole", "AccessDenied")
    assert not found.curable_by_waiting


def test_a_role_that_is_not_there_reads_the_same_and_may_still_come() -> None:
    """A registrar would give up on a role that was made a moment ago."""
    found = judged(put("role", None))
    assert (found.outcome, found.message) == ("assume_role_denied", ASSUME_DENIED)
    assert found.curable_by_waiting


def test_a_customers_scp_never_bears_on_openais_own_call() -> None:
    """A customer would look for the fault in the wrong organization's policies."""
    deny = document({"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"})
    allow = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    assert judged(put("scps", [[allow, deny]])).outcome == "ok"


def test_a_denied_encrypt_names_session_key_and_the_lacking_identity_policy() -> None:
    """The message would point at another session, key, or kind of policy."""
    found = judged(put(f"{STATEMENT}.Action", "kms:Decrypt"))
    assert found.outcome == "encrypt_denied"
    assert found.message == (
        f"User: {SESSION} is not authorized to perform: kms:Encrypt on resource: {KEY} "
        "because no identity-based policy allows the kms:Encrypt action"
    )
    assert found.error is not None
    assert found.error.code == "AccessDeniedException"
    assert found.missing


def test_a_denied_decrypt_comes_after_encrypt() -> None:
    """A key that can encrypt and never decrypt would pass."""
    found = judged(put(f"{STATEMENT}.Action", "kms:Encrypt"))
    assert found.outcome == "decrypt_denied"
    assert "kms:Decrypt" in found.message
    assert judged(put(f"{STATEMENT}.Action", "kms:Sign")).outcome == "encrypt_denied"


def test_an_alias_as_resource_lets_nobody_use_the_key() -> None:
    """The commonest mistake with an alias would pass."""
    found = judged(put(f"{STATEMENT}.Resource", ALIAS), put("registration.kms_arn", ALIAS))
    assert found.outcome == "encrypt_denied"
    assert f"on resource: {KEY} because no identity-based policy" in found.message


@pytest.mark.parametrize(
    ("change", "tail"),
    [
        (put("keys.0.policy.Statement.0.Action", "kms:Sign"), RESOURCE_TAIL),
        (put("keys.0.policy", None), RESOURCE_TAIL),
        (
            put("role.permissions_boundary", document({**DENY_ENCRYPT, "Effect": "Allow"})),
            f"on resource: {KEY} because no permissions boundary allows the kms:Decrypt action",
        ),
        (
            put("scps", [[ENCRYPT_ONLY]]),
            f"on resource: {KEY} because no service control policy allows the kms:Decrypt action",
        ),
        (
            put(f"{IDENTITY}.Statement.0.Effect", "Deny"),
            f"on resource: {KEY} with an explicit deny in an identity-based policy",
        ),
        (
            put("role.permissions_boundary", document(DENY_ENCRYPT)),
            f"on resource: {KEY} with an explicit deny in a permissions boundary",
        ),
        (
            put("keys.0.policy.Statement.0.Effect", "Deny"),
            f"on resource: {KEY} with an explicit deny in a resource-based policy",
        ),
        (
            put("scps", [[document(DENY_ENCRYPT)]]),
            f"on resource: {KEY} with an explicit deny in a service control policy",
        ),
        (
            put("rcps", [[document(ANYTHING, {**DENY_ENCRYPT, "Principal": "*"})]]),
            f"on resource: {KEY} with an explicit deny in a resource control policy",
        ),
    ],
)
def test_the_tail_names_the_kind_of_policy(change: Change, tail: str) -> None:
    """A user would edit the wrong policy."""
    found = judged(change)
    assert found.message.endswith(tail), found.message
    assert found.outcome in {"encrypt_denied", "decrypt_denied"}
    assert not found.curable_by_waiting


def test_across_accounts_the_key_policy_is_not_told_about() -> None:
    """The message would disclose what AWS does not."""
    foreign = KEY.replace(ACCOUNT, "444455556666")
    found = judged(
        put("registration.kms_arn", foreign),
        put("keys.0.arn", foreign),
        put("keys.0.policy.Statement.0.Principal", {"AWS": ROLE}),
        put("keys.0.policy.Statement.0.Effect", "Deny"),
        put(f"{STATEMENT}.Resource", foreign),
    )
    assert found.message.endswith(RESOURCE_TAIL)


def test_the_deciding_statement_is_named_by_snapshot_path() -> None:
    """A user would not find the statement at fault."""
    (found,) = judged(put("keys.0.policy.Statement.0.Effect", "Deny")).deciding
    assert (found.document, found.statement, found.sid, found.effect) == (
        "keys[0].policy",
        0,
        "Use",
        "Deny",
    )
    (found,) = judged(put(f"{STATEMENT}.Effect", "Deny")).deciding
    assert (found.document, found.sid) == ("permission_policies[0]", "AllowEncryptDecrypt")
    (found,) = judged(put("role.trust_policy.Statement.0.Effect", "Deny")).deciding
    assert found.document == "trust_policy"


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


@pytest.mark.parametrize(
    ("change", "operation", "place"),
    [
        (put("role.trust_policy", "{nonsense"), "AssumeRole", "trust_policy"),
        (put("role.trust_policy", document()), "AssumeRole", "trust_policy: Statement"),
        (
            put(IDENTITY, {"Statement": [{"Effect": "Perhaps"}]}),
            "Encrypt",
            "permission_policies[0]",
        ),
        (put("keys.0.policy", "[]"), "Encrypt", "keys[0].policy"),
        (put("role.permissions_boundary", 7), "Encrypt", "permissions_boundary"),
    ],
)
def test_a_malformed_document_comes_before_a_denial(
    change: Change, operation: str, place: str
) -> None:
    """A document that AWS would not have saved would be judged as if it had."""
    found = judged(change)
    assert found.outcome == "policy_malformed"
    assert found.error is not None
    assert found.error.operation == operation
    assert found.message.startswith(place)
    assert not found.curable_by_waiting


def test_the_order_is_awss() -> None:
    """The first thing at fault would hide behind a later one."""
    broken = [
        put("registration.external_id", "org-other"),
        put("registration.kms_arn", "nonsense"),
        put("keys.0.state", "Disabled"),
        put(f"{STATEMENT}.Action", "kms:Sign"),
        put("keys.0.spec", "RSA_3072"),
    ]
    assert judged(*broken).outcome == "assume_role_denied"
    assert judged(*broken[1:]).outcome == "invalid_arn"
    assert judged(*broken[2:]).outcome == "encrypt_denied"
    assert judged(broken[2], broken[4]).outcome == "key_disabled"
    assert judged(broken[4]).outcome == "not_symmetric"


@pytest.mark.parametrize(
    "path",
    ["role", "keys", "role.trust_policy", "role.permission_policies", "keys.0.policy"],
)
def test_what_was_not_seen_is_said_and_may_be_cured_by_waiting(path: str) -> None:
    """A registrar would give up because of something that nobody looked at."""
    found = judged(lose(path))
    assert found.outcome != "ok"
    assert found.curable_by_waiting
    assert any(name.endswith(path.rsplit(".", maxsplit=1)[-1]) for name in found.unseen)


@pytest.mark.parametrize(
    ("calls", "condition", "outcome"),
    [
        ({}, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "encrypt_denied"),
        (
            {"source_ip": "203.0.113.9"},
            {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
            "ok",
        ),
        ({}, {"StringEquals": {"kms:EncryptionContext:a": "b"}}, "encrypt_denied"),
        (
            {"encryption_context": {"a": "b"}},
            {"StringEquals": {"kms:EncryptionContext:a": "b"}},
            "ok",
        ),
        ({}, {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, "encrypt_denied"),
        (
            {"time": "2027-01-01T00:00:00Z"},
            {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}},
            "ok",
        ),
        ({}, {"Bool": {"aws:SecureTransport": "true"}}, "ok"),
        ({"mfa": True}, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "ok"),
        ({}, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "encrypt_denied"),
        ({}, {"StringEquals": {"kms:CallerAccount": ACCOUNT}}, "ok"),
        ({}, {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}, "ok"),
        ({}, {"Bool": {"kms:MultiRegion": "false"}}, "ok"),
        ({}, {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/openai"}}, "ok"),
    ],
)
def test_a_condition_is_met_only_by_what_openais_calls_are_known_to_carry(
    calls: dict[str, Any], condition: dict[str, Any], outcome: str
) -> None:
    """A condition that OpenAI cannot be known to meet would pass."""
    found = judged(put("calls", calls), put(f"{STATEMENT}.Condition", condition))
    assert found.outcome == outcome


def test_a_session_of_no_known_name_is_no_particular_session() -> None:
    """A key policy that names one session would pass by luck."""
    named = put("keys.0.policy.Statement.0.Principal", {"AWS": SESSION})
    bare = put("keys.0.policy.Statement.0.Condition", {})
    assert judged(named, bare).outcome == "ok"
    found = judged(named, bare, session_name=None)
    assert found.outcome == "encrypt_denied"
    assert "assumed-role/openai-ekm/<session>" in found.message


def test_a_role_with_a_path_has_a_session_without_one() -> None:
    """The message would name a session that does not exist."""
    role = ROLE.replace("role/", "role/team/x/")
    changes = [put("role.arn", role), put("registration.role_arn", role)]
    condition = {"ArnEquals": {"aws:PrincipalArn": role}}
    found = judged(*changes, put("keys.0.policy.Statement.0.Condition", condition))
    assert found.outcome == "ok"
    found = judged(*changes, put(f"{STATEMENT}.Action", "kms:Sign"))
    assert f"User: {SESSION} is" in found.message or SESSION in found.message


def test_halves_can_be_judged_alone() -> None:
    """A session that was issued already would be judged by a trust policy it no longer needs."""
    snapshot = good()
    put("role.trust_policy", document(NOTHING))(snapshot)
    found = Snapshot.from_json(snapshot)
    assert judge_use(found).outcome == "ok"
    assert judge_assume_role(found).outcome == "assume_role_denied"
    right = Snapshot.from_json(good())
    assert judge_assume_role(right, external_id=None).outcome == "assume_role_denied"
    assert judge_assume_role(right, external_id="org-abc").outcome == "ok"


def test_a_diagnosis_is_json() -> None:
    """`--json` would fail on a value that is not plain."""
    found = judged(put("keys.0.state", "Disabled"), lose("grants")).as_json()
    assert found["outcome"] == "key_disabled"
    assert found["decisions"]["kms:Encrypt"] == "Allowed"
    assert found["message"] == f"{KEY} is disabled."
    assert "grants" in found["unseen"]
