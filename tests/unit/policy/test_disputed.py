"""Documents of which AWS's pages do not agree whether they are saved: open, and never allowed."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

from openai_ekm.evaluation import Policies, Request, decide
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from openai_ekm.policy.document import replaced
from tests.constants import KEY, ROLE
from tests.support.module_policies import USE, document

NAMES = ("kms:Encrypt", "kms:Decrypt", "ec2:*", "s3:Get*")
ACTIONS = [f" {name}" for name in NAMES] + [f"{name} " for name in NAMES]
ACTIONS += [f"{a}{joint}{b}" for a, b in itertools.permutations(NAMES, 2) for joint in (",", ", ")]
ACTIONS += ["kms:Encrypt\t", "\nkms:Encrypt", "kms:Encrypt,", "kms:Encrypt kms:Decrypt"]
SHORT = ["arn:aws:kms:*", "arn:aws:kms:eu-west-1:*", "arn:aws:s3:*", "arn:aws:s3::*",
         "arn:aws-cn:kms:*", "arn:aws:kms:eu-*"]  # fmt: skip
MALFORMED = ["kms:Enc rypt", "kms", " ", ",", "kms: Encrypt", "kms:Encrypt;kms:Decrypt", "é:x "]
NO_ARNS = ["arn:aws:kms", "arn:aws:*", "arn:*", "arn:aws:kms:eu-west-1:111122223333", "key/*",
           "arn::kms:*", "arn:aws:*:*"]  # fmt: skip


def complaint(element: str, value: Any) -> MalformedPolicy:
    """What is wrong with a policy that holds a value."""
    with pytest.raises(MalformedPolicy) as refused:
        parse_document(document({**USE, element: value}), DocumentKind.IDENTITY)
    return refused.value


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(
    ("element", "text"),
    [*(("Action", each) for each in ACTIONS), *(("Resource", each) for each in SHORT)],
)
def test_it_is_open_and_what_stands_instead_is_saved(element: str, text: str, listed: bool) -> None:
    """A fix would leave a document that AWS refuses as well, or of which that is as open."""
    fault = complaint(element, [text] if listed else text)
    assert fault.disputed
    assert fault.instead
    whole = document({**USE, element: ["*", text] if listed else text})
    fault = complaint(element, ["*", text] if listed else text)
    mended = replaced(whole, fault.place, fault.instead or ())
    parse_document(mended, DocumentKind.IDENTITY)
    session = f"{ROLE.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/s"
    key_policy = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*",
                           "Resource": "*"})  # fmt: skip
    for policies in (
        Policies(identity=(whole,), resource=key_policy),
        Policies(identity=(document(USE), whole), resource=key_policy),
    ):
        decision = decide(Request(session, "kms:Encrypt", KEY), policies)
        assert decision.outcome == "ImplicitlyDenied"
        assert "pages do not agree" in str(decision.message)


@pytest.mark.parametrize(
    ("element", "text"),
    [*(("Action", each) for each in MALFORMED), *(("Resource", each) for each in NO_ARNS)],
)
def test_what_is_no_action_and_no_arn_is_malformed(element: str, text: str) -> None:
    """A document that no page of AWS's lets pass would be called open."""
    assert not complaint(element, text).disputed


def test_many_open_points_cost_no_more_than_a_few() -> None:
    """A policy of a thousand actions with a blank would be read a thousand times."""
    fault = complaint("Action", [f"kms:A{number} " for number in range(5000)])
    assert fault.disputed


@pytest.mark.parametrize(
    ("place", "texts", "statements"),
    [
        ("Statement[0].Action", ("x",), [{"Action": "x"}, {"Action": ["b", "c", "d"]}]),
        ("Statement[0].Action", ("x", "y"), [{"Action": ["x", "y"]}, {"Action": ["b", "c", "d"]}]),
        ("Statement[1].Action[0]", ("x",), [{"Action": "a"}, {"Action": ["x", "c", "d"]}]),
        ("Statement[1].Action[1]", ("x", "y"), [{"Action": "a"}, {"Action": ["b", "x", "y", "d"]}]),
        ("Statement[1].Action[2]", (), [{"Action": "a"}, {"Action": ["b", "c"]}]),
    ],
)
def test_other_texts_stand_in_the_place_of_one(
    place: str, texts: tuple[str, ...], statements: list[Any]
) -> None:
    """Guards against: a repair that is tried at another place than the fault's."""
    before = {"Id": "1", "Statement": [{"Action": "a"}, {"Action": ["b", "c", "d"]}]}
    kept = copy.deepcopy(before)
    assert replaced(before, place, texts) == {"Id": "1", "Statement": statements}
    assert before == kept


def test_a_statement_that_stands_alone_is_replaced_in_a_list() -> None:
    """Guards against: a single statement in which nothing is found."""
    before = {"Statement": {"Effect": "Allow", "Action": ["a"]}}
    after = {"Statement": [{"Effect": "Allow", "Action": ["x"]}]}
    assert replaced(before, "Statement[0].Action[0]", ("x",)) == after


def test_the_surest_of_twenty_faults_is_told() -> None:
    """Guards against: a search that goes on for as many faults as somebody writes."""
    disputed = [f"kms:A{number} " for number in range(19)]
    assert not complaint("Action", [*disputed, "kms"]).disputed
    assert complaint("Action", [*disputed, "kms:B ", "kms"]).disputed


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("arn:aws:s3:*", "arn:aws:s3:*:*:*"),
        ("arn:aws:kms:eu-*", "arn:aws:kms:eu-*:*:*"),
        ("arn:aws:s3::*", "arn:aws:s3::*:*"),
    ],
)
def test_a_short_arn_is_lengthened_by_wildcards(short: str, whole: str) -> None:
    """Guards against: a short ARN that is read as another set of resources than AWS's."""
    assert complaint("Resource", short).instead == (whole,)
