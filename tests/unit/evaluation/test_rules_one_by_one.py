"""Rules that the tables pass over because each has many members; found missing by mutation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.session import Session

from openai_ekm.evaluation import Decision, Outcome, Policies, Request, decide
from openai_ekm.evaluation.decide import ACROSS_ACCOUNTS
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import parse_caller
from openai_ekm.evaluation.statements import action_matches
from openai_ekm.policy import DocumentKind, parse_document

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
USER = "arn:aws:iam::111122223333:user/u"
CONTEXT = {"kms:EncryptionContext:k": "v"}
WITH_CONTEXT = [
    "Encrypt",
    "Decrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
]
OTHERS = [
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
]
UNCONSTRAINED = ["DescribeKey", "RetireGrant"]
KEYLESS = [
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "CreateKey",
    "DeleteCustomKeyStore",
    "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore",
    "GenerateRandom",
    "ListAliases",
    "ListKeys",
    "ListRetirableGrants",
    "UpdateCustomKeyStore",
]
ALIAS = "arn:aws:kms:eu-west-1:111122223333:alias/a"
ALL = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}


def _granted(operation: str, context: dict[str, Any], **constraints: Any) -> Decision:
    if operation == "CreateGrant":
        context = {**context, "kms:GrantOperations": operation}
    grant = {
        "grantee_principal": USER,
        "operations": [operation],
        "key_arn": KEY,
        "constraints": constraints,
    }
    request = Request(USER, f"kms:{operation}", KEY, None, context)
    return decide(request, Policies(grants=[grant]))


@pytest.mark.parametrize("operation", [*WITH_CONTEXT, *OTHERS, *UNCONSTRAINED])
def test_a_grant_takes_every_operation_of_its_page(operation: str) -> None:
    """A grant with an operation that KMS knows is refused or has no effect.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
    """
    assert _granted(operation, {}).allowed


@pytest.mark.parametrize("operation", WITH_CONTEXT)
@pytest.mark.parametrize("kind", ["EncryptionContextEquals", "EncryptionContextSubset"])
def test_constraints_are_compared_for_every_operation_with_a_context(
    operation: str, kind: str
) -> None:
    """The constraint of a grant is left open, or passes another context."""
    assert _granted(operation, CONTEXT, **{kind: {"k": "v"}}).allowed
    denied = _granted(operation, CONTEXT, **{kind: {"k": "w"}})
    assert denied.outcome is Outcome.IMPLICITLY_DENIED
    assert denied.message is None


@pytest.mark.parametrize("operation", OTHERS)
def test_constraints_on_other_operations_stay_open(operation: str) -> None:
    """A constraint that cannot be compared lets an operation pass."""
    decision = _granted(operation, CONTEXT, EncryptionContextSubset={})
    assert not decision.allowed
    assert operation.lower() in str(decision.message)


@pytest.mark.parametrize("operation", UNCONSTRAINED)
def test_constraints_do_not_bear_on_some_operations(operation: str) -> None:
    """A constraint keeps a grantee from describing the key or retiring the grant."""
    assert _granted(operation, {}, EncryptionContextEquals={"k": "v"}).allowed


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:sts::111122223333:assumed-role/r/s/t",
        "arn:aws:sts::111122223333:assumed-role/r/",
        "arn:aws:sts::111122223333:assumed-role/r",
        "arn:aws:sts::111122223333:assumed-role//s",
        "arn:aws:sts::111122223333:federated-user/a/b",
        "arn:aws:sts::111122223333:federated-user/",
        "arn:aws:sts::111122223333:other/r/s",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::111122223333:group/g",
        "arn:aws:iam:eu-west-1:111122223333:user/u",
        "arn:aws:iam::1111:user/u",
        "arn:aws:s3::111122223333:user/u",
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::111122223333:user/?",
        "ec2.amazonaws.com:x",
        "x:ec2.amazonaws.com",
        "ec2.example.com",
    ],
)
def test_what_is_no_caller_is_not_judged(text: str) -> None:
    """A text that names no principal is taken for one."""
    assert parse_caller(text) is None
    assert decide(Request(text, "kms:Encrypt", KEY), Policies()).message


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_an_empty_exception_neither_allows_nor_is_passed_over(effect: str, element: str) -> None:
    """An empty NotAction or NotResource, of which AWS says that it has no effect, allows."""
    allow = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "*", "Resource": "*"}
    odd = {**allow, "Effect": effect, f"Not{element}": []}
    del odd[element]
    statements = [odd] if effect == "Allow" else [allow, odd]
    policy = {"Version": "2012-10-17", "Statement": statements}
    decision = decide(Request(USER, "kms:Encrypt", KEY), Policies(resource=policy))
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert f"Not{element} is empty" in str(decision.message)


@pytest.mark.parametrize("name", KEYLESS)
def test_an_action_without_a_key_is_decided_by_identity_policies(name: str) -> None:
    """An action that has no key asks for a key policy, or is decided on a key."""
    assert decide(Request(USER, f"kms:{name}", "*"), Policies([ALL])).allowed
    assert "has no key" in str(decide(Request(USER, f"kms:{name}", KEY), Policies([ALL])).message)


@pytest.mark.parametrize("name", ["CreateAlias", "DeleteAlias", "UpdateAlias"])
def test_an_action_on_an_alias_is_decided_by_identity_policies(name: str) -> None:
    """The alias half of an alias action asks for a key policy."""
    assert decide(Request(USER, f"kms:{name}", ALIAS), Policies([ALL])).allowed
    assert not decide(Request(USER, "kms:Encrypt", ALIAS), Policies([ALL])).allowed


@pytest.mark.parametrize("kind", ["role", "user"])
def test_a_name_leaves_the_path_out(kind: str) -> None:
    """The path of a role or user counts as a part of its name."""
    caller = parse_caller(f"arn:aws:iam::111122223333:{kind}/some/path/name")
    assert caller is not None
    assert caller.name == "name"


def test_the_root_users_id_is_its_account() -> None:
    """aws:userid of an account's root user is not derived.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    account = "111122223333"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": account},
        "Action": "kms:Encrypt",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:userid": account}},
    }
    policies = Policies(resource={"Version": "2012-10-17", "Statement": statement})
    assert decide(Request(f"arn:aws:iam::{account}:root", "kms:Encrypt", KEY), policies).allowed
    assert not decide(Request(USER, "kms:Encrypt", KEY), policies).allowed


@pytest.mark.parametrize("context", [{1: "x"}, {"aws:x": "a", "AWS:X": "b"}, {"aws:x": None}, []])
def test_a_context_that_no_request_has_is_not_judged(context: Any) -> None:
    """A context that is no set of condition keys ends in a traceback, or in an allowance."""
    decision = decide(Request(USER, "kms:ListKeys", "*", None, context), Policies([ALL]))
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert decision.message


def test_an_open_point_in_a_guardrail_is_named() -> None:
    """A level of SCPs that only an open point keeps from allowing denies without saying so."""
    scp = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "NotAction": [], "Resource": "*"},
    }
    decision = decide(Request(USER, "kms:ListKeys", "*"), Policies([ALL], scps=[[scp]]))
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert "NotAction is empty" in str(decision.message)


def _across_accounts() -> frozenset[str]:
    """The operations of which the API reference, as botocore ships it, says: cross-account yes."""
    model = Session().get_service_model("kms")
    texts = {
        name: re.sub("<[^>]+>", "", model.operation_model(name).documentation)
        for name in model.operation_names
    }
    said = {name for name, text in texts.items() if re.search(r"Cross-account use ?: ?Yes", text)}
    permissions = said - {"ReEncrypt"} | {"ReEncryptFrom", "ReEncryptTo"}
    return frozenset(f"kms:{name.lower()}" for name in permissions)


def test_what_reaches_across_accounts_is_what_the_api_reference_says() -> None:
    """Another account may administer the key, or may not use one that it was given."""
    found = _across_accounts()
    assert len(found) > len(WITH_CONTEXT)
    assert found == ACROSS_ACCOUNTS


def test_the_context_of_a_grant_holds_numbers_as_text() -> None:
    """A pair that a case spells without quotes is overlooked."""
    assert _granted(
        "Encrypt", {"kms:EncryptionContext:k": 5}, EncryptionContextEquals={"k": "5"}
    ).allowed
    assert not _granted(
        "Encrypt", {"kms:EncryptionContext:k": 5}, EncryptionContextEquals={}
    ).allowed


def test_an_empty_list_of_excepted_actions_is_left_open() -> None:
    """The proof takes a statement that may have no effect for one that applies."""
    raw = {"Effect": "Allow", "NotAction": [], "Resource": "*"}
    (statement,) = parse_document({"Statement": raw}, DocumentKind.IDENTITY).statements
    assert isinstance(action_matches(statement, "kms:encrypt"), OpenPoint)
