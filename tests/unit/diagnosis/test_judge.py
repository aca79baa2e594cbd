"""What OpenAI's validation would answer: outcomes in AWS's order, and what could be cured."""

from __future__ import annotations

import pytest

from openai_ekm.diagnosis import judge_assume_role, judge_use
from openai_ekm.snapshot import Snapshot
from tests.constants import ACCOUNT, KEY
from tests.support.judged import (
    ANYTHING,
    ASSUME_DENIED,
    IDENTITY,
    NOTHING,
    STATEMENT,
    Change,
    document,
    good,
    judged,
    lose,
    put,
)


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
