"""Reading documents: what a value holds, and where a fault is said to be."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.policy import DocumentKind, Effect, MalformedPolicy, parse_document
from openai_ekm.policy.conditions import Family, Quantifier, parse_operator
from openai_ekm.policy.json_text import RepeatedMember, loads
from openai_ekm.policy.principal import PrincipalForm, parse_principal

STATEMENT = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}


def test_a_document_holds_what_was_written() -> None:
    """A member of a statement is lost or read as another."""
    document = parse_document(
        {
            "Version": "2012-10-17",
            "Id": "key",
            "Statement": [
                {
                    "Sid": "Use it",
                    "Effect": "Deny",
                    "NotPrincipal": {"AWS": ["111122223333"]},
                    "NotAction": "kms:*",
                    "NotResource": "arn:aws:kms:*:*:key/1",
                    "Condition": {"ForAnyValue:StringNotLikeIfExists": {"aws:X": ["a", 1]}},
                }
                | {"Condition": {"ForAnyValue:StringNotLikeIfExists": {"aws:X": [1, 2.5]}}}
            ],
        },
        DocumentKind.KEY,
    )
    (statement,) = document.statements
    (condition,) = statement.conditions
    assert (document.version, document.id, document.kind) == ("2012-10-17", "key", "key")
    assert (statement.index, statement.sid, statement.effect) == (0, "Use it", Effect.DENY)
    assert statement.not_principal
    assert statement.not_action
    assert statement.not_resource
    assert statement.principals is not None
    assert [each.form for each in statement.principals] == [PrincipalForm.ACCOUNT]
    assert statement.actions.texts == ("kms:*",)
    assert statement.resources is not None
    assert [each.text for each in statement.resources] == ["arn:aws:kms:*:*:key/1"]
    assert (condition.key, condition.lookup, condition.values) == ("aws:X", "aws:x", ("1", "2.5"))


def test_without_a_version_it_is_the_old_one() -> None:
    """A document without a Version is read under the new rules."""
    document = parse_document({"Statement": STATEMENT}, DocumentKind.IDENTITY)
    assert document.version == "2008-10-17"
    assert document.statements[0].sid is None


def test_an_empty_sid_is_none_and_may_repeat() -> None:
    """The console's empty Sids make a document malformed."""
    statements = [{**STATEMENT, "Sid": ""}, {**STATEMENT, "Sid": ""}]
    document = parse_document({"Statement": statements}, DocumentKind.IDENTITY)
    assert [each.sid for each in document.statements] == [None, None]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("StringEquals", (Quantifier.ONE, "StringEquals", False, False, Family.STRING)),
        ("ForAllValues:ArnNotLike", (Quantifier.ALL, "ArnLike", True, False, Family.ARN)),
        ("ForAnyValue:NotIpAddressIfExists", (Quantifier.ANY, "IpAddress", True, True, Family.IP)),
        ("Null", (Quantifier.ONE, "Null", False, False, Family.NULL)),
    ],
)
def test_an_operator_is_taken_apart(name: str, expected: tuple[object, ...]) -> None:
    """A part of an operator's name is lost."""
    operator = parse_operator(name)
    found = (operator.quantifier, operator.positive, operator.negated, operator.if_exists)
    assert (*found, operator.family) == expected


@pytest.mark.parametrize(
    ("kind", "text", "form"),
    [
        ("AWS", "*", PrincipalForm.ANYONE),
        ("AWS", "111122223333", PrincipalForm.ACCOUNT),
        ("AWS", "arn:aws:iam::111122223333:root", PrincipalForm.ACCOUNT),
        ("AWS", "arn:aws:iam::111122223333:role/path/name", PrincipalForm.ROLE),
        ("AWS", "arn:aws:iam::111122223333:user/name", PrincipalForm.USER),
        ("AWS", "arn:aws:sts::111122223333:assumed-role/name/s", PrincipalForm.SESSION),
        ("AWS", "arn:aws:sts::111122223333:federated-user/name", PrincipalForm.FEDERATED_USER),
        ("AWS", "AROAEXAMPLEID0000001", PrincipalForm.UNIQUE_ID),
        ("Service", "ec2.amazonaws.com", PrincipalForm.SERVICE),
        ("Federated", "accounts.google.com", PrincipalForm.FEDERATED),
        ("Federated", "arn:aws:iam::111122223333:saml-provider/x", PrincipalForm.FEDERATED),
    ],
)
def test_every_form_of_principal_is_known(kind: str, text: str, form: PrincipalForm) -> None:
    """A form of principal is refused, or taken for another."""
    assert parse_principal(kind, text).form is form


def test_repeated_members_are_noticed_at_any_depth() -> None:
    """The last of two members of one name wins silently, as json.loads has it."""
    value = loads('{"a": {"b": 1, "b": 2}, "c": 1}')
    assert isinstance(value["a"], RepeatedMember)
    assert value["a"].name == "b"
    assert not isinstance(value, RepeatedMember)


@pytest.mark.parametrize("text", ["{", "", "NaN", '{"a": Infinity}', "[" * 100_000, "\ud800"])
def test_what_is_not_json_is_refused(text: str) -> None:
    """Text that is not JSON, or nested without end, is read or crashes."""
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_the_place_of_a_fault_is_a_path() -> None:
    """The place leads to another element than the one at fault."""
    broken: dict[str, Any] = {**STATEMENT, "Condition": {"StringEquals": {"aws:x": [{}]}}}
    with pytest.raises(MalformedPolicy) as caught:
        parse_document({"Statement": [STATEMENT, broken]}, DocumentKind.IDENTITY)
    assert caught.value.place == "Statement[1].Condition.StringEquals.aws:x"
    assert caught.value.place in str(caught.value)


def test_ten_thousand_statements_are_read_once_each() -> None:
    """A large document takes more than a glance at each statement."""
    document = parse_document({"Statement": [STATEMENT] * 10_000}, DocumentKind.IDENTITY)
    assert len(document.statements) == 10_000
