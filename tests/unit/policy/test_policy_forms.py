"""The forms of principals, actions, condition keys and values, each beside what is none."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.policy import MalformedPolicy
from openai_ekm.policy.conditions import conditions
from openai_ekm.policy.pattern import compile_pattern
from openai_ekm.policy.principal import PrincipalForm, parse_principal
from openai_ekm.policy.statement import (
    parse_action,
    parse_actions,
    parse_resource,
    split_arn_pattern,
)
from openai_ekm.policy.variables import Variable, parse_template
from tests.constants import ACCOUNT

IAM, STS = f"arn:aws:iam::{ACCOUNT}", f"arn:aws:sts::{ACCOUNT}"


@pytest.mark.parametrize(
    ("kind", "text", "form", "account"),
    [
        ("AWS", "*", PrincipalForm.ANYONE, None),
        ("AWS", ACCOUNT, PrincipalForm.ACCOUNT, ACCOUNT),
        ("AWS", f"{IAM}:root", PrincipalForm.ACCOUNT, ACCOUNT),
        ("AWS", f"{IAM}:role/r", PrincipalForm.ROLE, ACCOUNT),
        ("AWS", f"{IAM}:role/path/r", PrincipalForm.ROLE, ACCOUNT),
        ("AWS", f"{IAM}:user/u", PrincipalForm.USER, ACCOUNT),
        ("AWS", f"{STS}:assumed-role/r/s", PrincipalForm.SESSION, ACCOUNT),
        ("AWS", f"{STS}:federated-user/f", PrincipalForm.FEDERATED_USER, ACCOUNT),
        ("AWS", "AROA123456789012", PrincipalForm.UNIQUE_ID, None),
        ("Service", "ec2.amazonaws.com", PrincipalForm.SERVICE, None),
        ("Service", "a-b.eu-west-1.amazonaws.com", PrincipalForm.SERVICE, None),
        ("Federated", "accounts.google.com", PrincipalForm.FEDERATED, None),
        ("Federated", f"{IAM}:saml-provider/p", PrincipalForm.FEDERATED, None),
    ],
)
def test_a_principal_has_a_form(
    kind: str, text: str, form: PrincipalForm, account: str | None
) -> None:
    """A principal that AWS saves is refused, or read as another kind of principal."""
    read = parse_principal(kind, text)
    assert (read.form, read.text, read.account) == (form, text, account)
    assert read.partition == ("aws" if account and text != ACCOUNT else None)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AWS", ""),
        ("AWS", "11112222333"),
        ("AWS", "1111222233334"),
        ("AWS", "١١١١٢٢٢٢٣٣٣٣"),
        ("AWS", "11112222333?"),
        ("AWS", f"{IAM}:role/r?"),
        ("AWS", f"{IAM}:role/r*"),
        ("AWS", f"{IAM}:role"),
        ("AWS", f"{IAM}:role/"),
        ("AWS", f"{IAM}:role/path/"),
        ("AWS", f"{IAM}:user/"),
        ("AWS", f"{IAM}:group/g"),
        ("AWS", f"{IAM}:root/x"),
        ("AWS", f"{IAM}:assumed-role/r/s"),
        ("AWS", f"{STS}:role/r"),
        ("AWS", f"{STS}:root"),
        ("AWS", f"{STS}:assumed-role"),
        ("AWS", f"{STS}:assumed-role/r"),
        ("AWS", f"{STS}:assumed-role/r/"),
        ("AWS", f"{STS}:assumed-role//s"),
        ("AWS", f"{STS}:assumed-role/r/s/t"),
        ("AWS", f"{STS}:federated-user/"),
        ("AWS", f"{STS}:other/r/s"),
        ("AWS", f"arn:aws:iam:eu-west-1:{ACCOUNT}:role/r"),
        ("AWS", "arn:aws:iam::1111:role/r"),
        ("AWS", "arn:aws:iam:::role/r"),
        ("AWS", f"arn:aws:s3::{ACCOUNT}:role/r"),
        ("AWS", "AROA12345678901"),
        ("AWS", "aroa123456789012"),
        ("AWS", "AROA12345678901-"),
        ("AWS", "ÄROA123456789012"),
        ("AWS", "ec2.amazonaws.com"),
        ("Service", ""),
        ("Service", "*"),
        ("Service", "."),
        ("Service", "-.-"),
        ("Service", "ec2"),
        ("Service", "EC2.amazonaws.com"),
        ("Service", "ec2.amazonaws.com?"),
        ("Service", "éc2.amazonaws.com"),
        ("Service", "ec 2.amazonaws.com"),
        ("Federated", "provider"),
        ("Federated", "*"),
        ("Federated", f"{IAM}:saml-provider/p?"),
        ("Federated", "accounts.google.com?"),
        ("Federated", "accounts.google.com*"),
        ("CanonicalUser", "a.b"),
        ("aws", "*.x"),
        ("aws", ACCOUNT),
    ],
)
def test_what_is_no_principal_is_refused(kind: str, text: str) -> None:
    """A text that AWS does not save as a principal is read as one."""
    with pytest.raises(MalformedPolicy):
        parse_principal(kind, text)


@pytest.mark.parametrize("text", ["kms:Re_Encrypt", "a-b:C-d", "kms:*", "k*:?", "*:*", "kms:12"])
def test_an_action_is_read_in_lower_case(text: str) -> None:
    """An action that AWS saves is refused."""
    assert parse_action(text).matches(text.lower().replace("*", "x").replace("?", "y"))


@pytest.mark.parametrize(
    "text", ["kms:a.b", "kms:a/b", "kms:a b", "k ms:a", "kms:é", "kms:a:b", "**"]
)
def test_an_action_with_other_characters_is_refused(text: str) -> None:
    """A text that no action matches is read as one."""
    with pytest.raises(MalformedPolicy):
        parse_action(text)


@pytest.mark.parametrize(
    ("text", "covered", "not_covered"),
    [
        ("kms:Encrypt", "kms:encrypt", "kms:encryptx"),
        ("kms:Enc*", "kms:encrypt", "kms:decrypt"),
        ("kms:*crypt", "kms:decrypt", "kms:sign"),
        ("kms:En?rypt", "kms:encrypt", "kms:enrypt"),
        ("kms:?n*", "kms:encrypt", "kms:nx"),
        ("*", "kms:encrypt", None),
    ],
)
def test_actions_cover_each_in_its_way(text: str, covered: str, not_covered: str | None) -> None:
    """A literal, a prefix or another pattern covers more or less than it should."""
    for actions in (parse_actions((text,)), parse_actions(("s3:Get", "s3:Put*", "s3:?", text))):
        assert actions.cover(covered)
        assert not_covered is None or not actions.cover(not_covered)
    assert not parse_actions(()).cover(covered)


@pytest.mark.parametrize("tag", ["aws:PrincipalTag", "aws:RequestTag", "aws:ResourceTag"])
def test_a_tag_has_a_name(tag: str) -> None:
    """A condition on a tag without a name, which AWS refuses, is read."""
    assert conditions({"StringEquals": {f"{tag}/k": "v"}}, variables=True)[0].key == f"{tag}/k"
    for key in (tag, f"{tag}/", f"{tag}//"):
        with pytest.raises(MalformedPolicy):
            conditions({"StringEquals": {key: "v"}}, variables=True)


@pytest.mark.parametrize("key", ["", ":", "aws:", ":x", "aws", "x" * 3000])
def test_a_condition_key_has_a_service_and_a_name(key: str) -> None:
    """A text that is no condition key is read as one."""
    with pytest.raises(MalformedPolicy) as caught:
        conditions({"StringEquals": {key: "v"}}, variables=True)
    assert caught.value.place == f"Condition.StringEquals{'.' if key else ''}{key}"


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([], ()),
        (1, ("1",)),
        ([1, 2.5], ("1", "2.5")),
        ([2.5, 1], ("2.5", "1")),
        (True, ("true",)),
        ([False], ("false",)),
        ([True, False], ("true", "false")),
    ],
)
def test_values_are_texts(raw: Any, values: tuple[str, ...]) -> None:
    """A value of a condition is lost or read as another."""
    (read,) = conditions({"StringEquals": {"aws:x": raw}}, variables=True)
    assert read.values == values
    assert read.templates == ()


HUGE = 10**5000  # more digits than Python writes


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        [None],
        [[]],
        ["a", 1],
        [1, True],
        [True, 1.5],
        ["a", True],
        pytest.param(HUGE, id="huge"),
        pytest.param([1, HUGE], id="huge in a list"),
    ],
)
def test_what_is_no_value_is_refused(raw: Any) -> None:
    """A value that AWS refuses is read as something."""
    with pytest.raises(MalformedPolicy) as caught:
        conditions({"StringEquals": {"aws:x": raw}}, variables=True)
    assert caught.value.place == "Condition.StringEquals.aws:x"


@pytest.mark.parametrize("operator", ["StringLike", "ArnLike", "Bool"])
def test_variables_stand_under_some_operators(operator: str) -> None:
    """A variable is read as text, or text as a variable, because of Version or operator."""
    block = {operator: {"aws:x": "arn:aws:x:::${aws:y}"}}
    (read,) = conditions(block, variables=True)
    assert read.templates == (parse_template("arn:aws:x:::${aws:y}"),)
    (literal,) = conditions(block, variables=False)
    assert literal.templates == ()


def test_each_value_has_its_template() -> None:
    """The variables of one value are taken for those of another."""
    (read,) = conditions({"StringLike": {"aws:x": ["a", "${aws:y}"]}}, variables=True)
    assert read.templates == (None, parse_template("${aws:y}"))


@pytest.mark.parametrize(
    "operator", ["NumericEquals", "DateEquals", "IpAddress", "Null", "BinaryEquals"]
)
def test_variables_stand_under_no_other_operator(operator: str) -> None:
    """A variable under an operator that takes none is read."""
    for values in ("${aws:y}", ["1", "${aws:y}"]):
        with pytest.raises(MalformedPolicy):
            conditions({operator: {"aws:x": values}}, variables=True)
        assert conditions({operator: {"aws:x": values}}, variables=False)


def test_a_colon_after_the_fifth_belongs_to_the_resource() -> None:
    """An ARN with colons in its resource never matches a pattern with a variable."""
    pattern = split_arn_pattern((("arn:aws:sns:*:1:a:", True), ("b:c", False)), "")
    assert pattern is not None
    assert pattern.matches(("arn", "aws", "sns", "x", "1", "a:b:c"))
    assert not pattern.matches(("arn", "aws", "sns", "x", "1", "a:b"))


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("arn:aws:${aws:x}::1:key/1", True),
        ("arn:${aws:x}:kms::1:key/1", True),
        ("arn:aws:k?s:::key/1", False),
        ("arn::kms:::key/1", False),
        ("arn:aws:kms::key/1", False),
    ],
)
def test_a_resource_that_aws_refuses_is_refused(text: str, variables: bool) -> None:
    """A resource that AWS does not save is compiled."""
    with pytest.raises(MalformedPolicy):
        parse_resource(text, variables=variables)


def test_what_looks_like_a_variable_is_text_in_an_old_document() -> None:
    """Under Version 2008-10-17 a variable is filled."""
    read = parse_resource("arn:aws:kms:::key/${aws:x}", variables=False)
    assert read.template is None
    assert read.literal
    assert read.matches(("arn", "aws", "kms", "", "", "key/${aws:x}"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("${aws:a},b", (Variable("aws:a"), (",b", True))),
        ("${aws:a}${aws:b, 'c'}", (Variable("aws:a"), Variable("aws:b", "c"))),
        ("${aws:a, ''}", (Variable("aws:a", ""),)),
        ("${aws:a,'b'}", (Variable("aws:a", "b"),)),
        ("${aws:a,   'b'}c", (Variable("aws:a", "b"), ("c", True))),
        ("${aws:a, 'b,}'}", (Variable("aws:a", "b,}"),)),
        ("${aws:a, '*'}*", (Variable("aws:a", "*"), ("*", True))),
        ("${*, 'b'}", (Variable("*", "b"),)),
        ("x${$}", (("x", True), ("$", False))),
        ("${?}x", (("?", False), ("x", True))),
        ("${X}", (Variable("x"),)),
    ],
)
def test_a_variable_ends_at_its_brace(text: str, parts: tuple[Any, ...]) -> None:
    """What follows a variable is taken for a part of it, or its default is cut."""
    template = parse_template(text)
    assert template is not None
    assert template.parts == parts


@pytest.mark.parametrize(
    "text", ["${a,}", "${a, b'}", "${a, 'b'x}", "${, 'b'}", "${a\tb}", "${a$b}"]
)
def test_a_variable_that_is_broken_is_refused(text: str) -> None:
    """A variable that AWS refuses is read as something."""
    with pytest.raises(MalformedPolicy):
        parse_template(text)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("a*", "a"),
        ("*", ""),
        ("aX*", "aX"),
        ("a*X", None),
        ("a*b*", None),
        ("a?*", None),
        ("a", None),
    ],
)
def test_a_prefix_is_all_that_is_asked(text: str, prefix: str | None) -> None:
    """A pattern that asks for more is compared by its beginning alone."""
    assert compile_pattern(text).prefix == prefix
