"""How closely each form of principal names each form of caller, beyond the tables."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.evaluation import Decision, Outcome, Policies, Request, decide
from openai_ekm.evaluation.context import read_context
from openai_ekm.evaluation.principals import MatchCloseness
from openai_ekm.evaluation.request import Situation
from openai_ekm.evaluation.statements import NOTHING, action_matches, examine, resource_matches
from openai_ekm.policy import DocumentKind, parse_document
from openai_ekm.policy.statement import split_arn_pattern

ACCOUNT, OTHER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
IAM, STS = f"arn:aws:iam::{ACCOUNT}", f"arn:aws:sts::{ACCOUNT}"
USER, ROLE, SESSION = f"{IAM}:user/u", f"{IAM}:role/r", f"{STS}:assumed-role/r/s"
FEDERATED, ROOT, SERVICE = f"{STS}:federated-user/f", f"{IAM}:root", "ec2.amazonaws.com"
S3 = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def _decide(caller: str, named: dict[str, Any], effect: str = "Allow", **more: Any) -> Decision:
    statement = {"Effect": effect, **named, "Action": "kms:Encrypt", "Resource": "*"}
    allow = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    statements = [statement] if effect == "Allow" else [allow, statement]
    policy = {"Version": "2012-10-17", "Statement": statements}
    context = more.pop("context", {})
    request = Request(caller, "kms:Encrypt", KEY, None, context)
    return decide(request, Policies(resource=policy, **more))


UNIQUE = {"Principal": {"AWS": "AROA123456789012"}}


def test_a_unique_id_of_a_role_stays_inside_the_limits() -> None:
    """A session named by its role's unique id escapes its boundary, or a user does not.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html
    """
    role = {"aws:userid": "AROA123456789012:s"}
    user = {"aws:userid": "AROA123456789012"}
    for caller in (SESSION, ROLE):
        assert _decide(caller, UNIQUE, context=role).allowed
        assert not _decide(caller, UNIQUE, context=role, permissions_boundary=S3).allowed
        assert not _decide(caller, UNIQUE, context=role, session=S3).allowed
    assert _decide(USER, UNIQUE, context=user, permissions_boundary=S3).allowed
    for other in ({}, {"aws:userid": "x"}, {"aws:userid": ["AROA123456789012"]}):
        assert not _decide(USER, UNIQUE, context=other).allowed
    for nobody in ("s3.amazonaws.com", f"{IAM}:saml-provider/i"):
        assert not _decide(nobody, UNIQUE, context=user).allowed


@pytest.mark.parametrize(
    ("caller", "principal", "outcome"),
    [
        (USER, {"AWS": f"{IAM}:user/U"}, "ImplicitlyDenied"),
        (USER, {"AWS": f"arn:aws:iam::{OTHER}:user/u"}, "ImplicitlyDenied"),
        (USER, {"AWS": f"arn:aws-cn:iam::{ACCOUNT}:user/u"}, "ImplicitlyDenied"),
        (ROOT, {"AWS": ACCOUNT}, "Allowed"),
        (ROOT, {"AWS": ROOT}, "Allowed"),
        (ROOT, {"AWS": f"arn:aws-cn:iam::{ACCOUNT}:root"}, "ImplicitlyDenied"),
        (ROOT, {"AWS": OTHER}, "ImplicitlyDenied"),
        (SESSION, {"AWS": ROLE}, "Allowed"),
        (SESSION, {"AWS": f"arn:aws-cn:iam::{ACCOUNT}:role/p/r"}, "ImplicitlyDenied"),
        (SESSION, {"AWS": f"arn:aws:iam::{OTHER}:role/r"}, "ImplicitlyDenied"),
        (SESSION, {"AWS": f"{IAM}:role/p/x"}, "ImplicitlyDenied"),
        (USER, {"AWS": f"{IAM}:role/u"}, "ImplicitlyDenied"),
        (SERVICE, {"Service": SERVICE}, "Allowed"),
        (SERVICE, {"Service": "s3.amazonaws.com"}, "ImplicitlyDenied"),
        (SERVICE, {"AWS": ACCOUNT}, "ImplicitlyDenied"),
        (FEDERATED, {"AWS": FEDERATED}, "Allowed"),
        (FEDERATED, {"AWS": f"arn:aws:iam::{OTHER}:user/u"}, "ImplicitlyDenied"),
    ],
)
def test_who_is_let_in(caller: str, principal: dict[str, str], outcome: str) -> None:
    """A caller passes for another one, or is left open where AWS is plain."""
    decision = _decide(caller, {"Principal": principal})
    assert decision.outcome.value == outcome
    assert decision.message is None


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        (FEDERATED, {"AWS": USER}),
        (SESSION, {"AWS": f"{IAM}:role/p/r"}),
        (SERVICE, {"AWS": "*"}),
        (f"{IAM}:saml-provider/p", {"AWS": "*"}),
    ],
)
def test_what_is_open_about_a_principal_is_a_denial_both_ways(
    caller: str, principal: dict[str, str]
) -> None:
    """An open question lets somebody in, or keeps a Deny from being feared."""
    assert _decide(caller, {"Principal": principal}).message
    if principal != {"AWS": "*"}:
        decision = _decide(caller, {"Principal": principal}, "Deny")
        assert decision.outcome is Outcome.IMPLICITLY_DENIED
        assert "may deny" in str(decision.message)


def test_the_closest_of_several_principals_counts() -> None:
    """A weaker or an open principal hides the one that names the caller."""
    several = [f"{IAM}:role/p/r", ACCOUNT, ROLE, SESSION, f"{IAM}:role/q/r"]
    for order in (several, several[::-1], [SESSION, ACCOUNT]):
        assert _decide(SESSION, {"Principal": {"AWS": order}}, permissions_boundary=S3).allowed
    assert not _decide(
        SESSION, {"Principal": {"AWS": [ACCOUNT, ROLE]}}, permissions_boundary=S3
    ).allowed


@pytest.mark.parametrize(
    ("caller", "excepted", "outcome"),
    [
        (SESSION, [SESSION, ROLE, ACCOUNT], "Allowed"),
        (SESSION, [ROLE, ACCOUNT], "ImplicitlyDenied"),
        (ROLE, [SESSION, ROLE, ACCOUNT], "ImplicitlyDenied"),
        (SESSION, [ROLE], "ImplicitlyDenied"),
        (SESSION, [ACCOUNT], "ImplicitlyDenied"),
        (SESSION, [SESSION, ACCOUNT], "ImplicitlyDenied"),
        (SESSION, [f"{IAM}:role/p/r", ACCOUNT], "ImplicitlyDenied"),
        (SESSION, [f"{IAM}:role/x"], "ExplicitlyDenied"),
        (USER, [USER, ACCOUNT], "Allowed"),
        (USER, [USER], "ImplicitlyDenied"),
        (USER, [f"{IAM}:user/v"], "ExplicitlyDenied"),
        (USER, ["*"], "Allowed"),
        (ROOT, [ACCOUNT], "Allowed"),
        (ROOT, [OTHER], "ExplicitlyDenied"),
        (USER, [], "ExplicitlyDenied"),
    ],
)
def test_whom_a_negated_principal_excepts(caller: str, excepted: list[str], outcome: str) -> None:
    """NotPrincipal spares somebody whom AWS might deny.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    negated = {"NotPrincipal": {"AWS": excepted}}
    assert _decide(caller, negated, "Deny").outcome.value == outcome
    limited = _decide(caller, negated, "Deny", permissions_boundary=ALL)
    assert limited.outcome is Outcome.EXPLICITLY_DENIED


def test_a_service_is_excepted_by_name() -> None:
    """NotPrincipal spares another service."""
    for name, sure in ((SERVICE, False), ("s3.amazonaws.com", True)):
        decision = _decide(SERVICE, {"NotPrincipal": {"Service": name}}, "Deny")
        assert (decision.outcome is Outcome.EXPLICITLY_DENIED) is sure


def test_levels_are_ordered() -> None:
    """A principal that names more closely counts as one that names less."""
    assert (
        MatchCloseness.ACCOUNT
        < MatchCloseness.ROLE
        < MatchCloseness.EVERYONE
        < MatchCloseness.ITSELF
    )


def test_whether_a_statement_covers_an_action() -> None:
    """A statement about other actions is explained as one that came near."""
    for name, covers in (("Action", True), ("NotAction", False)):
        text = {"Effect": "Allow", name: "kms:Encrypt", "Resource": "*"}
        (statement,) = parse_document({"Statement": text}, DocumentKind.IDENTITY).statements
        assert action_matches(statement, "kms:encrypt") is covers
        assert action_matches(statement, "kms:decrypt") is not covers


def test_nothing_stays_nothing() -> None:
    """What is shared by all decisions without a statement was changed by one."""
    _decide(USER, {"Principal": "*"})
    assert (NOTHING.allows, NOTHING.denies) == ([], [])
    assert (NOTHING.open_allows, NOTHING.open_denies) == ([], [])


def test_a_filled_pattern_is_not_everything() -> None:
    """An ARN with a variable counts as the resource that stands for all."""
    pattern = split_arn_pattern(((KEY, False),), "${aws:x}")
    assert pattern is not None
    assert not pattern.everything
    assert not pattern.literal


def test_documents_are_examined_as_they_are_decided() -> None:
    """What the proof asks of a layer differs from what a decision asks."""
    (named,) = Policies([ALL]).prepare("kms:Encrypt").identity
    for action, count in (("kms:Encrypt", 1), ("s3:GetObject", 1)):
        situation = read_context(Request(USER, action, KEY), bounded=False)
        assert isinstance(situation, Situation)
        assert len(examine([named], situation).allows) == count
        assert examine([], situation) is NOTHING


def test_a_trust_policy_covers_its_role() -> None:
    """A statement without a resource does not cover the role that it is on."""
    text = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    (statement,) = parse_document({"Statement": text}, DocumentKind.TRUST).statements
    situation = read_context(Request(USER, "sts:AssumeRole", ROLE), bounded=False)
    assert isinstance(situation, Situation)
    assert resource_matches(statement, situation) is True
