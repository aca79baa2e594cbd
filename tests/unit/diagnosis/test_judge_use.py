"""Encrypt and Decrypt: AWS's words for each refusal, and what OpenAI's calls carry."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.proof import prove
from tests.constants import ACCOUNT, KEY, ROLE
from tests.support.judged import (
    ALIAS,
    ANYTHING,
    DENY_ENCRYPT,
    ENCRYPT_ONLY,
    IDENTITY,
    RESOURCE_TAIL,
    SESSION,
    STATEMENT,
    Change,
    changed_snapshot,
    document,
    judged,
    put,
)


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
    "change",
    [
        put("keys.0.policy.Statement.0.Effect", "Deny"),
        put(f"{STATEMENT}.Effect", "Deny"),
        put("role.trust_policy.Statement.0.Effect", "Deny"),
    ],
)
def test_diagnosis_and_proof_name_the_deciding_statement_alike(change: Change) -> None:
    """Guards against: two names for one statement, by which a user looks in two places."""
    claim = prove(changed_snapshot(change)).claims[3]
    assert claim.id == "d"
    assert claim.counterexample is not None
    assert claim.counterexample.statements == judged(change).deciding != ()


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
