"""What the role may do with other services, against brute force, and with AWS's own policies."""

from __future__ import annotations

import json
import os
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from openai_ekm.evaluation import Policies, Request, decide
from openai_ekm.policy import DocumentKind, parse_document
from openai_ekm.proof import other_services
from openai_ekm.proof.documents import Documents, read_documents
from openai_ekm.proof.other_services import acting_elsewhere
from openai_ekm.proof.universe import Universe, make_universe
from openai_ekm.snapshot import Snapshot
from openai_ekm.value_classes.string_classes import class_texts
from tests.support.proof_sample import ACCOUNT, NOW, ROLE, document, proven, snapshot

if TYPE_CHECKING:
    from openai_ekm.value_classes.string_classes import TextPattern

# `make fuzz` asks for more.
EXAMPLES = int(os.environ.get("EKM_FUZZ_EXAMPLES", "0")) * 5 or 300
MANAGED: dict[str, Any] = {
    name: policy["Document"] for name, policy in json.loads(aws_managed_policies_data).items()
}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TAG = "aws:PrincipalTag/t"
ACTIONS = ["s3:GetObject", "s3:GetOther", "s3:Put", "ec2:RunInstances", "ec2:Run", "iam:PassRole"]
ACTIONS += ["new:List", "new-one:Get"]
PATTERNS = [*ACTIONS, "*", "s3:*", "s3:Get*", "s3:G?tObject", "S3:GETOBJECT", "s3:*Object", "e?2:*"]
PATTERNS += ["*:Get*", "*:List", "new*:*", "kms:*", "k*:*", "sts:*", "s*:*", "ec2:Run*", "ec2:*s"]
ARNS = ["*", "arn:aws:s3:::b/k", "arn:aws:s3:::c", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i"]
RESOURCES = [*ARNS, "arn:aws:s3:::b/*", "arn:aws:s3:::*", "arn:aws:ec2:*:*:*"]
RESOURCES += ["arn:aws:s3:::${aws:PrincipalTag/t}", "arn:aws:s3:::${aws:PrincipalTag/t}/*"]
BLOCKS: list[dict[str, Any]] = [
    {},
    {},
    {"StringEquals": {TAG: "a"}},
    {"StringNotEquals": {TAG: ["a", "b"]}},
    {"Null": {TAG: "true"}},
    {"StringEquals": {TAG: "c"}},
    {"StringNotEquals": {"aws:RequestTag/t": "${aws:PrincipalTag/t}"}},
    {"StringLike": {"aws:RequestedRegion": "eu-*"}},
    {"ArnNotLike": {"aws:PrincipalArn": ROLE}},
    {"ArnLike": {"aws:PrincipalArn": f"{ROLE}*"}},
]
CONTEXTS: list[dict[str, str]] = [
    {**tag, **region}
    for tag, region in product(
        ({}, {TAG: "a"}, {TAG: "b"}, {TAG: "c"}), ({}, {"aws:RequestedRegion": "eu-west-1"})
    )
]


def _statement(random: Random, *effects: str) -> dict[str, Any]:
    action = random.choice(["Action", "Action", "Action", "NotAction"])
    resource = random.choice(["Resource", "Resource", "Resource", "NotResource"])
    made: dict[str, Any] = {
        "Effect": random.choice(effects),
        action: random.sample(PATTERNS, random.choice([1, 2, 4])),
        resource: random.sample(RESOURCES, random.choice([1, 2])),
    }
    block = random.choice(BLOCKS)
    return {**made, "Condition": block} if block else made


def _made(random: Random) -> dict[str, Any]:
    found: dict[str, Any] = snapshot()
    mixed = ("Allow", "Allow", "Deny")
    found["role"]["permission_policies"] = [
        {"name": "p", "document": document(*[_statement(random, *mixed) for _ in range(2)])}
    ]
    if random.random() < 0.5:
        limit = [_statement(random, "Allow"), _statement(random, *mixed)]
        found["role"]["permissions_boundary"] = document(*limit)
    if random.random() < 0.5:
        found["scps"] = [[document(ALL)], [document(ALL, _statement(random, "Deny"))]]
        if random.random() < 0.5:
            found["scps"][1] = [document(*[_statement(random, *mixed) for _ in range(2)])]
    return found


def _setting(found: dict[str, Any]) -> tuple[Documents, Universe]:
    documents = read_documents(Snapshot.from_json(found))
    return documents, make_universe(documents, NOW.isoformat())


@pytest.mark.parametrize("begin", range(0, EXAMPLES, 100))
def test_nothing_that_the_role_may_do_elsewhere_is_overlooked(begin: int) -> None:
    """Actions, resources or keys are put in one class that some statement tells apart."""
    met = 0
    for seed in range(begin, begin + 100):
        found = _made(Random(seed))
        _, universe = _setting(found)
        role = found["role"]
        policies = Policies(
            identity=[each["document"] for each in role["permission_policies"]],
            permissions_boundary=role.get("permissions_boundary"),
            scps=found.get("scps") or (),
        ).prepare("s3:GetObject")
        allowed = next(
            (
                request
                for action, resource, context in product(ACTIONS, ARNS, CONTEXTS)
                if decide(
                    request := Request(ROLE, action, resource, ACCOUNT, context), policies
                ).allowed
            ),
            None,
        )
        search = acting_elsewhere(universe)
        assert allowed is None or search.witness is not None, (seed, allowed)
        # A variable that only the request says is left open, so that nothing need be met.
        sure = search.points or search.witness is None or search.witness.confirmed
        assert sure, (seed, search.witness)
        met += allowed is not None
    assert 20 < met < 90, "half of the cases should allow something"


def test_every_policy_that_aws_publishes_is_read() -> None:
    """A policy of AWS's own is called malformed."""
    for name, policy in MANAGED.items():
        assert parse_document(policy, DocumentKind.IDENTITY).statements, name
    assert len(MANAGED) > 1_000


def test_a_policy_that_aws_publishes_breaks_b_by_what_it_allows() -> None:
    """A policy of AWS's own is called too large, or the proof gives up over it."""
    by_size = sorted(MANAGED, key=lambda name: len(json.dumps(MANAGED[name])))
    with_variables = ("AIDevOpsChannelAccessPolicy", "AWSElasticBeanstalkEKSTagging")
    for name in (*by_size[::40], *by_size[-12:], *with_variables):
        allows = any(each["Effect"] == "Allow" for each in _listed(MANAGED[name]["Statement"]))
        found = snapshot()
        more = {"name": name, "document": MANAGED[name], "type": "managed"}
        found["role"]["permission_policies"].append(more)
        claims = {claim.id: claim for claim in proven(found).claims}
        assert claims["a"].holds, name
        assert claims["b"].holds is not allows, name
        assert (claims["b"].counterexample is not None) is allows, (name, claims["b"].message)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("layer", ["identity", "boundary", "three"])
def test_large_policies_cost_little(layer: str) -> None:
    """The classes are those of every pattern there is: seconds with one policy, none with three."""
    found = snapshot()
    names = ["ReadOnlyAccess", "ViewOnlyAccess", "SecurityAudit"]
    if layer == "boundary":
        found["role"]["permissions_boundary"] = MANAGED[names[0]]
    else:
        found["role"]["permission_policies"] += [
            {"name": name, "document": MANAGED[name]}
            for name in (names if layer == "three" else names[:1])
        ]
    claims = {claim.id: claim for claim in proven(found).claims}
    expected = {"a", "c", "d", "e", "f"} if layer != "boundary" else {"a", "c", "e", "f"}
    assert {name for name, claim in claims.items() if claim.holds} == expected
    # Not the time, which a busy machine makes: how many classes there were.
    assert claims["b"].classes < 5_000
    assert claims["b"].counterexample is not None


def test_the_layer_that_names_services_makes_the_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role with everything inside a large boundary costs what all patterns together cost."""

    def bounded(within: list[TextPattern], text_patterns: list[TextPattern]) -> tuple[str, ...]:
        assert len(text_patterns) < 100
        return class_texts(within, text_patterns)

    monkeypatch.setattr(other_services, "class_texts", bounded)
    large = MANAGED["ReadOnlyAccess"]
    allowed = [each for each in _listed(large["Statement"]) if each["Effect"] == "Allow"]
    actions = [action for statement in allowed for action in _listed(statement["Action"])]
    denied = [
        document({"Effect": "Deny", "Action": actions[at : at + 300], "Resource": "*"})
        for at in range(0, len(actions), 300)
    ]
    found = snapshot()
    found["role"]["permission_policies"].append({"name": "all", "document": document(ALL)})
    found["role"]["permissions_boundary"] = large
    found["scps"] = [[document(ALL), *denied]]
    _, universe = _setting(found)
    assert acting_elsewhere(universe).witness is None
    found["scps"][0].pop()
    _, universe = _setting(found)
    search = acting_elsewhere(universe)
    assert search.witness is not None
    assert search.witness.decision.allowed
