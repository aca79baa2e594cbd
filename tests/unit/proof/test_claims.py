"""Each claim on the module's documents, and on one change away from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.proof_sample import (
    ACCOUNT,
    ADMINISTRATOR,
    DELEGATE_ALL,
    KEY,
    OPENAI,
    PROTECT,
    ROLE,
    ROOT,
    TRUST,
    document,
    failing,
    proven,
    snapshot,
)

OTHER = "arn:aws:iam::444455556666:root"
Change = Callable[[dict[str, Any]], object]


def _trust(statement: dict[str, Any]) -> Change:
    def change(found: dict[str, Any]) -> None:
        found["role"]["trust_policy"]["Statement"].append({"Effect": "Allow", **statement})

    return change


def _key(statement: dict[str, Any]) -> Change:
    def change(found: dict[str, Any]) -> None:
        allow = {"Effect": "Allow", "Resource": "*", **statement}
        found["keys"][0]["policy"]["Statement"].append(allow)

    return change


def _identity(statement: dict[str, Any]) -> Change:
    def change(found: dict[str, Any]) -> None:
        policy = found["role"]["permission_policies"][0]["document"]
        policy["Statement"].append({"Effect": "Allow", "Resource": "*", **statement})

    return change


def _grant(grantee: str, operations: list[str]) -> Change:
    grant = {"grantee_principal": grantee, "operations": operations, "key_arn": KEY}
    return lambda found: found["grants"].append(grant)


ID = {"sts:ExternalId": "org-abc123"}
FAILURES: list[tuple[str, Change, set[str]]] = [
    (
        "a condition on a key whose name only looks like AWS's: it has KELVIN SIGN",
        _key(
            {
                "Principal": {"AWS": OTHER},
                "Action": "kms:Decrypt",
                "Condition": {"StringEquals": {"\u212ams:CallerAccount": ACCOUNT}},
            }
        ),
        {"c"},
    ),
    (
        "a Deny that rests on such a key",
        lambda found: (
            _key({"Principal": {"AWS": OTHER}, "Action": "kms:Decrypt"})(found),
            _key(
                {
                    "Effect": "Deny",
                    "Principal": {"AWS": OTHER},
                    "Action": "kms:Decrypt",
                    "Condition": {"StringNotEquals": {"\u212ams:ViaService": "x"}},
                }
            )(found),
        ),
        {"c"},
    ),
    (
        "an ARN pattern that what is no ARN may pass",
        _key(
            {
                "Principal": {"AWS": OTHER},
                "Action": "kms:Decrypt",
                "Condition": {
                    "ArnNotLike": {"aws:SourceArn": "arn:*:*:*:*:*"},
                    "Null": {"aws:SourceArn": "false"},
                },
            }
        ),
        {"c"},
    ),
    (
        "an ARN that names no resource",
        _identity({"Action": "kms:Decrypt", "Resource": f"arn:aws:kms:eu-north-1:{ACCOUNT}:"}),
        {"b"},
    ),
    (
        "an external id of any case",
        _trust(
            {
                "Principal": {"AWS": OPENAI},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEqualsIgnoreCase": ID},
            }
        ),
        {"a"},
    ),
    (
        "an external id that may be missing",
        _trust(
            {
                "Principal": {"AWS": OPENAI},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEqualsIfExists": ID},
            }
        ),
        {"a"},
    ),
    (
        "a set operator, which a missing id passes",
        _trust(
            {
                "Principal": {"AWS": OPENAI},
                "Action": "sts:AssumeRole",
                "Condition": {"ForAllValues:StringEquals": ID},
            }
        ),
        {"a"},
    ),
    (
        "a wildcard in the external id",
        _trust(
            {
                "Principal": {"AWS": OPENAI},
                "Action": "sts:AssumeRole",
                "Condition": {"StringLike": {"sts:ExternalId": "org-abc123*"}},
            }
        ),
        {"a"},
    ),
    (
        "another action of OpenAI's role",
        _trust(
            {
                "Principal": {"AWS": OPENAI},
                "Action": "sts:TagSession",
                "Condition": {"StringEquals": ID},
            }
        ),
        {"a"},
    ),
    (
        "all of OpenAI's account",
        _trust(
            {
                "Principal": {"AWS": "790389265272"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": ID},
            }
        ),
        {"a"},
    ),
    (
        "everyone, narrowed to names like OpenAI's",
        _trust(
            {
                "Principal": "*",
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": ID, "ArnLike": {"aws:PrincipalArn": f"{OPENAI}*"}},
            }
        ),
        {"a"},
    ),
    (
        "a web identity",
        _trust(
            {
                "Principal": {"Federated": "accounts.google.com"},
                "Action": "sts:AssumeRoleWithWebIdentity",
            }
        ),
        {"a"},
    ),
    ("one more action", _identity({"Action": "kms:DescribeKey"}), {"b"}),
    ("encryption with any key", _identity({"Action": "kms:Encrypt"}), {"b"}),
    ("another service", _identity({"Action": "s3:GetObject"}), {"b"}),
    ("an action that does not exist yet", _identity({"Action": "kms:Decrypt?"}), {"b"}),
    ("a list of keys", _identity({"Action": "kms:ListKeys"}), {"b"}),
    (
        "a list of keys, by all that is KMS's in the account",
        _identity({"Action": "kms:ListKeys", "Resource": f"arn:aws:kms:*:{ACCOUNT}:*"}),
        {"b"},
    ),
    (
        "a list of keys, by all that is KMS's in one Region",
        _identity({"Action": "kms:ListKeys", "Resource": f"arn:aws:kms:eu-west-1:{ACCOUNT}:*"}),
        {"b"},
    ),
    ("everything but", _identity({"NotAction": "kms:*"}), {"b"}),
    (
        "a colleague who decrypts",
        _key({"Principal": {"AWS": ROOT}, "Action": "kms:Decrypt"}),
        {"c"},
    ),
    ("a colleague who grants", _key({"Principal": {"AWS": ROOT}, "Action": "kms:Create*"}), {"c"}),
    ("a foreign account", _key({"Principal": {"AWS": OTHER}, "Action": "kms:Encrypt"}), {"c"}),
    (
        "a service",
        _key({"Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:Decrypt"}),
        {"c"},
    ),
    (
        "a foreign account that changes the policy",
        _key({"Principal": {"AWS": OTHER}, "Action": "kms:PutKeyPolicy"}),
        {"c"},
    ),
    (
        "a foreign account that disables the key",
        _key({"Principal": {"AWS": OTHER}, "Action": "kms:DisableKey"}),
        {"f"},
    ),
    ("a grant to a colleague", _grant(ADMINISTRATOR, ["Decrypt"]), {"c"}),
    ("a grant to a service", _grant("dynamodb.amazonaws.com", ["Decrypt"]), {"c"}),
    ("a grant to the role", _grant(ROLE, ["Encrypt", "Decrypt"]), set()),
    ("another grant to the role", _grant(ROLE, ["GenerateDataKey"]), {"b"}),
    (
        "the id of somebody deleted",
        _key({"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}, "Action": "kms:Decrypt"}),
        {"c"},
    ),
]


@pytest.mark.parametrize(
    ("change", "expected"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES]
)
def test_a_change_breaks_the_claims_that_it_breaks(change: Change, expected: set[str]) -> None:
    """A way to the key that a claim forbids is proven not to exist, or a harmless one is not."""
    found = snapshot()
    change(found)
    proof = proven(found)
    assert {claim.id for claim in proof.claims if not claim.holds} == expected
    for claim in proof.claims:
        assert claim.holds or not str(claim.message).startswith("this is a defect")
        assert claim.holds or "None" not in str(claim.message)


def test_the_default_mode_holds() -> None:
    """The module's own documents are said to be unsafe."""
    proof = proven(snapshot())
    assert proof.holds
    assert all(claim.classes for claim in proof.claims)


def test_root_delegation_fails_c_alone() -> None:
    """The mode whose description warns of it is called least privilege, or wholly broken."""
    found = snapshot()
    found["keys"][0]["policy"] = document(DELEGATE_ALL, PROTECT)
    assert failing(found) == {"c"}


def test_named_administrators_hold_and_others_do_not_pass_for_them() -> None:
    """A named administrator counts as an outsider, or everybody of the account as one of them."""
    found = snapshot()
    statements = found["keys"][0]["policy"]["Statement"]
    statements[0]["Principal"]["AWS"] = [ADMINISTRATOR]
    assert failing(found) == set()
    found["administrators"] = [f"arn:aws:iam::{ACCOUNT}:user/somebody"]
    assert failing(found) == {"c", "e", "f"}


def test_the_caller_must_keep_the_policy() -> None:
    """Somebody applies a policy that locks them out, and the proof says nothing."""
    found = snapshot()
    found["caller"] = ADMINISTRATOR
    assert failing(found) == {"e"}
    found["keys"][0]["policy"]["Statement"][0]["Principal"]["AWS"].append(ADMINISTRATOR)
    assert failing(found) == set()


def test_an_expiry_fails_d_unless_the_time_is_said() -> None:
    """Data become unreadable on a date that nobody was told of."""
    found = snapshot()
    condition = found["role"]["trust_policy"]["Statement"][0]["Condition"]
    condition["DateLessThan"] = {"aws:CurrentTime": "2030-01-01T00:00:00Z"}
    claim = next(each for each in proven(found).claims if each.id == "d")
    assert not claim.holds
    assert claim.counterexample is not None
    assert str(claim.counterexample.request.context["aws:CurrentTime"]) >= "2030-01-01T00:00:00Z"
    found["calls"] = {"time": "2029-12-31T00:00:00Z"}
    assert failing(found) == set()


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("trust_policy", {"Statement": "no"}, {"a", "b", "d"}),
        ("permission_policies", [{"name": "x", "document": {}}], {"b", "c", "d", "f"}),
    ],
)
def test_a_malformed_document_fails_what_rests_on_it(
    path: str, value: object, expected: set[str]
) -> None:
    """A document that could not be read counts as one that allows nothing."""
    found = snapshot()
    found["role"][path] = value
    assert failing(found) == expected


def test_what_was_not_collected_is_never_guessed() -> None:
    """A snapshot without the key's policy is proven safe."""
    found = snapshot()
    del found["keys"][0]["policy"]
    proof = proven(found)
    assert {claim.id for claim in proof.claims if claim.holds} == {"a"}
    assert "keys[0].policy" in proof.unseen


def test_an_open_point_counts_against_the_claim_whichever_way_it_lies() -> None:
    """A Deny that AWS's documents leave open protects a key, or hides that OpenAI is refused."""
    found = snapshot()
    statements = found["keys"][0]["policy"]["Statement"]
    # AWS does not say what Null makes of a text that is neither true nor false.
    left_open = {"Null": {"aws:SecureTransport": "perhaps"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:*crypt", "Resource": "*"}
    statements.append({**deny, "Condition": left_open})
    assert failing(found) == {"b", "d"}
    statements.append({**DELEGATE_ALL, "Action": "kms:Decrypt"})
    assert failing(found) == {"b", "c", "d"}
    proof = proven(found)
    assert any("aws:SecureTransport" in each for each in proof.assumed)


def test_a_service_linked_role_escapes_guardrails_and_a_named_session_is_a_class() -> None:
    """A class of principals that only some documents tell apart is left out."""
    found = snapshot()
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {**everything, "Effect": "Deny", "Action": "kms:Decrypt"}
    found["scps"] = [[document(everything, deny)]]
    statements = found["keys"][0]["policy"]["Statement"]
    statements.append({**DELEGATE_ALL, "Action": "kms:Decrypt"})
    (claim,) = [each for each in proven(found).claims if each.id == "c"]
    assert claim.counterexample is not None
    assert ":role/aws-service-role/" in claim.counterexample.request.principal
    named = snapshot()
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/q/s"
    statement = {**DELEGATE_ALL, "Action": "kms:Decrypt", "Principal": {"AWS": session}}
    named["keys"][0]["policy"]["Statement"].append(statement)
    (claim,) = [each for each in proven(named).claims if each.id == "c"]
    assert claim.counterexample is not None
    assert claim.counterexample.request.principal == session


def test_a_resource_control_policy_stands_against_everybody() -> None:
    """What an organization denies counts as allowed."""
    found = snapshot()
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    deny = {**full, "Effect": "Deny", "Action": "kms:*crypt"}
    found["keys"][0]["policy"]["Statement"].append({**DELEGATE_ALL, "Action": "kms:Decrypt"})
    assert failing(found) == {"c"}
    found["rcps"] = [[document(full), document(deny)]]
    claims = {each.id: each for each in proven(found).claims}
    shown = claims["c"].counterexample
    assert shown is None or ":role/aws-service-role/" in shown.request.principal
    assert not claims["d"].holds


def test_an_action_of_sts_to_come_counts_as_passing() -> None:
    """A wildcard in the trust policy opens a door that AWS has yet to build."""
    found = snapshot()
    statement = {**TRUST, "Action": "sts:AssumeRoleWithTomorrow*"}
    found["role"]["trust_policy"]["Statement"].append({**statement, "Sid": "Tomorrow"})
    assert failing(found) == {"a"}


def test_a_value_that_is_an_arn_stands_beside_one_that_is_none() -> None:
    """What is no ARN is open, and stands for every other ARN: the counterexample is unsure."""
    found = snapshot()
    key, pattern = "aws:SourceArn", "arn:aws:sqs:*:*:*"
    block = {"ArnNotLike": {key: pattern}, "Null": {key: "false"}}
    _key({"Principal": {"AWS": OTHER}, "Action": "kms:Decrypt", "Condition": block})(found)
    claim = next(each for each in proven(found).claims if each.id == "c")
    assert str(claim.message).endswith(f" is allowed kms:Decrypt on {KEY}")


def test_the_smallest_request_is_shown() -> None:
    """The smallest witness is not the smallest: it carries keys that nobody asked for."""
    found = snapshot()
    found["role"]["trust_policy"] = document(
        {**TRUST, "Condition": {"StringLike": {"sts:ExternalId": "org-*"}}}
    )
    claim = next(each for each in proven(found).claims if each.id == "a")
    assert claim.counterexample is not None
    assert dict(claim.counterexample.request.context) == {"sts:ExternalId": "org-"}
    assert claim.counterexample.statements[0].document == "trust_policy"


def test_a_principal_that_no_document_names_is_called_an_example() -> None:
    """Somebody looks for a role that the proof made up, and takes the finding for wrong."""
    found = snapshot()
    _key({"Principal": {"AWS": OTHER}, "Action": "kms:Decrypt"})(found)
    named = next(each for each in proven(found).claims if each.id == "c")
    assert str(named.message).startswith(f"{OTHER} is allowed")
    found = snapshot()
    _key({"Principal": "*", "Action": "kms:Decrypt"})(found)
    anybody = next(each for each in proven(found).claims if each.id == "c")
    assert str(anybody.message).startswith("any principal such as arn:aws:")
    assert "(an example, which need not exist) is allowed kms:Decrypt" in str(anybody.message)
