"""Who asks, what follows from that, and which requests are not judged."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from openai_ekm.evaluation import Outcome, Policies, Request, decide
from openai_ekm.evaluation.context import read_context
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import (
    Caller,
    CallerForm,
    RequiredGrants,
    Situation,
    parse_caller,
)
from openai_ekm.evaluation.services import route

ACCOUNT, OTHER = "111122223333", "444455556666"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
IAM, STS = f"arn:aws:iam::{ACCOUNT}", f"arn:aws:sts::{ACCOUNT}"
USER, ROLE, SESSION = f"{IAM}:user/path/u", f"{IAM}:role/path/r", f"{STS}:assumed-role/r/s"
ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.mark.parametrize(
    ("text", "form", "name", "role_arn"),
    [
        (SESSION, CallerForm.SESSION, "r", f"{IAM}:role/r"),
        (ROLE, CallerForm.ROLE, "r", ROLE),
        (USER, CallerForm.USER, "u", ""),
        (f"{STS}:federated-user/f", CallerForm.FEDERATED_USER, "f", ""),
        (f"{IAM}:root", CallerForm.ROOT, "root", ""),
        (f"{IAM}:saml-provider/p", CallerForm.PROVIDER, "p", ""),
        (f"{IAM}:oidc-provider/a.b/c", CallerForm.PROVIDER, "c", ""),
    ],
)
def test_a_caller_is_read(text: str, form: CallerForm, name: str, role_arn: str) -> None:
    """A caller is taken for another kind of principal, or for another one's role."""
    assert parse_caller(text) == Caller(form, text, "aws", ACCOUNT, name, role_arn)
    assert parse_caller(text.replace(":aws:", ":aws-cn:")).partition == "aws-cn"  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"])
def test_a_service_is_read(text: str) -> None:
    """A service's name is not read, or has an account."""
    assert parse_caller(text) == Caller(CallerForm.SERVICE, text, "", "", text)


def _situation(
    principal: str, action: str = "kms:Encrypt", resource: str = KEY, **given: Any
) -> Situation:
    context = {f"aws:{key}": value for key, value in given.items()}
    read = read_context(Request(principal, action, resource, None, context), bounded=False)
    assert isinstance(read, Situation), read
    return read


CALLED = {
    "aws:principalaccount": ACCOUNT,
    "aws:principalisawsservice": "false",
    "kms:calleraccount": ACCOUNT,
}
ABOUT = {"aws:resourceaccount": ACCOUNT, "aws:requestedregion": "eu-west-1"}


@pytest.mark.parametrize(
    ("principal", "keys"),
    [
        (
            SESSION,
            CALLED | {"aws:principalarn": f"{IAM}:role/r", "aws:principaltype": "AssumedRole"},
        ),
        (ROLE, CALLED | {"aws:principalarn": ROLE, "aws:principaltype": "AssumedRole"}),
        (
            USER,
            CALLED | {"aws:principalarn": USER, "aws:principaltype": "User", "aws:username": "u"},
        ),
        (
            f"{STS}:federated-user/f",
            CALLED
            | {"aws:principalarn": f"{STS}:federated-user/f", "aws:principaltype": "FederatedUser"},
        ),
        (
            f"{IAM}:root",
            CALLED
            | {
                "aws:principalarn": f"{IAM}:root",
                "aws:principaltype": "Account",
                "aws:userid": ACCOUNT,
            },
        ),
        (f"{IAM}:saml-provider/p", {}),
        (
            "ec2.amazonaws.com",
            {"aws:principalisawsservice": "true", "aws:principalservicename": "ec2.amazonaws.com"},
        ),
    ],
)
def test_what_follows_from_a_caller(principal: str, keys: dict[str, str]) -> None:
    """A condition key that follows from the principal is missing, or one is made up.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    assert _situation(principal).context.derived == keys | ABOUT


def test_what_follows_from_action_and_resource() -> None:
    """A key of KMS is derived for another service, or an account or Region out of nothing."""
    role = f"arn:aws:iam::{OTHER}:role/x"
    derived = _situation(USER, "sts:AssumeRole", role).context.derived
    assert derived["aws:resourceaccount"] == OTHER
    assert "kms:calleraccount" not in derived
    assert "aws:requestedregion" not in derived
    derived = _situation(USER, "kms:ListKeys", "*").context.derived
    assert "aws:resourceaccount" not in derived
    assert "aws:requestedregion" not in derived
    assert _situation(USER, "kms:ListKeys", "*").resource is None
    derived = _situation(USER, "sqs:Send", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q").context.derived
    assert "aws:requestedregion" not in derived


@pytest.mark.parametrize(
    ("principal", "stated", "role_arn", "known"),
    [
        (ROLE, None, ROLE, True),
        (USER, None, "", True),
        (SESSION, None, f"{IAM}:role/r", False),
        (SESSION, f"{IAM}:role/path/r", f"{IAM}:role/path/r", True),
        (SESSION, f"{IAM}:role/r", f"{IAM}:role/r", True),
        (SESSION, f"{IAM}:role/path/x", f"{IAM}:role/r", False),
        (SESSION, f"{IAM}:user/r", f"{IAM}:role/r", False),
        (SESSION, f"arn:aws:iam::{OTHER}:role/r", f"{IAM}:role/r", False),
        (SESSION, f"arn:aws-cn:iam::{ACCOUNT}:role/r", f"{IAM}:role/r", False),
        (SESSION, f"{STS}:role/r", f"{IAM}:role/r", False),
        (SESSION, "r", f"{IAM}:role/r", False),
        (SESSION, [f"{IAM}:role/path/r"], f"{IAM}:role/r", False),
        (SESSION, f"{IAM}:role/{'x' * 3000}/r", f"{IAM}:role/r", False),
    ],
)
def test_the_role_behind_a_caller(principal: str, stated: Any, role_arn: str, known: bool) -> None:
    """A session is taken for one of another role, or its path for known when it is not."""
    given = {} if stated is None else {"PrincipalArn": stated}
    read = _situation(principal, **given)
    assert (read.role_arn, read.path_known) == (role_arn, known)


@pytest.mark.parametrize("principal", [ROLE, SESSION])
def test_a_role_of_another_path_is_another_role(principal: str) -> None:
    """A caller whose role is known is left open beside a role of the same name."""
    trust = {**ALL["Statement"], "Principal": {"AWS": f"{IAM}:role/other/r"}}  # type: ignore[dict-item]
    policies = Policies(resource={"Version": "2012-10-17", "Statement": trust})
    decision = decide(
        Request(principal, "kms:Encrypt", KEY, None, {"aws:PrincipalArn": ROLE}), policies
    )
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert decision.message is None


@pytest.mark.parametrize(
    ("request_", "point"),
    [
        (Request(1, "kms:Encrypt", KEY), "must be strings"),  # type: ignore[arg-type]
        (Request(USER, 1, KEY), "must be strings"),  # type: ignore[arg-type]
        (Request(USER, "kms:Encrypt", 1), "must be strings"),  # type: ignore[arg-type]
        (Request("x", "kms:Encrypt", KEY), "is not a principal"),
        (Request(USER, "kms", KEY), "is not one action"),
        (Request(USER, "kms:", KEY), "is not one action"),
        (Request(USER, ":Encrypt", KEY), "is not one action"),
        (Request(USER, "kms:*", KEY), "is not one action"),
        (Request(USER, "kms:En?rypt", KEY), "is not one action"),
        (Request(USER, "kms:En crypt", KEY), "is not one action"),
        (Request(USER, "kms:Encrypt", "x"), "is not the ARN of a resource"),
        (Request(USER, "kms:Encrypt", f"{KEY}*"), "is not the ARN of a resource"),
        (Request(USER, "kms:Encrypt", f"{KEY}?"), "is not the ARN of a resource"),
        (Request(USER, "kms:Encrypt", KEY, OTHER), "is not the account of"),
        (Request(USER, "kms:Encrypt", KEY, "1"), "is not twelve digits"),
        (Request(USER, "kms:Encrypt", KEY, ""), "is not twelve digits"),
        (Request(USER, "kms:Encrypt", KEY, 1), "is not twelve digits"),  # type: ignore[arg-type]
        (Request(USER, "kms:Encrypt", KEY, []), "is not twelve digits"),  # type: ignore[arg-type]
        (Request(USER, "kms:Encrypt", KEY, "1" * 3000), "is not twelve digits"),
        (Request(USER, "kms:Encrypt", f"{KEY}{'x' * 3000}"), "longer than any ARN"),
        (Request(USER, "kms:Encrypt", KEY, None, []), "is an object"),  # type: ignore[arg-type]
        (Request(USER, "kms:Encrypt", KEY, None, {1: "x"}), "is a string"),  # type: ignore[dict-item]
        (Request(USER, "kms:Encrypt", KEY, None, {"aws:x": "", "AWS:X": ""}), "twice"),
        (Request(USER, "kms:Encrypt", KEY, None, {"aws:x": [None]}), "the value of aws:x"),  # type: ignore[list-item]
        (Request(USER, "kms:Encrypt", KEY, None, {"aws:x": {}}), "the value of aws:x"),  # type: ignore[dict-item]
    ],
)
def test_a_request_that_does_not_exist_is_not_judged(request_: Request, point: str) -> None:
    """A request that nobody can make is decided, and perhaps allowed."""
    read = read_context(request_, bounded=False)
    assert isinstance(read, OpenPoint)
    assert point in read.text


def test_a_context_is_read() -> None:
    """A value of the context is lost, or a context that is no dict is refused."""
    given = {"aws:A": "a", "aws:b": ["x", 1], "aws:c": (True,), "aws:d": 1, "aws:e": False}
    context: MappingProxyType[str, Any] = MappingProxyType(given)
    read = read_context(Request(USER, "kms:XxX", KEY, ACCOUNT, context), bounded=True)
    assert isinstance(read, Situation)
    assert read.context.given == {
        "aws:a": "a",
        "aws:b": ("x", "1"),
        "aws:c": ("true",),
        "aws:d": "1",
        "aws:e": "false",
    }
    assert (read.action, read.service, read.bounded) == ("kms:xxx", "kms", True)
    assert (read.resource_account, read.region) == (ACCOUNT, "eu-west-1")


def test_nothing_of_a_request_is_kept_for_the_next() -> None:
    """The same question is answered with the context, boundary or account of the one before."""
    path = {"aws:principalarn": ROLE}
    for context, role_arn, known in (({}, f"{IAM}:role/r", False), (path, ROLE, True)) * 2:
        for bounded in (False, True, False):
            read = read_context(Request(SESSION, "kms:Sign", KEY, None, context), bounded=bounded)
            assert isinstance(read, Situation)
            assert (read.role_arn, read.path_known, read.bounded) == (role_arn, known, bounded)
            assert read.context.given == context
            assert read.context.get("aws:principalarn") == role_arn
    for stated in (ACCOUNT, OTHER, None, ACCOUNT):
        read = read_context(Request(USER, "s3:GetObject", "arn:aws:s3:::c", stated), bounded=False)
        assert isinstance(read, Situation)
        assert read.resource_account == (stated or "")


def test_the_account_of_a_resource_may_be_stated() -> None:
    """A bucket's account is not taken from the request, or made up."""
    for resource, stated, account in (
        ("arn:aws:s3:::b", ACCOUNT, ACCOUNT),
        ("arn:aws:s3:::b", None, ""),
        ("*", ACCOUNT, ACCOUNT),
        (KEY, ACCOUNT, ACCOUNT),
    ):
        read = read_context(Request(USER, "s3:GetObject", resource, stated), bounded=False)
        assert isinstance(read, Situation)
        assert read.resource_account == account


@pytest.mark.parametrize(
    "name",
    [
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "SetContext",
        "SetSourceIdentity",
        "TagSession",
    ],
)
def test_an_action_on_a_role_asks_its_trust_policy(name: str) -> None:
    """An action that takes a role is decided by identity policies alone."""
    role = f"{IAM}:role/r"
    assert not decide(Request(USER, f"sts:{name}", role), Policies([ALL])).allowed
    trust = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": f"sts:{name}"}
    trusted = Policies(resource={"Version": "2012-10-17", "Statement": trust})
    assert decide(Request(USER, f"sts:{name}", role), trusted).allowed
    for other in ("*", KEY, f"{IAM}:user/r", f"arn:aws:x::{ACCOUNT}:role/r"):
        decision = decide(Request(USER, f"sts:{name}", other), trusted)
        assert "needs the ARN of a role" in str(decision.message)


@pytest.mark.parametrize("name", ["GetCallerIdentity", "GetSessionToken"])
def test_what_needs_no_permission_is_not_decided(name: str) -> None:
    """An operation that no policy decides is decided by one."""
    assert "no permission" in str(
        decide(Request(USER, f"sts:{name}", "*"), Policies([ALL])).message
    )


@pytest.mark.parametrize(
    ("action", "resource", "way"),
    [
        ("kms:Encrypt", KEY, RequiredGrants.RESOURCE),
        ("kms:ListKeys", "*", RequiredGrants.IDENTITY),
        ("kms:CreateAlias", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/a", RequiredGrants.IDENTITY),
        ("kms:CreateAlias", KEY, RequiredGrants.RESOURCE),
        ("kms:Encrypt", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/a", None),
        ("kms:Encrypt", f"arn:aws:kmsx:eu-west-1:{ACCOUNT}:key/1", None),
        ("kms:Encrypt", f"arn:aws:kms:eu-west-1:{ACCOUNT}:keys/1", None),
        ("kms:CreateAlias", f"arn:aws:kmsx:eu-west-1:{ACCOUNT}:alias/a", None),
        ("kms:Encrypt", "*", None),
        ("kms:ListKeys", KEY, None),
        ("sts:AssumeRole", f"{IAM}:role/r", RequiredGrants.RESOURCE),
        ("sts:AssumeRole", "*", None),
        ("sts:GetFederationToken", f"{STS}:federated-user/f", RequiredGrants.IDENTITY),
        ("sts:GetCallerIdentity", "*", None),
        ("s3:GetObject", "*", RequiredGrants.IDENTITY),
    ],
)
def test_which_way_a_request_is_decided(
    action: str, resource: str, way: RequiredGrants | None
) -> None:
    """A request is decided by identity policies where the key's or role's own must have a say."""
    found = route(_situation(USER, action, resource), has_resource_policy=False)
    assert (None if isinstance(found, OpenPoint) else found) is way


def test_a_resource_policy_of_another_service_is_left_open() -> None:
    """A policy that is not read as its service reads it decides."""
    found = route(_situation(USER, "s3:GetObject", "*"), has_resource_policy=True)
    assert isinstance(found, OpenPoint)
