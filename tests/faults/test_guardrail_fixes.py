"""Of several fixes the one that gives least to others is shown, measured on many guardrails."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from openai_ekm.diagnosis import patch
from openai_ekm.evaluation import Policies, Request, decide
from openai_ekm.snapshot import Snapshot
from tests.support.diagnosed import cured, diagnosed
from tests.support.healthy import ACCOUNT, KEY, OPENAI, OTHER_KEY, ROLE, document, healthy, put

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
FULL = {**ALLOW, "Principal": "*"}
ABOUT: list[dict[str, Any]] = [
    {"Action": "kms:*"}, {"Action": "*"}, {"NotAction": ["iam:*", "sts:*"]}, {"NotAction": "iam:*"},
    {"Action": ["kms:Encrypt", "kms:Decrypt"]},
]  # fmt: skip
WHEN: list[dict[str, Any]] = [
    {},
    {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-central-1"]}},
    {"StringNotLikeIfExists": {"aws:RequestedRegion": "us-*"}},
    {"StringNotEquals": {"aws:PrincipalAccount": ["123412341234"]}},
    {"ArnNotLike": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:role/admin-*"]}},
    {"StringNotEquals": {"aws:PrincipalTag/data": "yes"}},
    {"StringNotEqualsIfExists": {"aws:PrincipalTag/data": ["yes", "maybe"]}},
    {"Null": {"aws:PrincipalTag/owner": "true"}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
]
OTHERS = [f"arn:aws:iam::{ACCOUNT}:role/somebody", f"arn:aws:iam::{ACCOUNT}:role/team/another",
          f"arn:aws:iam::{ACCOUNT}:user/anna"]  # fmt: skip
ASKED = [
    ("kms:Encrypt", KEY), ("kms:Decrypt", OTHER_KEY), ("kms:CreateGrant", KEY),
    ("s3:GetObject", "arn:aws:s3:::b/k"), ("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"),
    ("ec2:RunInstances", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/*"),
]  # fmt: skip
TAGS: list[dict[str, str]] = [{}, {"aws:PrincipalTag/data": "yes", "aws:PrincipalTag/owner": "me"}]


def let_through(snapshot: Snapshot) -> set[tuple[Any, ...]]:
    """What others may do, as far as the organization's policies decide."""
    grants = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*", "Resource": "*"}
    passing = set()
    assert isinstance(snapshot.scps, tuple)
    assert isinstance(snapshot.rcps, tuple)
    elsewhere = Policies(
        identity=(document(ALLOW),), resource=None, scps=snapshot.scps, rcps=snapshot.rcps
    )
    of_kms = replace(elsewhere, resource=document(grants)).prepare("kms:Encrypt")
    of_others = elsewhere.prepare("s3:GetObject")
    for who, (action, resource), tags in itertools.product(OTHERS, ASKED, TAGS):
        context = {"aws:RequestedRegion": "eu-west-1", "aws:SourceIp": "203.0.113.9", **tags}
        request = Request(who, action, resource, resource_account=ACCOUNT, context=context)
        if decide(request, of_kms if action.startswith("kms:") else of_others).allowed:
            passing.add((who, action, resource, *sorted(tags)))
    return passing


@pytest.mark.parametrize("when", range(len(WHEN)))
@pytest.mark.parametrize("about", range(len(ABOUT)))
@pytest.mark.parametrize("layer", ["scps", "rcps"])
def test_a_fix_of_a_guardrail_opens_nothing_to_others(layer: str, about: int, when: int) -> None:
    """Guards against: a fix that opens a Region or another key to the whole organization."""
    if layer == "rcps" and "NotAction" in ABOUT[about]:
        return  # a resource control policy takes none
    deny = {"Effect": "Deny", **ABOUT[about], "Resource": "*"}
    deny |= {"Condition": WHEN[when]} if WHEN[when] else {}
    if layer == "rcps":
        deny["Principal"] = "*"
        deny["Action"] = "kms:*" if deny["Action"] == "*" else deny["Action"]
    full = FULL if layer == "rcps" else ALLOW
    body = put(healthy(), layer, [[document(full)], [document(full), document(deny)]])
    snapshot = Snapshot.from_json(put(body, "role/tags", {}))
    found = diagnosed(put(body, "role/tags", {}))
    assert found.faults[0].fix
    changes = [change for fault in found.faults for change in fault.fix]
    assert let_through(patch.apply(snapshot, changes)) == let_through(snapshot)
    cured(snapshot, found)


@pytest.mark.parametrize(
    "operator", ["StringNotEquals", "StringNotEqualsIfExists", "StringNotLike"]
)
@pytest.mark.parametrize("tags", [..., {}, {"data": "no"}, {"DATA": "no"}])
def test_a_guardrail_that_asks_for_a_tag_is_met_by_tagging_the_role(
    operator: str, tags: Any
) -> None:
    """Guards against: the guardrail would get a hole for what its author foresaw a tag for."""
    deny = {"Effect": "Deny", "Action": "kms:*", "Resource": "*",
            "Condition": {operator: {"aws:PrincipalTag/data": "yes"}}}  # fmt: skip
    body = put(healthy(), "scps", [[document(ALLOW), document(deny)]])
    body = body if tags is ... else put(body, "role/tags", tags)
    found = diagnosed(body)
    (fault,) = found.faults
    (change,) = fault.fix
    assert change.path[:2] == ("role", "tags")
    assert "Tag the role: data=yes." in fault.remedy or "Tag the role" in fault.remedy
    cured(Snapshot.from_json(body), found)


def test_openai_is_not_tagged() -> None:
    """Guards against: the reader would be told to tag a role of OpenAI's account."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalTag/data": "yes"}}}  # fmt: skip
    body = put(healthy(), "rcps", [[document(FULL), document(deny)]])
    (fault,) = diagnosed(put(body, "role/tags", {})).faults
    assert [each.value for each in fault.fix] == [{"aws:PrincipalArn": OPENAI}]


@pytest.mark.parametrize(
    "allow",
    [
        {"Action": "s3:*"},
        {"Action": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": ["us-east-1"]}}},
        {"NotAction": ["kms:*"]},
        {"Action": ["kms:*"], "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
    ],
)
def test_a_list_of_what_is_allowed_gets_the_two_actions_on_the_key(allow: dict[str, Any]) -> None:
    """Guards against: a fix for one role that gives or takes a Region or service from all."""
    statement = {"Effect": "Allow", "Resource": "*", **allow}
    body = put(healthy(), "scps", [[document(ALLOW)], [document(statement)]])
    found = diagnosed(body)
    (fault,) = found.faults
    (change,) = fault.fix
    assert change.value["Resource"] == KEY
    assert sorted(change.value["Action"]) == ["kms:Decrypt", "kms:Encrypt"]
    before, after = (
        let_through(each)
        for each in (Snapshot.from_json(body), patch.apply(Snapshot.from_json(body), fault.fix))
    )
    assert before <= after
    assert {each[1:3] for each in after - before} <= {("kms:Encrypt", KEY), ("kms:Decrypt", KEY)}
    assert ROLE not in str(fault.near_misses)
