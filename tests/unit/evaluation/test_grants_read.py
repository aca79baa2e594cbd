"""Grants as they are read, and what is open about them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from openai_ekm.evaluation import Decision, Outcome, Policies, Request, decide
from openai_ekm.evaluation.grants import parse_grant
from openai_ekm.policy import MalformedPolicy
from tests.constants import ACCOUNT

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
GRANT = {"grantee_principal": USER, "operations": ["Encrypt"], "key_arn": KEY}
NOTHING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
}


def _decide(principal: str, *grants: dict[str, Any], **policies: Any) -> Decision:
    return decide(Request(principal, "kms:Encrypt", KEY), Policies(grants=grants, **policies))


@pytest.mark.parametrize(
    "member",
    [
        {"constraints": {}},
        {"constraints": None},
        {"name": "n"},
        {"grant_id": "g"},
        {"retiring_principal": USER},
        {"issuing_account": USER},
        {"creation_date": "2026-01-01"},
        {"operations": ("ENCRYPT", "decrypt")},
    ],
)
def test_what_list_grants_shows_is_read(member: dict[str, Any]) -> None:
    """A grant as ListGrants shows it is called malformed.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html
    """
    assert _decide(USER, {**GRANT, **member}).allowed


@pytest.mark.parametrize(
    ("member", "place"),
    [
        ({"grantee_principal": 1}, "grants[0]"),
        ({"grantee_principal": None}, "grants[0]"),
        ({"key_arn": 1}, "grants[0]"),
        ({"key_arn": ["x"]}, "grants[0]"),
        ({"grantee_principal": "x"}, "grants[0].grantee_principal"),
        ({"grantee_principal": "*"}, "grants[0].grantee_principal"),
        ({"grantee_principal": "*.amazonaws.com"}, "grants[0].grantee_principal"),
        ({"operations": "Encrypt"}, "grants[0].operations"),
        ({"operations": {"Encrypt": 1}}, "grants[0].operations"),
        ({"operations": [1]}, "grants[0].operations"),
        ({"operations": ["Encrypt", "Encryptt"]}, "grants[0].operations"),
        ({"operations": None}, "grants[0].operations"),
        ({"constraints": "x"}, "grants[0].constraints"),
        ({"constraints": {"x": {}}}, "grants[0].constraints"),
        (
            {"constraints": {"EncryptionContextEquals": "x"}},
            "grants[0].constraints.EncryptionContextEquals",
        ),
        (
            {"constraints": {"EncryptionContextSubset": [["a", "b"]]}},
            "grants[0].constraints.EncryptionContextSubset",
        ),
        (
            {"constraints": {"EncryptionContextSubset": {"a": 1}}},
            "grants[0].constraints.EncryptionContextSubset",
        ),
        (
            {"constraints": {"EncryptionContextSubset": {1: "a"}}},
            "grants[0].constraints.EncryptionContextSubset",
        ),
        ({"other": "x"}, "grants[0]"),
    ],
)
def test_a_broken_grant_is_malformed_at_its_place(member: dict[str, Any], place: str) -> None:
    """A grant that KMS cannot hold is read as something, or its fault is said to be elsewhere."""
    decision = _decide(USER, {**GRANT, **member})
    assert decision.outcome is Outcome.ERROR
    assert str(decision.message).startswith(f"{place}: ")


@pytest.mark.parametrize("raw", [None, [], "x", 1])
def test_a_grant_is_an_object(raw: Any) -> None:
    """Something else is taken for a grant."""
    with pytest.raises(MalformedPolicy):
        parse_grant(raw, 0)


@pytest.mark.parametrize("member", sorted(GRANT))
def test_a_grant_needs_grantee_operations_and_key(member: str) -> None:
    """A grant without a member that decides is read."""
    decision = _decide(USER, {name: value for name, value in GRANT.items() if name != member})
    assert decision.outcome is Outcome.ERROR
    assert member in str(decision.message)


def test_a_grant_is_an_object_of_any_kind() -> None:
    """A mapping that is no dict is refused as a grant, as its constraints or as a context."""
    constraints = MappingProxyType({"EncryptionContextEquals": MappingProxyType({"k": "v"})})
    grant = MappingProxyType({**GRANT, "constraints": constraints})
    context = MappingProxyType({"kms:EncryptionContext:k": "v"})
    request = Request(USER, "kms:Encrypt", KEY, None, context)
    assert decide(request, Policies(grants=[grant])).allowed
    assert not decide(Request(USER, "kms:Encrypt", KEY), Policies(grants=[grant])).allowed


@pytest.mark.parametrize("other", ["kms:ViaService", "aws:TagKeys"])
@pytest.mark.parametrize("value", ["v", ["v", "w"]])
def test_a_constraint_bears_on_the_encryption_context_alone(other: str, value: Any) -> None:
    """Guards against: another key of the request that counts as one of the encryption context."""
    grant = {**GRANT, "constraints": {"EncryptionContextEquals": {"k": "v"}}}
    context = {"kms:EncryptionContext:k": "v", other: value}
    request = Request(USER, "kms:Encrypt", KEY, None, context)
    assert decide(request, Policies(grants=[grant])).allowed


@pytest.mark.parametrize("name", ["n", "", None, 1])
def test_a_decision_names_the_grant(name: Any) -> None:
    """The name that a decision gives a grant is no text, or not the grant's."""
    (ref,) = _decide(USER, {**GRANT, "name": name}).decided_by
    assert ref.sid == ("n" if name == "n" else None)
    assert (ref.document, ref.statement, ref.effect) == ("grants[0]", 0, "Allow")


def test_constraints_bear_together() -> None:
    """One of two constraints is enough, or a pair of a list counts as text."""
    both = {"EncryptionContextEquals": {"k": "v"}, "EncryptionContextSubset": {"l": "w"}}
    context: dict[str, Any] = {"kms:EncryptionContext:k": "v"}
    grant = {**GRANT, "constraints": both}
    assert not decide(
        Request(USER, "kms:Encrypt", KEY, None, context), Policies(grants=[grant])
    ).allowed
    grant["constraints"] = {**both, "EncryptionContextSubset": {"k": "v"}}
    assert decide(
        Request(USER, "kms:Encrypt", KEY, None, context), Policies(grants=[grant])
    ).allowed
    grant["constraints"] = {"EncryptionContextSubset": {"k": "v"}}
    assert decide(
        Request(USER, "kms:Encrypt", KEY, None, context), Policies(grants=[grant])
    ).allowed
    context = {"kms:EncryptionContext:k": ["v"]}
    assert not decide(
        Request(USER, "kms:Encrypt", KEY, None, context), Policies(grants=[grant])
    ).allowed


def test_a_grant_to_a_role_of_unknown_path_is_left_open() -> None:
    """A session may use a grant to a role that it may not be a session of."""
    grant = {**GRANT, "grantee_principal": f"arn:aws:iam::{ACCOUNT}:role/path/r"}
    decision = _decide(SESSION, grant)
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert "aws:PrincipalArn" in str(decision.message)
    assert not any("no grant covers" in sentence for sentence in decision.missing)


def test_an_open_grant_does_not_hide_a_plain_one() -> None:
    """The grant after one that is left open, or does not cover, is not looked at."""
    other = {**GRANT, "operations": ["Decrypt"]}
    unknown = {**GRANT, "grantee_principal": f"arn:aws:iam::{ACCOUNT}:role/path/r"}
    plain = {**GRANT, "grantee_principal": ROLE}
    assert [ref.document for ref in _decide(SESSION, other, unknown, plain).decided_by] == [
        "grants[2]"
    ]


@pytest.mark.parametrize("name", ["permissions_boundary", "session"])
def test_a_limit_that_does_not_allow_leaves_a_grant_open_and_is_named(name: str) -> None:
    """A denial in spite of a grant does not say which policy stood against it."""
    decision = _decide(USER, GRANT, **{name: NOTHING})
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert "grants[0] statement 0 covers it" in str(decision.message)
    assert "boundary or session policy" in str(decision.message)
    layer = name.replace("_", " ") if name != "session" else "session policy"
    assert any(f"of the {layer} allows" in sentence for sentence in decision.missing)
    assert not any("no grant covers" in sentence for sentence in decision.missing)


def test_a_grant_across_accounts_asks_identity_policies_and_says_so() -> None:
    """A denial in spite of a grant to another account does not say what it lacked."""
    key = KEY.replace(ACCOUNT, "444455556666")
    decision = decide(
        Request(USER, "kms:Encrypt", key), Policies(grants=[{**GRANT, "key_arn": key}])
    )
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert "identity policies" in str(decision.message)
    assert any("there is no identity policy" in sentence for sentence in decision.missing)


def test_without_any_grant_that_covers_that_is_said_once() -> None:
    """A denial does not say that no grant covers the request, or says it for each grant."""
    other = {**GRANT, "operations": ["Decrypt"]}
    decision = _decide(USER, other, other)
    assert decision.message is None
    assert sum("no grant covers" in sentence for sentence in decision.missing) == 1


def test_a_root_user_has_no_limits() -> None:
    """A boundary stands between an account's root user and a grant to it."""
    root = f"arn:aws:iam::{ACCOUNT}:root"
    grant = {**GRANT, "grantee_principal": root}
    assert _decide(root, grant, permissions_boundary=NOTHING, session=NOTHING).allowed


@pytest.mark.parametrize("name", ["permissions_boundary", "session"])
def test_an_open_point_in_a_limit_is_named(name: str) -> None:
    """A limit that only an open point keeps from allowing denies without saying so."""
    delegates = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "*", "Resource": "*"}
    allows = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    odd = {**allows, "Condition": {"NumericEquals": {"aws:PrincipalAccount": "x"}}}
    policies: dict[str, Any] = {
        "identity": [{"Version": "2012-10-17", "Statement": allows}],
        "resource": {"Version": "2012-10-17", "Statement": delegates},
        name: {"Version": "2012-10-17", "Statement": odd},
    }
    decision = decide(Request(USER, "kms:Encrypt", KEY), Policies(**policies))
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert "cannot be compared" in str(decision.message)
