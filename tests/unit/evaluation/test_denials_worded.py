"""What a denial says that it lacked: the layer, the statement, the element, found and wanted."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.evaluation import Decision, Policies, Request, decide
from tests.constants import ACCOUNT

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
OTHER = f"arn:aws:iam::{ACCOUNT}:user/v"
ALLOW: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": USER},
    "Action": "kms:Encrypt",
    "Resource": "*",
}


def _key_policy(*statements: dict[str, Any], **context: Any) -> Decision:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    given = {f"aws:{name}": value for name, value in context.items()}
    return decide(Request(USER, "kms:Encrypt", KEY, None, given), Policies(resource=policy))


def _without(name: str, **members: Any) -> dict[str, Any]:
    return {**{key: value for key, value in ALLOW.items() if key != name}, **members}


@pytest.mark.parametrize(
    ("statement", "lack"),
    [
        (
            {**ALLOW, "Resource": ["arn:aws:kms:::key/2", "arn:aws:kms:::key/3"]},
            (
                f"Resource does not cover it: found {KEY}, wanted arn:aws:kms:::key/2, "
                "arn:aws:kms:::key/3"
            ),
        ),
        ({**ALLOW, "Resource": []}, f"Resource does not cover it: found {KEY}, wanted nothing"),
        (
            _without("Resource", NotResource=KEY),
            f"NotResource does not cover it: found {KEY}, wanted none of {KEY}",
        ),
        (
            {**ALLOW, "Principal": {"AWS": [OTHER, "444455556666"]}},
            f"Principal does not name {USER}: wanted {OTHER}, 444455556666",
        ),
        ({**ALLOW, "Principal": {}}, f"Principal does not name {USER}: wanted nobody"),
        (
            {**ALLOW, "Condition": {"StringEquals": {"aws:X": ["a", "b"]}}},
            (
                "condition StringEquals aws:X did not match: found nothing (the request has no "
                "such key), wanted 'a', 'b'"
            ),
        ),
        (
            {**ALLOW, "Condition": {"StringEquals": {"aws:one": "a"}}},
            "condition StringEquals aws:one did not match: found '1', wanted 'a'",
        ),
        (
            {**ALLOW, "Condition": {"ForAnyValue:StringEquals": {"aws:two": []}}},
            (
                "condition ForAnyValue:StringEquals aws:two did not match: found '1', '2', wanted "
                "nothing"
            ),
        ),
        (
            {**ALLOW, "Condition": {"ForAnyValue:StringEquals": {"aws:none": "a"}}},
            "condition ForAnyValue:StringEquals aws:none did not match: found no value, wanted 'a'",
        ),
        (
            {**ALLOW, "Condition": {"NumericEquals": {"aws:word": "1"}}},
            (
                "condition NumericEquals aws:word is open: NumericEquals on aws:word: 'x' cannot "
                "be compared with '1'"
            ),
        ),
    ],
)
def test_says_what_a_statement_lacked(statement: dict[str, Any], lack: str) -> None:
    """The sentence names another element, or another value found or wanted."""
    about_other = _without("Action", Action="kms:Decrypt", Resource="arn:aws:kms:::key/9")
    all_but = _without("Action", NotAction="kms:*", Resource="arn:aws:kms:::key/8")
    deny = {**ALLOW, "Effect": "Deny", "Resource": "arn:aws:kms:::key/7"}
    decision = _key_policy(
        about_other, all_but, deny, statement, one="1", two=["1", "2"], none=[], word="x"
    )
    first, second, *rest = decision.missing
    assert first == f"no statement of the key policy allows kms:Encrypt on {KEY} to {USER}"
    assert second == f"resource statement 3: {lack}"
    assert all("is open" in second and text in second for text in rest)


def test_each_condition_that_does_not_hold_is_said() -> None:
    """One unmet condition hides another."""
    conditions = {"StringEquals": {"aws:x": "a", "aws:y": "b", "aws:z": "c"}}
    decision = _key_policy({**ALLOW, "Sid": "s", "Condition": conditions}, y="b")
    assert [sentence.split(" did not")[0] for sentence in decision.missing[1:]] == [
        "resource statement 0 (s): condition StringEquals aws:x",
        "resource statement 0 (s): condition StringEquals aws:z",
    ]


def test_open_points_are_said_once_each() -> None:
    """The message repeats a point, or leaves one out."""
    odd = {**ALLOW, "Condition": {"NumericEquals": {"aws:word": "1"}}}
    other = {**ALLOW, "Condition": {"NumericEquals": {"aws:word": "2"}}}
    message = _key_policy(odd, odd, other, word="x").message
    points = [f"NumericEquals on aws:word: 'x' cannot be compared with '{n}'" for n in "12"]
    assert message == "; ".join(points)


def test_says_that_a_layer_is_not_there() -> None:
    """A denial for want of a policy does not say which."""
    decision = decide(Request(USER, "kms:Encrypt", KEY), Policies())
    assert decision.missing == (f"there is no key policy, so none allows kms:Encrypt on {KEY}",)


def test_names_every_layer_that_does_not_allow() -> None:
    """A denial by several policies names one of them alone."""
    delegating = {**ALLOW, "Principal": {"AWS": ACCOUNT}}
    nothing = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    }
    decision = decide(
        Request(USER, "kms:Encrypt", KEY),
        Policies(
            [nothing],
            {"Version": "2012-10-17", "Statement": delegating},
            nothing,
            nothing,
            [[nothing]],
            [[_rcp()]],
        ),
    )
    layers = [
        "identity policy",
        "permissions boundary",
        "session policy",
        "resource control policies at level 0",
        "service control policies at level 0",
    ]
    assert list(decision.missing) == [
        f"no statement of the {layer} allows kms:Encrypt on {KEY} to {USER}" for layer in layers
    ]
    assert decision.message is None


def _rcp() -> dict[str, Any]:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": deny}


@pytest.mark.parametrize("actions", [{"Action": "kms:Decrypt"}, {"NotAction": "kms:Enc*"}])
def test_a_statement_about_other_actions_lacks_nothing(actions: dict[str, str]) -> None:
    """A denial tells of statements that have nothing to do with what was asked."""
    elsewhere = {**_without("Action", **actions), "Principal": {"AWS": OTHER}}
    (sentence,) = _key_policy(elsewhere).missing
    assert "statement 0" not in sentence
