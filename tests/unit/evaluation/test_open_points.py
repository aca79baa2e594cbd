"""`allows`: the decision with what AWS's pages leave open taken one way or the other."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_ekm.evaluation import OpenPoints, Outcome, Policies, Request, allows, decide
from openai_ekm.evaluation.case import case_of
from openai_ekm.evaluation.context import read_context
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import RequiredGrants
from openai_ekm.evaluation.services import route
from openai_ekm.policy import MalformedPolicy
from tests.unit.evaluation import random_cases

ACCOUNT = "111122223333"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/one"
# Of two values of a key AWS does not say how an operator for one value compares them.
SEVERAL = {"aws:TagKeys": ["a", "b"]}
ONE_VALUE = {"StringEquals": {"aws:TagKeys": "a"}}
REQUEST = Request(SESSION, "kms:Decrypt", KEY, ACCOUNT, SEVERAL)
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"


def statement(effect: str, **more: Any) -> dict[str, Any]:
    """A statement about everything."""
    return {"Effect": effect, "Action": "kms:*", "Resource": "*", **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


ALLOW, DENY = statement("Allow"), statement("Deny")
OPEN_ALLOW = statement("Allow", Condition=ONE_VALUE)
OPEN_DENY = statement("Deny", Condition=ONE_VALUE)
NAMED = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"}}
DELEGATED = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
# The RCP that AWS attaches everywhere; a customer's holds Deny alone.
RCP_OF_AWS = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
LAYERS = ("identity", "resource", "permissions_boundary", "session", "scps", "rcps")


def policies(changed: str, statements: tuple[dict[str, Any], ...]) -> Policies:
    """Policies of which each layer allows, but for one that holds these statements."""
    level = document(*statements)
    found = Policies(
        identity=(document(ALLOW),),
        resource=document({**ALLOW, **DELEGATED}),
        permissions_boundary=document(ALLOW),
        session=document(ALLOW),
        scps=((document(ALLOW),),),
        rcps=((document(RCP_OF_AWS),),),
    )
    if changed == "identity":
        return replace(found, identity=(level,))
    if changed == "resource":
        return replace(found, resource=document(*({**each, **DELEGATED} for each in statements)))
    if changed == "scps":
        return replace(found, scps=((level,),))
    if changed == "rcps":
        denies = [{**each, "Principal": "*"} for each in statements if each["Effect"] == "Deny"]
        return replace(found, rcps=((document(RCP_OF_AWS), document(*denies)),))
    if changed == "session":
        return replace(found, session=level)
    return replace(found, permissions_boundary=level)


def answers(request: Request, given: Policies, *, by_resource: bool) -> tuple[bool, bool]:
    """What `allows` says with open points allowed, and with them denied."""
    prepared = given.prepare(request.action)
    situation = read_context(request, bounded=prepared.permissions_boundary is not None)
    assert not isinstance(situation, OpenPoint)
    found = [
        allows(situation, prepared, by_resource_policy=by_resource, open_points=each)
        for each in (OpenPoints.ALLOWED, OpenPoints.DENIED)
    ]
    return found[0], found[1]


CASES: dict[str, tuple[tuple[dict[str, Any], ...], tuple[bool, bool]]] = {
    "allow": ((ALLOW,), (True, True)),
    "deny": ((ALLOW, DENY), (False, False)),
    "open deny": ((ALLOW, OPEN_DENY), (True, False)),
    "open allow": ((OPEN_ALLOW,), (True, False)),
    "both open": ((OPEN_ALLOW, OPEN_DENY), (True, False)),
    "open allow, deny": ((OPEN_ALLOW, DENY), (False, False)),
    "neither": ((statement("Allow", Action="kms:Encrypt"),), (False, False)),
}


@pytest.mark.parametrize(
    ("layer", "what"),
    [(layer, what) for layer in LAYERS for what in CASES if layer != "rcps" or "deny" in what],
)
def test_an_open_point_of_any_layer_is_taken_as_it_is_asked(layer: str, what: str) -> None:
    """Guards against: a layer whose open points the proof passes over, or takes for settled."""
    statements, expected = CASES[what]
    given = policies(layer, statements)
    assert answers(REQUEST, given, by_resource=True) == expected
    if layer != "resource":
        # Without a resource policy to delegate, identity policies are the root of access.
        found = answers(REQUEST, replace(given, resource=None), by_resource=False)
        assert found == expected


def test_a_resource_policy_that_names_the_role_is_enough() -> None:
    """Guards against: a way to access that is mixed up with the other."""
    given = Policies(resource=document({**OPEN_ALLOW, **NAMED}))
    assert answers(REQUEST, given, by_resource=True) == (True, False)
    assert answers(REQUEST, given, by_resource=False) == (False, False)


def test_an_open_allow_names_the_caller_as_closely_as_it_says() -> None:
    """Guards against: an open statement that only delegates, and counts as enough alone."""
    delegating = Policies(resource=document({**OPEN_ALLOW, **DELEGATED}))
    assert answers(REQUEST, delegating, by_resource=True) == (False, False)
    with_own = replace(delegating, identity=(document(ALLOW),))
    assert answers(REQUEST, with_own, by_resource=True) == (True, False)


def test_a_principal_that_is_open_too_counts_as_closely_as_can_be() -> None:
    """Guards against: a service that `*` may name, passed over by the proof."""
    given = Policies(resource=document({**OPEN_ALLOW, "Principal": "*"}))
    service = replace(REQUEST, principal="s3.amazonaws.com")
    assert answers(service, given, by_resource=True) == (True, False)


def test_a_service_linked_role_is_outside_of_guardrails() -> None:
    """Guards against: an SCP that is asked about a role that no SCP binds."""
    given = Policies(identity=(document(ALLOW),), scps=((document(DENY),),))
    assert answers(replace(REQUEST, principal=LINKED), given, by_resource=False) == (True, True)
    assert answers(REQUEST, given, by_resource=False) == (False, False)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
@given(st.integers(0, 2**32 - 1))
def test_it_agrees_with_the_decision(seed: int) -> None:
    """Guards against: a proof that takes another order of the layers than the decision does."""
    read = case_of(random_cases.case(Random(seed)))
    try:
        prepared = read.policies.prepare(read.request.action)
    except MalformedPolicy:
        return
    situation = read_context(read.request, bounded=prepared.permissions_boundary is not None)
    if isinstance(situation, OpenPoint):
        return
    way = route(situation, has_resource_policy=prepared.resource is not None)
    if isinstance(way, OpenPoint):
        return
    by_resource = way is RequiredGrants.RESOURCE
    at_most, at_least = answers(read.request, read.policies, by_resource=by_resource)
    decision = decide(read.request, prepared)
    assert at_most or not at_least
    if decision.allowed:
        assert at_least
    if decision.outcome is Outcome.EXPLICITLY_DENIED:
        assert not at_most
    if not at_most:
        assert not decision.allowed
    if at_most is not at_least:
        assert decision.message  # the open point, in words
