"""Which policies test the tag that a test of the monitoring sets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from openai_ekm.monitoring.message import TAG
from openai_ekm.monitoring.preflight import policies_that_test_the_tag, unseen_policies
from openai_ekm.snapshot import UNSEEN, Key, NamedPolicy, Registration, Role, Snapshot
from tests.constants import KEY, ROLE

PLAIN: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt"}]}


def with_condition(**condition: Any) -> dict[str, Any]:
    """A policy with a condition."""
    return {"Statement": [{**PLAIN["Statement"][0], "Condition": condition}]}


TESTED = with_condition(StringEquals={f"aws:ResourceTag/{TAG}": "x"})


def snapshot(
    key: Any = PLAIN, trust: Any = PLAIN, inline: Any = PLAIN, boundary: Any = None
) -> Snapshot:
    """A key and a role with these policies."""
    role = Role(ROLE, trust, (NamedPolicy("use", inline),), boundary)
    return Snapshot(Registration(ROLE, KEY, ""), role, (Key(KEY, policy=key),))


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("key", "the key policy"),
        ("trust", "the role's trust policy"),
        ("inline", "the role's policy use"),
        ("boundary", "the role's permissions boundary"),
    ],
)
def test_each_policy_is_looked_through(where: str, name: str) -> None:
    """Guards against: a policy that tests the tag and was not read for it."""
    assert policies_that_test_the_tag(snapshot()) == ()
    assert policies_that_test_the_tag(snapshot(**{where: TESTED})) == (name,)


@pytest.mark.parametrize(
    "document",
    [
        with_condition(Null={f"AWS:resourcetag/{TAG.upper()}": "true"}),
        with_condition(StringNotLike={f"aws:ResourceTag/{TAG}": "*"}),
        with_condition(StringEquals={"aws:PrincipalTag/x": f"${{aws:ResourceTag/{TAG}}}"}),
        json.dumps(TESTED),
        f'{{"broken": "aws:ResourceTag/{TAG}"',
    ],
    ids=range(5),
)
def test_each_way_to_test_it_is_found(document: Any) -> None:
    """Guards against: another operator, spelling or place of the condition key."""
    assert policies_that_test_the_tag(snapshot(key=document)) == ("the key policy",)


@pytest.mark.parametrize(
    "document",
    [
        with_condition(StringEquals={"aws:ResourceTag/team": "x"}),
        with_condition(StringEquals={f"aws:RequestTag/{TAG}": "x"}),
        with_condition(**{"ForAllValues:StringEquals": {"aws:TagKeys": [TAG]}}),
        None,
    ],
    ids=range(4),
)
def test_conditions_on_other_tags_and_on_the_call_are_not(document: Any) -> None:
    """Guards against: a refusal although the tag changes nobody's access."""
    assert policies_that_test_the_tag(snapshot(key=document)) == ()


def test_what_was_not_read_is_named() -> None:
    """Guards against: a policy that nobody looked through and nobody hears of."""
    assert unseen_policies(snapshot()) == ()
    assert unseen_policies(snapshot(key=UNSEEN, boundary=UNSEEN)) == (
        "the key policy",
        "the role's permissions boundary",
    )
    bare = replace(snapshot(), role=UNSEEN, keys=UNSEEN)
    assert unseen_policies(bare) == ("the key policy", "the role's policies")
