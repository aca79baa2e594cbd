"""Collecting from AWS: what is refused stays unseen, what is not there is said so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from openai_ekm.errors import NotReachable
from openai_ekm.snapshot import UNSEEN, Alias, Customer, Role, Snapshot
from openai_ekm.snapshot.aws import collect

ROLE = "arn:aws:iam::111122223333:role/team/openai-ekm"
KEY = "arn:aws:kms:eu-west-1:444455556666:key/mrk-11111111222233334444555555555555"
REPLICA = KEY.replace("eu-west-1", "us-east-1")
ALIAS = "arn:aws:kms:eu-west-1:444455556666:alias/x"
INTENT = SimpleNamespace(role_arn=ROLE, kms_arn=KEY, external_id="org-abc")
BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"
MANAGED = "arn:aws:iam::111122223333:policy/managed"


class Aws:
    """An AWS whose answers a test may replace by an error."""

    def __init__(self, **errors: str) -> None:
        self.errors = errors
        self.asked: list[tuple[str, str, str | None]] = []
        self.account = ""

    def __call__(self, account: str) -> Aws:
        """A session for an account."""
        self.account = account
        return self

    def client(self, service_name: Any, region_name: str | None = None) -> Any:
        """A client: every operation of every service."""
        self.asked.append((self.account, service_name, region_name))
        return self

    def get_paginator(self, operation: str) -> Any:
        """A paginator with two pages, the second one empty."""
        whole = getattr(self, operation)
        (member,) = {
            "list_aliases": ["Aliases"],
            "list_grants": ["Grants"],
            "list_resource_tags": ["Tags"],
        }.get(
            operation,
            ["PolicyNames" if operation == "list_role_policies" else "AttachedPolicies"],
        )
        return SimpleNamespace(paginate=lambda **kw: [whole(**kw), {member: []}])

    def __getattr__(self, operation: str) -> Any:
        """An operation of AWS."""
        if operation not in ANSWERS:
            raise AttributeError(operation)

        def call(**arguments: Any) -> Any:
            if code := self.errors.get(operation):
                raise ClientError({"Error": {"Code": code, "Message": "m"}}, operation)
            return ANSWERS[operation](**arguments)

        return call


def managed(**arguments: Any) -> Any:
    """A managed policy's default version."""
    return {"Policy": {"DefaultVersionId": "v7", "Arn": arguments["PolicyArn"]}}


def described(**arguments: Any) -> Any:
    """A key, by its ARN or by its alias; its replica."""
    assert arguments["KeyId"] in {KEY, ALIAS, REPLICA}
    return {
        "KeyMetadata": {
            "Arn": REPLICA if arguments["KeyId"] == REPLICA else KEY,
            "KeyState": "Enabled",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "Origin": "AWS_KMS",
            "MultiRegion": True,
            "MultiRegionConfiguration": {
                "MultiRegionKeyType": "PRIMARY",
                "PrimaryKey": {"Arn": KEY, "Region": "eu-west-1"},
                "ReplicaKeys": [{"Arn": REPLICA, "Region": "us-east-1"}],
            },
        }
    }


ANSWERS: dict[str, Any] = {
    "get_role": lambda **asked: {
        "Role": {
            "Arn": f"arn:aws:iam::111122223333:role/team/{asked['RoleName']}",
            "AssumeRolePolicyDocument": {"trust": 1},
            "MaxSessionDuration": 3600,
            "PermissionsBoundary": {"PermissionsBoundaryArn": BOUNDARY},
            "Tags": [{"Key": "team", "Value": "a"}],
        }
    },
    "list_role_policies": lambda **_: {"PolicyNames": ["use"]},
    "get_role_policy": lambda **asked: {"PolicyDocument": {"inline": asked["PolicyName"]}},
    "list_attached_role_policies": lambda **_: {
        "AttachedPolicies": [{"PolicyName": "managed", "PolicyArn": MANAGED}]
    },
    "get_policy": managed,
    "get_policy_version": lambda **asked: {
        "PolicyVersion": {
            "Document": {"managed": asked["PolicyArn"], "version": asked["VersionId"]}
        }
    },
    "describe_key": described,
    "get_key_policy": lambda **asked: {"Policy": f'{{"of": "{asked["PolicyName"]}"}}'},
    "list_aliases": lambda **_: {"Aliases": [{"AliasName": "alias/x", "AliasArn": ALIAS}]},
    "list_resource_tags": lambda **_: {"Tags": [{"TagKey": "data", "TagValue": "b"}]},
    "list_grants": lambda **_: {
        "Grants": [{"GranteePrincipal": "arn:g", "Operations": ["Encrypt"], "GrantId": "1"}]
    },
}


def test_everything_that_bears_on_the_key_is_read() -> None:
    """A judgement would rest on half of the policies."""
    aws = Aws()
    found = collect(INTENT, aws)
    assert found.as_json() == {
        "schema": "ekm-snapshot/1",
        "registration": {"role_arn": ROLE, "kms_arn": KEY, "external_id": "org-abc"},
        "role": {
            "arn": ROLE,
            "trust_policy": {"trust": 1},
            "permission_policies": [
                {"name": "use", "document": {"inline": "use"}, "type": "inline"},
                {
                    "name": "managed",
                    "document": {"managed": MANAGED, "version": "v7"},
                    "type": "managed",
                    "arn": MANAGED,
                },
            ],
            "permissions_boundary": {"managed": BOUNDARY, "version": "v7"},
            "permissions_boundary_arn": BOUNDARY,
            "max_session_duration": 3600,
            "tags": {"team": "a"},
        },
        "keys": [
            {
                "arn": arn,
                "state": "Enabled",
                "spec": "SYMMETRIC_DEFAULT",
                "usage": "ENCRYPT_DECRYPT",
                "origin": "AWS_KMS",
                "multi_region": "PRIMARY",
                "policy": '{"of": "default"}',
                "tags": {"data": "b"},
                "related": [other],
            }
            for arn, other in ((KEY, REPLICA), (REPLICA, KEY))
        ],
        "aliases": [{"arn": ALIAS, "target": KEY}],
        "grants": [
            {"grantee_principal": "arn:g", "operations": ["Encrypt"], "key_arn": arn}
            for arn in (KEY, REPLICA)
        ],
        "customer": {"account": "111122223333"},
        "calls": found.as_json()["calls"],
    }
    assert found.unseen() == ("scps", "rcps")
    assert ("444455556666", "kms", "eu-west-1") in aws.asked
    assert ("444455556666", "kms", "us-east-1") in aws.asked
    assert ("111122223333", "iam", "us-east-1") in aws.asked


def test_an_alias_leads_to_its_key() -> None:
    """A registered alias would have no key behind it."""
    intent = SimpleNamespace(role_arn=ROLE, kms_arn=ALIAS, external_id="org-abc")
    found = collect(intent, Aws())
    assert found.keys
    assert found.keys[0].arn == KEY
    assert found.aliases == (Alias(ALIAS, KEY),)


def test_what_does_not_exist_was_looked_up_and_not_found() -> None:
    """A misspelt role or key would be taken for one that nobody looked at."""
    found = collect(INTENT, Aws(get_role="NoSuchEntity", describe_key="NotFoundException"))
    assert found.role is None
    assert (found.keys, found.aliases, found.grants) == ((), (), ())
    assert found.unseen() == ("scps", "rcps")


@pytest.mark.parametrize(
    ("operation", "unseen"),
    [
        ("get_role", "role"),
        ("list_role_policies", "permission_policies"),
        ("get_role_policy", "permission_policies"),
        ("list_attached_role_policies", "permission_policies"),
        ("get_policy_version", "permission_policies"),
        ("get_policy", "permissions_boundary"),
        ("describe_key", "keys"),
        ("get_key_policy", "keys[0].policy"),
        ("list_aliases", "aliases"),
        ("list_grants", "grants"),
        ("list_resource_tags", "keys[0].tags"),
    ],
)
def test_what_is_refused_stays_unseen(operation: str, unseen: str) -> None:
    """A policy that could not be read would be judged as if it were empty, or nobody know why."""
    found = collect(INTENT, Aws(**{operation: "AccessDenied"}))
    assert unseen in found.unseen()
    assert found.reasons[unseen] == f"{operation}: AccessDenied"
    assert {"path": unseen, "reason": f"{operation}: AccessDenied"} in found.as_json()["unseen"]
    assert Snapshot.from_json(found.as_json()) == found


def test_a_region_that_gives_no_answer_leaves_its_key_and_grants_unseen() -> None:
    """A replica out of reach ends the whole reading, or counts as one that lets nobody in."""

    class Far(Aws):
        def client(self, service_name: Any, region_name: str | None = None) -> Any:
            if region_name == "us-east-1" and service_name == "kms":
                raise EndpointConnectionError(endpoint_url="https://kms.us-east-1.amazonaws.com")
            return super().client(service_name, region_name)

    found = collect(INTENT, Far())
    assert found.keys
    assert [each.arn for each in found.keys] == [KEY, REPLICA]
    assert found.keys[1].policy is UNSEEN
    assert found.grants is UNSEEN
    assert found.reasons["keys[1]"] == found.reasons["grants"] == "EndpointConnectionError"
    assert Snapshot.from_json(found.as_json()) == found


def test_a_role_of_that_name_in_another_account_is_not_the_one() -> None:
    """Credentials of another account would show another role, and it be judged."""
    elsewhere = SimpleNamespace(
        role_arn=ROLE.replace("111122223333", "999922223333"), kms_arn=KEY, external_id="org-abc"
    )
    assert collect(elsewhere, Aws()).role is UNSEEN


def test_a_policy_that_vanishes_between_list_and_read_is_gone() -> None:
    """A race would leave everything unseen."""
    found = collect(INTENT, Aws(get_role_policy="NoSuchEntity"))
    assert isinstance(found.role, Role)
    assert found.role.permission_policies is not UNSEEN
    assert [policy.name for policy in found.role.permission_policies] == ["managed"]


@pytest.mark.parametrize(
    ("role_arn", "kms_arn"),
    [
        ("nonsense", "nonsense"),
        ("arn:aws:iam::111122223333:user/x", "arn:aws:kms:eu-west-1:x:key/y"),
        ("arn:aws:iam::١١١١٢٢٢٢٣٣٣٣:role/x", "arn:aws:kms::444455556666:key/y"),
    ],
)
def test_what_cannot_be_looked_up_is_not_looked_up(role_arn: str, kms_arn: str) -> None:
    """A call would go to an account or a Region that does not exist."""
    aws = Aws()
    intent = SimpleNamespace(role_arn=role_arn, kms_arn=kms_arn, external_id="e")
    found = collect(intent, aws)
    assert (found.role, found.keys) == (UNSEEN, UNSEEN)
    assert aws.asked == []


def test_an_aws_that_does_not_answer_is_an_error_of_its_own() -> None:
    """A network that is down would read as a policy that is missing."""

    def nobody(_: str) -> Any:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    with pytest.raises(NotReachable) as caught:
        collect(INTENT, nobody)
    assert caught.value.id == "aws_no_answer"


def test_the_organization_becomes_part_of_the_snapshot() -> None:
    """What was read of the organization would not reach a judgement."""

    def nobody() -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeOrganization")

    def alone() -> Any:
        raise ClientError({"Error": {"Code": "AWSOrganizationsNotInUseException"}}, "X")

    account = SimpleNamespace(role_arn=ROLE, kms_arn=KEY.replace("4444", "1111"), external_id="e")
    found = collect(account, Aws(describe_key="NotFoundException"), nobody)
    assert found.unseen() == ("scps", "rcps", "customer.organization")
    assert found.reasons["customer.organization"] == "DescribeOrganization: AccessDenied"
    found = collect(account, Aws(describe_key="NotFoundException"), alone)
    assert (found.scps, found.rcps, found.unseen()) == ((), (), ())
    assert isinstance(found.customer, Customer)
    assert found.customer.organization is None
