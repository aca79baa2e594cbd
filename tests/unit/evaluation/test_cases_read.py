"""Cases and their policies as they are read: lists, levels, documents that come parsed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_ekm.evaluation import Outcome, Policies, Request, decide
from openai_ekm.evaluation.case import BadCase, case_of, read_case
from openai_ekm.evaluation.policies import PreparedPolicies
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from tests.constants import ACCOUNT

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
CASE: dict[str, Any] = {
    "id": "c",
    "request": {"principal": USER, "action": "kms:Encrypt", "resource": KEY},
    "policies": {},
}


@pytest.mark.parametrize("name", ["identity", "scps", "rcps", "grants"])
@pytest.mark.parametrize("value", [{}, "x", None, 1])
def test_the_lists_of_a_case_are_lists(name: str, value: Any) -> None:
    """A case with something else in the place of a list is decided."""
    with pytest.raises(BadCase, match=f"policies.{name} must be a list"):
        case_of({**CASE, "policies": {name: value}})


@pytest.mark.parametrize("name", ["scps", "rcps"])
def test_the_levels_of_a_case_are_lists(name: str) -> None:
    """A case with a document in the place of a level is decided."""
    with pytest.raises(BadCase, match="one list a level"):
        case_of({**CASE, "policies": {name: [[], {}]}})
    assert case_of({**CASE, "policies": {name: [[], []]}})


@pytest.mark.parametrize("name", ["resource", "permissions_boundary", "session"])
def test_other_policies_of_a_case_may_be_absent(name: str) -> None:
    """A case that says null for a policy is refused."""
    assert getattr(case_of({**CASE, "policies": {name: None}}).policies, name) is None


@pytest.mark.parametrize("name", ["principal", "action", "resource"])
@pytest.mark.parametrize("value", [None, 1, []])
def test_the_members_of_a_request_are_texts(name: str, value: Any) -> None:
    """A request without a text for who, what or on what is decided."""
    with pytest.raises(BadCase, match=f"request.{name} must be a string"):
        case_of({**CASE, "request": {**CASE["request"], name: value}})


@pytest.mark.parametrize(
    "value", [None, 1, [], {"a": None}, {"a": {}}, {"a": [[]]}, {"a": ["x", None]}]
)
def test_the_context_of_a_case_is_texts(value: Any) -> None:
    """A context that no request has is decided."""
    with pytest.raises(BadCase, match=r"request\.context"):
        case_of({**CASE, "request": {**CASE["request"], "context": value}})


def test_views_are_kept_in_bounded_number() -> None:
    """Every request looks at all statements anew, or a stream of made-up actions fills memory."""
    prepared = Policies([ALL]).prepare("kms:Encrypt")
    first = prepared.about("kms:encrypt")
    prepared.about("kms:decrypt")
    assert prepared.about("kms:encrypt") is first
    for number in range(1000):
        prepared.about(f"kms:{number}")
        assert len(prepared._by_action) <= 128
    assert prepared == Policies([ALL]).prepare("kms:Encrypt")
    assert "_by_action" not in repr(prepared)


def test_a_document_may_come_parsed_as_its_kind() -> None:
    """A document that was read as another kind is decided, or one of the right kind is not."""
    parsed = parse_document(ALL, DocumentKind.IDENTITY)
    request = Request(USER, "kms:ListKeys", "*")
    assert (
        decide(request, Policies([parsed])).decided_by
        == decide(request, Policies([ALL])).decided_by
    )
    for policies, place in (
        (Policies(resource=parsed), "resource"),
        (Policies(scps=[[], [parsed]]), "scps[1][0]"),
        (Policies(identity=[ALL, parse_document(ALL, DocumentKind.SCP)]), "identity[1]"),
    ):
        with pytest.raises(MalformedPolicy, match="was read as") as caught:
            policies.prepare("kms:Encrypt")
        assert caught.value.place == place


@pytest.mark.parametrize("name", ["identity", "scps", "rcps", "grants"])
@pytest.mark.parametrize("value", [None, "x", {}, 0])
def test_lists_of_policies_are_lists(name: str, value: Any) -> None:
    """Something else in the place of a list of policies counts as none."""
    decision = decide(Request(USER, "kms:ListKeys", "*"), Policies(**{name: value}))
    assert decision.outcome is Outcome.ERROR
    assert decision.message == f"{name}: must be a list"


@pytest.mark.parametrize("name", ["scps", "rcps"])
def test_a_level_is_a_list(name: str) -> None:
    """A document in the place of a level counts as no level."""
    for value in ({}, None, ALL):
        levels: dict[str, Any] = {name: [[], value]}
        decision = decide(Request(USER, "kms:ListKeys", "*"), Policies(**levels))
        assert decision.message == f"{name}[1]: must be a list"


def test_the_service_of_the_action_says_what_the_resource_policy_is() -> None:
    """A trust policy is read as a key policy, or the other way round."""
    trust = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    policies = Policies(resource={"Version": "2012-10-17", "Statement": trust})
    for action in ("sts:AssumeRole", "STS:assumerole"):
        prepared = policies.prepare(action).resource
        assert prepared is not None
        assert prepared.document.kind is DocumentKind.TRUST
    for other in ("kms:Encrypt", "stsx:A", 1):
        with pytest.raises(MalformedPolicy):
            policies.prepare(other)  # type: ignore[arg-type]


def test_no_policies_are_none_at_all() -> None:
    """A policy that is not in force is taken for an empty one."""
    empty = PreparedPolicies((), None, None, None, (), (), ())
    assert Policies().prepare("kms:Encrypt") == empty
    assert Policies([], None, None, None, [], [], []).prepare("kms:Encrypt") == empty
    prepared = Policies(scps=[[], [ALL]]).prepare("kms:Encrypt")
    assert [[each.name for each in level] for level in prepared.scps] == [[], ["scps[1][0]"]]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "resource: the document has no Statement"),
        ({"Version": 1, "Statement": []}, "resource: Version: 1 is not one of"),
        ([], "resource: a policy document is a JSON object"),
    ],
)
def test_a_fault_is_said_with_the_name_of_the_document(document: Any, message: str) -> None:
    """An error does not say which document is at fault, or says it with stray punctuation."""
    decision = decide(Request(USER, "kms:Encrypt", KEY), Policies(resource=document))
    assert str(decision.message).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id": "a", "id": "b", "request": {}}', "case holds 'id' twice"),
        ('{"id": "a", "request": {"action": "a", "action": "b"}}', "request holds 'action' twice"),
        ("[", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "case must be an object"),
        ('{"id": 1}', "id must be a string"),
        ('{"id": "a", "x": 1}', "'x' is not a member of case: id, policies, request"),
        ('{"id": "a"}', "request must be an object"),
    ],
)
def test_a_line_that_is_no_case_is_refused(text: str, message: str) -> None:
    """A typo in a case passes untested."""
    with pytest.raises(BadCase, match=message):
        read_case(text)


def test_members_of_a_case_stand_once_and_are_known() -> None:
    """A repeated or unknown policy, or a repeated condition key, passes untested."""
    request = json.dumps(CASE["request"])
    for policies in ('{"session": null, "session": null}', '{"sesion": null}'):
        with pytest.raises(BadCase, match="policies"):
            read_case(f'{{"id": "a", "request": {request}, "policies": {policies}}}')
    twice = f'{request[:-1]}, "context": {{"a:b": "1", "a:b": "2"}}}}'
    with pytest.raises(BadCase, match=r"request\.context holds 'a:b' twice"):
        read_case(f'{{"id": "a", "request": {twice}}}')
    assert read_case(f'{{"id": "a", "request": {request}}}') == case_of({**CASE, "id": "a"})


@pytest.mark.parametrize("value", [1, [], {}, True])
def test_the_account_of_a_case_is_a_text(value: Any) -> None:
    """A case with something else for the resource's account is decided."""
    with pytest.raises(BadCase, match="twelve digits"):
        case_of({**CASE, "request": {**CASE["request"], "resource_account": value}})


def test_an_answer_names_each_statement() -> None:
    """An answer lacks the document, the index, the Sid or the effect of a statement."""
    for effect in ("Allow", "Deny"):
        statement = {"Sid": "s", "Effect": effect, "Action": "*", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        answer = decide(Request(USER, "kms:ListKeys", "*"), Policies([document])).as_json()
        named = {"document": "identity[0]", "statement": 0, "sid": "s", "effect": effect}
        outcome = "Allowed" if effect == "Allow" else "ExplicitlyDenied"
        assert answer == {"decision": outcome, "decided_by": [named], "missing": []}
