"""Plans, states and outputs are read as what was meant."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from openai_ekm.drift.intended import intended_by_outputs, intended_by_plan
from openai_ekm.drift.terraform_state import is_state, plan_of_state
from openai_ekm.errors import BadInput
from openai_ekm.snapshot import UNSEEN, Role
from tests.constants import ACCOUNT, KEY, ROLE
from tests.support.module_policies import snapshot
from tests.support.plans import a_plan
from tests.support.terraform_states import applied, resource
from tests.unit.drift.sample import ALIAS, ROLE_ID

Json = Any
POLICIES = {
    "trust_policy": snapshot()["role"]["trust_policy"],
    "permission_policy": snapshot()["role"]["permission_policies"][0]["document"],
    "key_policy": snapshot()["keys"][0]["policy"],
}


def state(prefix: str = "module.ekm.", beside: tuple[Json, ...] = (), **changes: Json) -> Json:
    """What `terraform show -json` prints after an apply."""
    role = {"unique_id": ROLE_ID, **changes.pop("role", {})}
    return applied(ROLE, KEY, POLICIES, prefix=prefix, beside=beside, role=role, **changes)


def read(body: Json, **options: Any) -> Any:
    """What a state says."""
    return intended_by_plan(plan_of_state(body, "the state"), "state", **options)


def test_a_state_says_everything_that_was_applied() -> None:
    """Guards against: a check that is undecided, or passes, because a member was not read."""
    found = read(state())
    assert (found.role_arn, found.key_arn, found.instance) == (ROLE, KEY, "module.ekm")
    assert (found.role_unique_id, found.boundary_arn) == (ROLE_ID, None)
    assert (found.rotation, found.rotation_days, found.protected) == (True, 365, True)
    assert (found.aliases, found.record) == ((ALIAS,), "ssm:/openai-ekm/openai-ekm")
    assert (found.makes_key, found.registers) == (True, False)
    role = found.snapshot.role
    assert isinstance(role, Role)
    assert [each.name for each in role.permission_policies or ()] == ["AllowEncryptDecrypt"]


def test_the_note_says_what_was_meant_and_not_what_a_refresh_found() -> None:
    """Guards against: a refresh between the change by hand and the look, which would hide it."""
    weak = {"policy": json.dumps({"Version": "2012-10-17", "Statement": []})}
    assert read(state(key=weak)).snapshot.keys[0].policy == POLICIES["key_policy"]


def test_grants_replicas_and_aliases_that_terraform_makes_beside_are_meant() -> None:
    """Guards against: an alarm each night for a grant of the configuration."""
    replica = KEY.replace("eu-west-1", "eu-central-1")
    beside = (
        resource(
            "aws_kms_grant.backup",
            key_id=KEY,
            grantee_principal=f"arn:aws:iam::{ACCOUNT}:role/backup",
            operations=["Decrypt"],
            constraints=[
                {"encryption_context_equals": {"a": "b"}, "encryption_context_subset": {}}
            ],
        ),
        resource(
            "aws_kms_grant.replica",
            key_id=replica,
            grantee_principal=f"arn:aws:iam::{ACCOUNT}:role/backup",
            operations=["Encrypt"],
        ),
        resource(
            "aws_kms_grant.elsewhere",
            key_id=KEY.replace("eu-west-1", "us-east-1"),
            grantee_principal="y",
            operations=["Sign"],
        ),
        resource("aws_kms_grant.other", key_id="x", grantee_principal="y", operations=["Sign"]),
        resource("aws_kms_replica_key.eu", primary_key_arn=KEY, arn=replica),
        resource("aws_kms_alias.mine", name="alias/mine", target_key_id=KEY),
        resource("aws_kms_alias.other", name="alias/other", target_key_id="x"),
    )
    found = read(state(beside=beside))
    assert [each["key_arn"] for each in found.grants] == [KEY, replica]
    assert found.grants[0]["constraints"] == {"EncryptionContextEquals": {"a": "b"}}
    assert found.replicas == (replica,)
    assert found.aliases == (ALIAS, ALIAS.replace("openai-ekm", "mine"))


def test_the_role_of_a_plan_is_the_one_before_the_plan_looked() -> None:
    """Guards against: a role made anew, whose new id the plan takes for the one that was made."""
    plan = plan_of_state(state(role={"unique_id": "AROAOTHEROTHEROTHER0"}), "x")
    plan["resource_drift"] = [
        {
            "address": "module.ekm.module.role.aws_iam_role.this",
            "change": {"before": {"unique_id": ROLE_ID}},
        }
    ]
    assert intended_by_plan(plan, "plan").role_unique_id == ROLE_ID


def test_a_plan_that_makes_the_key_has_nothing_to_compare() -> None:
    """Guards against: a key that does not exist, looked for in AWS and found to be gone."""
    with pytest.raises(BadInput) as error:
        intended_by_plan(a_plan(), "plan")
    assert error.value.id == "drift_before_apply"


def test_of_several_instances_one_is_chosen() -> None:
    """Guards against: drift of one instance, told of another."""
    two = state()
    other = state(prefix='module.ekm["b"].')["values"]["root_module"]["child_modules"]
    two["values"]["root_module"]["child_modules"] += other
    with pytest.raises(BadInput) as error:
        read(two)
    assert error.value.id == "plan_with_several_instances"
    assert read(two, module='module.ekm["b"]').instance == 'module.ekm["b"]'


@pytest.mark.parametrize(
    "body",
    [
        {"format_version": "1.0"},
        {"format_version": "1.0", "values": {}},
        {"format_version": "1.0", "values": {"root_module": []}},
    ],
)
def test_an_empty_state_is_refused(body: Json) -> None:
    """Guards against: nothing applied, taken for nothing that differs."""
    assert is_state(body)
    with pytest.raises(BadInput) as error:
        plan_of_state(body, "the state")
    assert error.value.id == "state_empty"


def test_a_state_of_another_root_has_no_instance() -> None:
    """Guards against: the wrong folder, taken for a set-up without drift."""
    body = state()
    body["values"]["root_module"] = {"resources": [resource("aws_s3_bucket.x", arn="y")]}
    with pytest.raises(BadInput) as error:
        read(body)
    assert error.value.id == "plan_without_documents"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body["values"].update(outputs=[]),
        lambda body: body["values"]["root_module"].update(child_modules=[7, *_children(body)]),
        lambda body: _resources(body).append({"address": 7}),
        lambda body: _resources(body).append({"address": "x.y", "values": None}),
        lambda body: _resources(body)[1].update(values={"input": "x"}),
        lambda body: _resources(body)[4]["values"].update(enable_key_rotation="yes"),
    ],
)
def test_a_state_with_odd_members_is_read_all_the_same(spoil: Any) -> None:
    """Guards against: a traceback for a state of another provider's making."""
    body = copy.deepcopy(state())
    spoil(body)
    assert read(body).role_arn == ROLE


def _children(body: Json) -> Json:
    return body["values"]["root_module"]["child_modules"]


def _resources(body: Json) -> Json:
    return _children(body)[0]["resources"]


def test_outputs_say_the_policies_and_no_more() -> None:
    """Guards against: outputs whose silence is taken for what was meant."""
    outputs = {
        "role_arn": ROLE,
        "kms_arn": KEY,
        "key_arn": KEY,
        "alias_arn": ALIAS,
        "external_id": "org-abc123",
        "record": "ssm:/x",
        "projects": ["chat"],
        "policies": POLICIES,
    }
    assert not is_state({"ekm": {"value": outputs}})
    found = intended_by_outputs(outputs, "outputs")
    assert (found.makes_key, found.registers, found.record) == (True, True, "ssm:/x")
    assert found.aliases == (ALIAS,)
    assert {found.role_unique_id, found.boundary_arn, found.rotation, found.protected} == {UNSEEN}
    existing = intended_by_outputs({**outputs, "policies": {**POLICIES, "key_policy": None}}, "x")
    assert not existing.makes_key
