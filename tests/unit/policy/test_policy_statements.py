"""Statements and their Sids in each kind of document, and where a fault is said to be."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from openai_ekm.policy.arn import account_in
from tests.constants import ACCOUNT

ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}


@pytest.mark.parametrize(
    ("kind", "sid", "read"),
    [
        (DocumentKind.IDENTITY, "Ab1", "Ab1"),
        (DocumentKind.IDENTITY, "", None),
        (DocumentKind.KEY, "a b-c", "a b-c"),
        (DocumentKind.KEY, "", None),
    ],
)
def test_a_sid_is_kept(kind: DocumentKind, sid: str, read: str | None) -> None:
    """A Sid that AWS saves is refused, or an empty one is kept."""
    statement = {**ALLOW, "Sid": sid}
    if kind is DocumentKind.KEY:
        statement["Principal"] = "*"
    document = parse_document({"Version": "2012-10-17", "Statement": statement}, kind)
    assert document.statements[0].sid == read


@pytest.mark.parametrize("sid", ["a b", "a-b", "é", 1, None, ["a"]])
def test_a_sid_of_an_identity_policy_is_plain(sid: Any) -> None:
    """A Sid that IAM refuses is read."""
    with pytest.raises(MalformedPolicy) as caught:
        parse_document({"Statement": [ALLOW, {**ALLOW, "Sid": sid}]}, DocumentKind.IDENTITY)
    assert caught.value.place == "Statement[1].Sid"


@pytest.mark.parametrize("kind", [DocumentKind.IDENTITY, DocumentKind.SCP, DocumentKind.TRUST])
def test_a_sid_stands_once(kind: DocumentKind) -> None:
    """The second statement of the same Sid is not the one named, or no Sid counts as one."""
    statement = dict(ALLOW)
    if kind is DocumentKind.TRUST:
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    bare = [statement, statement, {**statement, "Sid": ""}, {**statement, "Sid": ""}]
    assert parse_document({"Statement": bare}, kind)
    twice = [*bare, {**statement, "Sid": "a"}, statement, {**statement, "Sid": "a"}]
    with pytest.raises(MalformedPolicy) as caught:
        parse_document({"Statement": twice}, kind)
    assert caught.value.place == "Statement[6].Sid"
    assert "statement 4" in caught.value.message


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_an_id_stands_in_resource_policies(kind: DocumentKind) -> None:
    """An Id is lost, or read where AWS refuses it."""
    statement: dict[str, Any] = dict(ALLOW)
    if kind is DocumentKind.TRUST:
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    elif kind is DocumentKind.RCP:
        statement = {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}
    if kind in (DocumentKind.TRUST, DocumentKind.KEY, DocumentKind.RCP):
        statement["Principal"] = "*"
    document = {"Version": "2012-10-17", "Statement": statement}
    assert parse_document(document, kind).id is None
    if kind in (DocumentKind.TRUST, DocumentKind.KEY):
        assert parse_document({**document, "Id": "i"}, kind).id == "i"
    else:
        with pytest.raises(MalformedPolicy) as caught:
            parse_document({**document, "Id": "i"}, kind)
        assert caught.value.place == "Id"


@pytest.mark.parametrize(
    ("statement", "saved"),
    [
        ({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, True),
        ({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["*"], "Resource": ["*"]}, True),
        ({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}, True),
        (
            {"Effect": "Deny", "Principal": {"AWS": ["*", "*"]}, "Action": "*", "Resource": "*"},
            True,
        ),
        ({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "NotResource": "*"}, True),
        ({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Principal": "*", "Action": "*", "NotResource": "*"}, False),
        (
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:aws:kms:::key/1"},
            False,
        ),
        ({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": []}, False),
        (
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:x": "true"}},
            },
            False,
        ),
        ({"Effect": "Deny", "Principal": {}, "Action": "*", "Resource": "*"}, False),
        ({"Effect": "Deny", "Principal": {"AWS": []}, "Action": "*", "Resource": "*"}, False),
        (
            {
                "Effect": "Deny",
                "Principal": {"AWS": ["*", ACCOUNT]},
                "Action": "*",
                "Resource": "*",
            },
            False,
        ),
    ],
)
def test_a_resource_control_policy_allows_everything_or_denies(
    statement: dict[str, Any], saved: bool
) -> None:
    """A resource control policy that Organizations refuses is read, or one that it saves is not.

    Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
    """
    document = {"Version": "2012-10-17", "Statement": statement}
    if saved:
        assert parse_document(document, DocumentKind.RCP).statements[0].principals is None
    else:
        with pytest.raises(MalformedPolicy):
            parse_document(document, DocumentKind.RCP)


@pytest.mark.parametrize("kind", [DocumentKind.TRUST, DocumentKind.KEY])
def test_a_fault_in_a_principal_is_said_where_it_is(kind: DocumentKind) -> None:
    """The place of a fault in a list of principals is another."""
    statement = {"Effect": "Allow", "Principal": {"AWS": ["*", "x"]}, "Action": "sts:AssumeRole"}
    if kind is DocumentKind.KEY:
        statement["Resource"] = "*"
    with pytest.raises(MalformedPolicy) as caught:
        parse_document({"Statement": statement}, kind)
    assert caught.value.place == "Statement[0].Principal.AWS[1]"


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"Action": "x"}, "Action"),
        ({"Action": ["*", "x"]}, "Action[1]"),
        ({"Action": ["*", 1]}, "Action[1]"),
        ({"Action": ["*", []]}, "Action[1]"),
        ({"Action": None}, "Action"),
        ({"Resource": "x"}, "Resource"),
        ({"Resource": ["*", "x"]}, "Resource[1]"),
        ({"Resource": {}}, "Resource"),
        ({"Effect": "allow"}, "Effect"),
        ({"Effect": ["Allow"]}, "Effect"),
        ({"Condition": []}, "Condition"),
        ({"Condition": {"X": {}}}, "Condition.X"),
        ({"Condition": {"Bool": []}}, "Condition.Bool"),
        ({"Condition": {"Bool": {"aws:x": None}}}, "Condition.Bool.aws:x"),
        ({"Condition": {"Bool": {"aws:x": ["true", "false"]}}}, "Condition.Bool.aws:x"),
        ({"Condition": {"Bool": {"aws:x": "true", "AWS:x": "true"}}}, "Condition.Bool.AWS:x"),
    ],
)
def test_a_fault_in_a_statement_is_said_where_it_is(changed: dict[str, Any], place: str) -> None:
    """A fault is overlooked, or said to be elsewhere."""
    with pytest.raises(MalformedPolicy) as caught:
        parse_document({"Statement": [ALLOW, {**ALLOW, **changed}]}, DocumentKind.IDENTITY)
    assert caught.value.place == f"Statement[1].{place}"
    assert str(caught.value) == f"{caught.value.place}: {caught.value.message}"


@pytest.mark.parametrize("action", ["*", "sts:*", "STS:AssumeRole", ["sts:TagSession", "*"]])
def test_a_trust_policy_is_about_sts(action: Any) -> None:
    """A trust policy that AWS saves is refused."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": action}
    assert parse_document({"Statement": statement}, DocumentKind.TRUST)


@pytest.mark.parametrize(
    ("values", "plain", "variables"),
    [
        (["a", "b"], ("a", "b"), ()),
        (["a", "${aws:UserName}"], ("a",), ("aws:username",)),
        (["${aws:a}-${aws:b}", "c"], ("c",), ("aws:a", "aws:b")),
    ],
)
def test_values_with_variables_are_told_from_others(
    values: list[str], plain: tuple[str, ...], variables: tuple[str, ...]
) -> None:
    """Guards against: a variable that is taken for text, or that nobody fills."""
    resource = "arn:aws:kms:eu-west-1:111122223333:key/"
    body = {
        "Effect": "Allow",
        "Action": "kms:Encrypt",
        "Resource": [f"{resource}1", *(f"{resource}{each}" for each in values if "$" in each)],
        "Condition": {"StringEquals": {"aws:x": values}},
    }
    document = {"Version": "2012-10-17", "Statement": body}
    (read,) = parse_document(document, DocumentKind.IDENTITY).statements
    (condition,) = read.conditions
    assert (condition.plain_values, condition.variables) == (plain, variables)
    assert read.resources is not None
    first, *others = read.resources
    assert first.variables == ()
    assert tuple(key for each in others for key in each.variables) == variables


def test_the_account_of_an_arn_is_read() -> None:
    """Guards against: an account of a text that is no ARN, or none of one that is."""
    assert account_in(f"arn:aws:iam::{ACCOUNT}:role/r") == ACCOUNT
    assert account_in("arn:aws:s3:::bucket") == account_in("x") == ""
