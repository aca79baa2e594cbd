"""Refused calls of which nothing says what they were about: no alarm tells of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from openai_ekm.usage.answers import exit_code
from openai_ekm.usage.target import Target
from tests.support.cloudtrail_events import (
    ACCOUNT,
    ADMINISTRATOR,
    KEY_ARN,
    OPENAI_SESSION,
    OTHER_KEY,
    ROLE_ARN,
    USER,
    api_event,
    of_key,
)
from tests.unit.usage.asking import about

WORDS = "User: x is not authorized to perform: {} on resource: {} because no"
NOTHING: dict[str, Any] = {
    "errorCode": "AccessDenied",
    "errorMessage": WORDS.format("it", "*"),
    "requestParameters": None,
    "resources": None,
}


def told(service: str, name: str, who: dict[str, Any] = USER, **detail: Any) -> dict[str, Any]:
    """The document about one call, refused and naming nothing where `detail` does not say else."""
    return about([api_event(service, name, who, **(NOTHING | detail))["detail"]])


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("kms", "DisableKey"),
        ("kms", "CreateGrant"),
        ("kms", "Decrypt"),
        ("kms", "GenerateDataKeyPair"),
        ("iam", "DeleteRole"),
        ("sts", "AssumeRole"),
        ("sts", "AssumeRoleWithSAML"),
    ],
)
@pytest.mark.parametrize("message", [None, WORDS.format("it", "*")])
def test_a_refusal_that_names_nothing_is_listed(
    service: str, name: str, message: str | None
) -> None:
    """Guards against: an attempt on the key that neither an alarm nor `ekm usage` tells of."""
    found = told(service, name, errorMessage=message)
    assert found["unattributed"]["calls"] == 1
    (event,) = found["unattributed"]["events"]
    assert event["operation"] == f"{service}:{name}"
    assert event["principal"] == USER["arn"]
    assert "names no key and no role" in event["reason"]
    assert found["changes"]["calls"] == found["others"]["calls"] == 0
    assert exit_code(found) == 0


@pytest.mark.parametrize(
    ("service", "name", "detail"),
    [
        ("kms", "DisableKey", {"errorCode": None}),
        ("kms", "DescribeKey", {}),
        ("s3", "Decrypt", {}),
        ("s3", "DisableKey", {}),
        ("s3", "AssumeRole", {}),
        ("cloudtrail", "StopLogging", {}),
        ("kms", "DisableKey", {"recipientAccountId": "999988887777"}),
        ("kms", "CreateAlias", {"requestParameters": {"targetKeyId": OTHER_KEY}}),
        ("kms", "DeleteAlias", {"requestParameters": {"aliasName": "alias/another"}}),
        *(
            ("kms", name, named)
            for name in ("DisableKey", "Decrypt")
            for key in (KEY_ARN, OTHER_KEY)
            for named in (
                of_key(key),
                {"errorMessage": WORDS.format(f"kms:{name}", key)},
                {"requestParameters": {"keyId": "alias/another"}},
                {"resources": of_key(key)["resources"]},
                {"errorMessage": f"The key {key} is pending deletion."},
            )
        ),
        ("iam", "DeleteRole", {"requestParameters": {"roleName": "another"}}),
        ("iam", "DeleteRole", {"errorMessage": WORDS.format("it", "role another")}),
        ("sts", "AssumeRole", {"requestParameters": {"roleArn": f"{ROLE_ARN}-2"}}),
        ("sts", "AssumeRole", {"errorMessage": WORDS.format("it", f"{ROLE_ARN}-2")}),
    ],
)
def test_what_is_done_or_named_is_not(service: str, name: str, detail: dict[str, Any]) -> None:
    """Guards against: a list of every refusal in the account."""
    assert told(service, name, **detail)["unattributed"] == {"calls": 0, "events": []}


def test_the_roles_own_session_is_told_elsewhere() -> None:
    """Guards against: one refusal of OpenAI's in two lists."""
    found = told("kms", "Decrypt", OPENAI_SESSION)
    assert found["unattributed"]["calls"] == 0
    assert found["undecided"]["calls"] == 1
    assert told("kms", "Decrypt", ADMINISTRATOR)["unattributed"]["calls"] == 1


def test_the_accounts_of_the_key_and_of_the_role_count() -> None:
    """Guards against: a role in another account than the key, whose refusals are left out."""
    elsewhere = Target(KEY_ARN, ROLE_ARN.replace(ACCOUNT, "444455556666"))
    for account, calls in ((ACCOUNT, 1), ("444455556666", 1), ("999988887777", 0)):
        record = api_event("iam", "DeleteRole", **NOTHING, recipientAccountId=account)["detail"]
        assert about([record], elsewhere)["unattributed"]["calls"] == calls


def test_the_hour_before_is_left_out() -> None:
    """AssumeRole is read from an hour before `--since`, to tell whose the sessions are."""
    record = api_event("sts", "AssumeRole", **NOTHING)["detail"]
    began = datetime.fromisoformat(record["eventTime"])
    for since, calls in ((began, 1), (began + timedelta(minutes=30), 0)):
        target = Target(KEY_ARN, ROLE_ARN, since=since)
        assert about([record], target)["unattributed"]["calls"] == calls


def test_a_call_counts_once() -> None:
    """Guards against: a row for each watch that the call could belong to."""
    record = api_event("kms", "TagResource", **NOTHING)["detail"]
    assert record["recipientAccountId"] == ACCOUNT
    assert about([record, record])["unattributed"]["calls"] == 1
