"""`diagnose` warns wherever `prove` finds a claim broken, and nowhere else."""

from __future__ import annotations

import copy
import os
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_ekm.diagnosis import diagnose, patch
from openai_ekm.proof import prove
from openai_ekm.snapshot import Snapshot
from tests.proof.universe import neighbour
from tests.proof.weakenings import weakenings
from tests.support.healthy import healthy, put
from tests.support.proof_sample import OPENAI, snapshot

# `make fuzz` asks for more, at random.
EXAMPLES = int(os.environ.get("EKM_FUZZ_EXAMPLES", "0"))
Json = Any

# What each warning says is broken.
TRUE_OF = {
    "external_id_missing": {"a"},
    "external_id_optional": {"a"},
    "external_id_too_broad": {"a"},
    "principal_wildcard": {"a"},
    "principal_too_broad": {"a"},
    "trust_action_too_broad": {"a"},
    "key_policy_too_broad": {"c"},
    "key_policy_changeable": {"c"},
    "granted_to_others": {"c"},
    "key_deletable": {"f"},
    "key_policy_locked": {"e"},
    "permissions_too_broad": {"b", "c", "f"},
}
# A statement that lets in others lets in the role as well, and is named once.
TOLD_BY = {
    "a": {*(name for name, of in TRUE_OF.items() if "a" in of), "principal_brittle"},
    "b": {*TRUE_OF} - {"key_policy_locked"},
    **{claim: {name for name, of in TRUE_OF.items() if claim in of} for claim in "cef"},
}


def check(body: Json) -> None:
    """Hold the warnings of a snapshot, repaired as its diagnosis says, against its proof."""
    found = diagnose(Snapshot.from_json(body))
    if found.outcome == "policy_malformed":
        return
    repaired = patch.apply(
        Snapshot.from_json(body), [change for fault in found.faults for change in fault.fix]
    )
    ids = {each.id for each in found.warnings}
    broken = {each.id for each in prove(repaired, only="abcef").claims if each.holds is False}
    if prove(repaired, only="d").holds is False:
        broken -= {"b"}  # what OpenAI is refused is a fault, not a warning
    for claim in broken:
        assert ids & {*TOLD_BY[claim], "not_proven"}, (claim, ids, body)
    for name in ids & TRUE_OF.keys():
        assert TRUE_OF[name] & broken, (name, broken, body)


def test_every_weakening_that_breaks_a_claim_is_warned_about() -> None:
    """A statement of the module is loosened, and `diagnose` says ok and nothing else."""
    changed = [after for _, after in weakenings(snapshot())]
    for after in changed if EXAMPLES else changed[::4]:
        check(after)


@settings(
    max_examples=EXAMPLES or 15,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32))
def test_every_broken_claim_is_warned_about_and_no_other(seed: int) -> None:
    """`diagnose` is silent where `prove` finds a reader, or warns of one that it does not find."""
    check(neighbour(Random(seed)))


def _use(principal: Json, **condition: Json) -> Json:
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": ["kms:Encrypt", "kms:Decrypt"],
        "Resource": "*",
        "Condition": condition,
    }


TAG = {"StringEquals": {"aws:PrincipalTag/team": "data"}}
WIDE = {
    "the world over TLS": _use("*", Bool={"aws:SecureTransport": "true"}),
    "an organization": _use("*", StringEquals={"aws:PrincipalOrgID": "o-abcdefghij"}),
    "a tag": _use({"AWS": "*"}, **TAG),
    "the role's name in any account": _use(
        "*", ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/openai-ekm"}
    ),
    "a service": _use({"Service": "logs.eu-west-1.amazonaws.com"}),
    "administrators of an account's SSO": _use(
        {"AWS": "999988887777"},
        ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/aws-reserved/*"},
    ),
}


@pytest.mark.parametrize("name", WIDE)
def test_a_condition_does_not_hide_a_statement_of_the_key_policy(name: str) -> None:
    """A statement that lets in others under a condition is not seen: requests were tried bare."""
    body = healthy()
    body = put(
        body, "keys/0/policy/Statement", [*body["keys"][0]["policy"]["Statement"], WIDE[name]]
    )
    found = diagnose(Snapshot.from_json(body))
    assert found.outcome == "ok"
    assert [(each.id, each.document, each.statement) for each in found.warnings] == [
        ("key_policy_too_broad", "keys[0].policy", 2)
    ]


def test_a_deny_for_strangers_does_not_hide_a_statement() -> None:
    """AWS's default policy and a Deny of calls without TLS: no bare request passes."""
    everything = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{healthy()['customer']['account']}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    deny = {**everything, "Effect": "Deny", "Principal": "*"}
    deny["Condition"] = {"BoolIfExists": {"aws:SecureTransport": "false"}}
    body = put(healthy(), "keys/0/policy/Statement", [everything, deny])
    (warned,) = diagnose(Snapshot.from_json(body)).warnings
    assert (warned.id, warned.statement) == ("key_policy_too_broad", 0)


def test_every_statement_that_lets_in_others_is_named() -> None:
    """One open statement hides the next, whose warning comes when the first is mended."""
    body = healthy()
    more = [*body["keys"][0]["policy"]["Statement"], *WIDE.values()]
    found = diagnose(Snapshot.from_json(put(body, "keys/0/policy/Statement", more)))
    assert {each.statement for each in found.warnings} == set(range(2, 2 + len(WIDE)))


def test_a_second_statement_for_openai_without_the_external_id_is_seen() -> None:
    """OpenAI's other customers come in by another condition, which a request without it lacks."""
    body = healthy()
    other = {
        "Effect": "Allow",
        "Principal": {"AWS": OPENAI},
        "Action": "sts:AssumeRole",
        "Condition": TAG,
    }
    there = body["role"]["trust_policy"]["Statement"]
    found = diagnose(Snapshot.from_json(put(body, "role/trust_policy/Statement", [*there, other])))
    assert found.outcome == "ok"
    assert [(each.id, each.statement) for each in found.warnings] == [("external_id_missing", 1)]


def test_a_policy_that_nobody_can_change_again_is_warned_about() -> None:
    """A key policy without an administrator passes for good: only AWS Support can mend it."""
    body = healthy()
    use = body["keys"][0]["policy"]["Statement"][1]
    found = diagnose(Snapshot.from_json(put(body, "keys/0/policy/Statement", [use])))
    assert found.outcome == "ok"
    assert [each.id for each in found.warnings] == ["key_policy_locked"]


def test_what_was_not_collected_is_a_note_and_no_warning() -> None:
    """An undecided claim is told as a door that stands open."""
    found = diagnose(Snapshot.from_json(put(healthy(), "role/permission_policies", ...)))
    assert "not_proven" not in {each.id for each in found.warnings}
    assert "permission_policies" in found.unseen


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        ({"Effect": "Deny", "Action": "kms:PutKeyPolicy", "Resource": "*"}, "management account"),
        (
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}},
            },
            "own IAM policies",
        ),
    ],
)
def test_a_way_out_that_is_there_is_told(guard: Json, told: str) -> None:
    """Guards against: "AWS Support alone could mend that", of a guardrail on the root user."""
    body = snapshot()
    full = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    body["scps"] = [[{"Version": "2012-10-17", "Statement": [full, guard]}]]
    (locked,) = diagnose(Snapshot.from_json(body)).warnings
    assert (locked.id, told in locked.message) == ("key_policy_locked", True)
    assert "AWS Support" not in locked.message


def test_another_keys_policy_is_warned_about_by_its_own_words() -> None:
    """Guards against: a remedy that leaves the role the use of the other key."""
    body = snapshot()
    other = copy.deepcopy(body["keys"][0]) | {"arn": f"{body['keys'][0]['arn'][:-1]}6"}
    role = {"AWS": body["role"]["arn"]}
    other["policy"]["Statement"].append(
        {"Effect": "Allow", "Principal": role, "Action": "kms:*", "Resource": "*"}
    )
    body["keys"].append(other)
    (warned,) = diagnose(Snapshot.from_json(body)).warnings
    assert (warned.document, warned.element) == ("keys[1].policy", "Principal")
    assert "Take the role out" in warned.remedy


def test_a_claim_that_is_left_open_is_told_once() -> None:
    """Guards against: "does not hold does not hold"."""
    body = snapshot()
    body["role"]["trust_policy"]["Statement"][0]["Condition"] = {
        "StringEquals": {
            "sts:ExternalId": f"${{aws:PrincipalTag/x, '{body['registration']['external_id']}'}}"
        }
    }
    (warned,) = diagnose(Snapshot.from_json(body)).warnings
    assert (warned.id, warned.message.count("does not hold")) == ("not_proven", 1)


def test_what_aws_does_not_carry_out_across_accounts_is_not_said_to_be_done() -> None:
    """Guards against: "others can disable the key", of a call that KMS refuses to them today."""
    body = snapshot()
    body["keys"][0]["policy"]["Statement"].append(
        _use({"AWS": "arn:aws:iam::444455556666:role/q"}) | {"Action": "kms:DisableKey"}
    )
    (warned,) = diagnose(Snapshot.from_json(body)).warnings
    assert warned.id == "key_deletable"
    assert "does not carry out that call from another account" in warned.message


def test_a_fix_of_one_document_changes_no_other() -> None:
    """Two documents that share a part in memory are changed at once."""
    body = healthy()
    shared = body["keys"][0]["policy"]["Statement"][0]["Principal"]
    body["role"]["trust_policy"]["Statement"][0]["Principal"] = shared
    before = Snapshot.from_json(body)
    after = patch.apply(before, [each for fault in diagnose(before).faults for each in fault.fix])
    assert after.as_json()["keys"] == before.as_json()["keys"]
    assert after.as_json()["role"]["trust_policy"] != before.as_json()["role"]["trust_policy"]
