"""What other resources of a plan do to an instance's role and key: who writes, names or shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from openai_ekm.proof import prove
from openai_ekm.snapshot import Snapshot, plan, symbols
from tests.constants import ACCOUNT
from tests.support.plans import a_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/team/openai-ekm"
# A key that the plan changes, whose ARN it knows.
KEY_ID: Final = "11111111-2222-3333-4444-555555555555"
KEY: Final = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{KEY_ID}"
OTHER: Final = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/99999999-2222-3333-4444-555555555555"
OPEN: Final = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]}'
# The plan's key policy names no administrator: (e) fails in any case.
HOLDS: Final[dict[str, bool | None]] = {**dict.fromkeys("abcdf", True), "e": False}
KEY_POLICY_UNSEEN: Final = HOLDS | dict.fromkeys("bcdef")
ROLE_UNSEEN: Final = HOLDS | dict.fromkeys("abd")


@dataclass(frozen=True)
class Case:
    """A resource of the root, and the answers to the claims."""

    type: str
    claims: Mapping[str, bool | None]
    after: dict[str, Any] | None = None
    before: dict[str, Any] | None = None
    actions: list[str] = field(default_factory=lambda: ["create"])
    imported: str | None = None


def opening(arn: str) -> str:
    """A key policy that lets a principal use the key."""
    return (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", '
        f'"Principal": {{"AWS": "{arn}"}}, "Resource": "*"}}]}}'
    )


def grant(key: str, grantee: str) -> dict[str, Any]:
    """A grant to decrypt."""
    return {"key_id": key, "grantee_principal": grantee, "operations": ["Decrypt"]}


STRANGER: Final = f"arn:aws:iam::{ACCOUNT}:role/stranger"
CASES: Final = {
    "a role that is imported by its name": Case(
        "aws_iam_role", ROLE_UNSEEN, {"assume_role_policy": OPEN}, imported="openai-ekm",
        actions=["update"],
    ),
    "a second resource of the role": Case(
        "aws_iam_role", ROLE_UNSEEN, {"name": "openai-ekm", "assume_role_policy": OPEN},
    ),
    "a role with another name": Case(
        "aws_iam_role", HOLDS, {"name": "openai-ekm-2", "assume_role_policy": OPEN},
    ),
    "a key that is imported by its id": Case(
        "aws_kms_key", KEY_POLICY_UNSEEN, {"policy": OPEN}, imported=KEY_ID, actions=["update"],
    ),
    "a second resource of the key": Case(
        "aws_kms_key", KEY_POLICY_UNSEEN, {"arn": KEY, "policy": OPEN}, actions=["update"],
    ),
    "a key policy that goes": Case(
        "aws_kms_key_policy", KEY_POLICY_UNSEEN, None, {"key_id": KEY_ID}, ["delete"],
    ),
    "a key policy that moves to another key": Case(
        "aws_kms_key_policy", KEY_POLICY_UNSEEN, {"key_id": OTHER, "policy": OPEN},
        {"key_id": KEY_ID}, ["delete", "create"],
    ),
    "a key policy that is forgotten": Case(
        "aws_kms_key_policy", KEY_POLICY_UNSEEN, None, {"key_id": KEY_ID}, ["forget"],
    ),
    "a policy that is forgotten and made anew elsewhere": Case(
        "aws_iam_role_policy", HOLDS | {"b": False},
        {"role": "other", "policy": OPEN},
        {
            "role": "openai-ekm",
            "policy": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": '
            '"kms:*", "Resource": "*"}]}',
        },
        ["forget", "create"],
    ),
    "a key policy of another key": Case(
        "aws_kms_key_policy", HOLDS, {"key_id": OTHER, "policy": OPEN},
    ),
    "a grant on another key to the role": Case(
        "aws_kms_grant", HOLDS | {"b": False}, grant(OTHER, ROLE),
    ),
    "a grant on another key to somebody else": Case(
        "aws_kms_grant", HOLDS, grant(OTHER, STRANGER),
    ),
    "a grant to the text of a symbol": Case(
        "aws_kms_grant", HOLDS | {"c": False},
        grant(KEY, f"arn:aws:iam::{ACCOUNT}:role/{symbols.ROLE_NAME}"),
    ),
    "a grant on the key in capitals": Case(
        "aws_kms_grant", HOLDS | {"c": False}, grant(KEY.upper(), STRANGER),
    ),
    "another key's policy that names the role": Case(
        "aws_kms_key", HOLDS | {"b": False}, {"policy": opening(ROLE), "key_usage": "x"},
    ),
    "another key's policy that names somebody else": Case(
        "aws_kms_key", HOLDS, {"policy": opening(STRANGER), "key_usage": "x"},
    ),
    "a policy of a role whose name is in capitals": Case(
        "aws_iam_role_policy", HOLDS | {"b": False},
        {
            "role": "OPENAI-EKM",
            "policy": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": '
            '"kms:*", "Resource": "*"}]}',
        },
    ),
    "a stack that names the role": Case(
        "aws_cloudformation_stack", dict.fromkeys("abcdef"),
        {"template_body": "Roles: [openai-ekm]"},
    ),
    "a stack that names neither": Case(
        "aws_cloudformation_stack", HOLDS, {"template_body": "Roles: [other]"},
    ),
    "Cloud Control that names the key": Case(
        "aws_cloudcontrolapi_resource", dict.fromkeys("abcdef"), {"desired_state": KEY_ID},
    ),
    "the other provider's policy of the role": Case(
        "awscc_iam_role_policy", dict.fromkeys("abcdef"), {"role_name": "openai-ekm"},
    ),
}  # fmt: skip


def snapshot_of(case: Case) -> Snapshot:
    """What the plan with the resource tells of the instance."""
    body = a_plan()
    key = body["resource_changes"][1]["change"]
    key["actions"] = ["update"]
    key["after"] |= {"arn": KEY}
    key["after_unknown"] = {}
    change: dict[str, Any] = {
        "actions": case.actions, "after": case.after, "before": case.before, "after_unknown": {},
    }  # fmt: skip
    if case.imported:
        change["importing"] = {"id": case.imported}
    body["resource_changes"].append(
        {"address": f"{case.type}.root", "type": case.type, "mode": "managed", "change": change}
    )
    return plan.snapshot_of(body, module="module.ekm")


@pytest.mark.parametrize("name", CASES)
def test_a_resource_of_the_root_counts_where_it_bears(name: str) -> None:
    """Guards against: a gate that lets through what gives role or key away beside the module."""
    case = CASES[name]
    found = prove(snapshot_of(case), assume=("scps", "rcps", "grants", "related"))
    assert {each.id: each.holds for each in found.claims} == case.claims
