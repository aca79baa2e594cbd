"""Verbs on what Terraform made: one of several instances, all of them, and one without a record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.golden.test_stories import world

if TYPE_CHECKING:
    from tests.golden.world import Golden

__all__ = ["world"]

INTENT = ("EKM_ROLE_ARN", "EKM_KMS_ARN", "EKM_EXTERNAL_ID", "EKM_NAME", "EKM_RECORD")


@pytest.fixture
def outputs(world: Golden) -> dict[str, Any]:
    """The module's outputs; nothing of them stands in the environment."""
    world.make_key_and_role()
    for name in INTENT:
        world.monkeypatch.delenv(name)
    return {
        "role_arn": world.role_arn,
        "kms_arn": world.kms_arn,
        "key_arn": world.kms_arn,
        "external_id": "org-abc123",
        "name": "prod",
        "record": "ssm:/openai-ekm/prod",
        "projects": [],
        "policies": {
            "trust_policy": world.trust_policy(),
            "permission_policy": world.use_policy(),
            "key_policy": world.key_policy(),
        },
    }


def printed(value: Any) -> str:
    """What `terraform output -json` prints of an output `ekm`."""
    return json.dumps({"ekm": {"value": value, "sensitive": False}})


def ask(world: Golden, verb: str, *words: str, of: Any) -> tuple[int, dict[str, Any]]:
    """Exit code and document of a verb that reads outputs on standard input."""
    found = world.run(verb, *words, "--from-terraform", "-", stdin=printed(of))
    return int(world.transcript[-1]["exit"]), found


def test_one_of_several_instances_is_chosen_by_name(world: Golden, outputs: dict[str, Any]) -> None:
    """Guards against: a verb that works on another instance than the one that is named."""
    fleet = {"chat": {**outputs, "record": "ssm:/openai-ekm/chat", "name": "chat"}, "api": outputs}
    assert ask(world, "register", "--module", "api", of=fleet)[1]["record"]["name"] == "prod"
    for verb in ("status", "validate", "handoff", "retire"):
        code, refusal = ask(world, verb, of=fleet)
        assert (code, refusal["error"]["id"]) == (2, "terraform_outputs_fleet")
        code, refusal = ask(world, verb, "--module", "other", of=fleet)
        assert (code, refusal["error"]["at_fault"]) == (2, "--module")
    assert ask(world, "status", "--module", 'module.ekm["api"]', of=fleet)[0] == 0
    assert ask(world, "validate", "--module", "api", of=fleet)[0] == 0
    assert ask(world, "validate", "--module", "chat", of=fleet)[1]["error"]["id"] == (
        "nothing_registered"
    )
    assert ask(world, "handoff", "--module", "chat", of=fleet)[1]["kms_arn"] == world.kms_arn


def test_all_instances_are_answered_though_one_fails(
    world: Golden, outputs: dict[str, Any]
) -> None:
    """Guards against: one instance's error that hides the others, or that an exit code hides."""
    fleet = {"chat": {**outputs, "record": "ssm:/openai-ekm/chat", "name": "chat"}, "api": outputs}
    ask(world, "register", "--module", "api", of=fleet)
    code, found = ask(world, "validate", "--all", of=fleet)
    assert code == 2
    assert found["instances"]["chat"]["error"]["id"] == "nothing_registered"
    assert found["instances"]["api"]["result"]["status"] == "success"
    code, found = ask(world, "handoff", "--all", of=fleet)
    assert (code, set(found["instances"])) == (0, {"chat", "api"})
    assert set(ask(world, "handoff", "--all", of=outputs)[1]["instances"]) == {"ekm"}
    code, refusal = ask(world, "retire", "--all", "--confirm-archive", "extkey_1", of=fleet)
    assert (code, refusal["error"]["id"]) == (2, "option_useless")
    code, found = ask(world, "retire", "--all", of=fleet)
    assert (code, found["instances"]["api"]["result"]["result"]) == (0, "deleted")
    code, refusal = ask(world, "status", "--all", "--record", "file:x.json", of=fleet)
    assert (code, refusal["error"]["at_fault"]) == (2, "--record")


def test_chatgpt_workspace_needs_no_record_and_no_admin_key(
    world: Golden, outputs: dict[str, Any]
) -> None:
    """Guards against: a healthy workspace that `ekm status` calls broken, and a broken one."""
    world.monkeypatch.delenv("OPENAI_ADMIN_KEY")
    code, found = ask(world, "status", of=outputs)
    assert (code, found["holds"], found["key"]["state"]) == (0, True, "Enabled")
    assert (found["openai_asked"], found["handed_over"]["kms_arn"]) == (False, world.kms_arn)
    boto3.client("kms").disable_key(KeyId=world.kms_arn)
    code, found = ask(world, "status", of=outputs)
    assert (code, found["holds"]) == (1, False)


@pytest.mark.parametrize(
    "of_the_api",
    [{"projects": ["payments"]}, {"external_key_id": "extkey_01"}],
    ids=["projects", "registration"],
)
def test_an_instance_of_the_api_is_not_handed_over(
    of_the_api: dict[str, Any], world: Golden, outputs: dict[str, Any]
) -> None:
    """Guards against: a text about a workspace that is sent to OpenAI for a key of the API."""
    api = {**outputs, **of_the_api}
    code, refusal = ask(world, "handoff", of=api)
    assert (code, refusal["error"]["id"]) == (2, "handoff_not_needed")
    assert str(next(iter(of_the_api.values()))).strip("[']") in refusal["error"]["message"]
    code, found = ask(world, "handoff", "--all", of={"api": api, "chat": outputs})
    assert code == 2
    assert found["instances"]["api"]["error"]["id"] == "handoff_not_needed"
    assert found["instances"]["chat"]["result"]["kms_arn"] == world.kms_arn
    arns = ("--role-arn", world.role_arn, "--kms-arn", world.kms_arn)
    assert ask(world, "handoff", *arns, of=api)[1]["kms_arn"] == world.kms_arn
    assert ask(world, "handoff", *arns[:2], of=api)[0] == 2


def test_a_variable_makes_no_instance_of_the_api(
    world: Golden, outputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a workspace that is taken for the API, as EKM_PROJECTS is set for others."""
    monkeypatch.setenv("EKM_PROJECTS", '["payments"]')
    code, found = ask(world, "handoff", of=outputs)
    assert (code, found["kms_arn"]) == (0, world.kms_arn)
    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    assert ask(world, "status", of=outputs)[0] == 0
    code, found = ask(world, "handoff", "--all", of={"api": {**outputs, "projects": ["a"]}})
    assert (code, found["instances"]["api"]["error"]["id"]) == (2, "handoff_not_needed")
    assert "the projects a)" in found["instances"]["api"]["error"]["message"]


def test_registration_of_an_api_without_a_record_is_a_difference(
    world: Golden, outputs: dict[str, Any]
) -> None:
    """Guards against: a lost record that is taken for a workspace."""
    assert ask(world, "register", of=outputs)[0] == 0
    boto3.client("ssm").delete_parameter(Name="/openai-ekm/prod/record")
    code, found = ask(world, "status", of=outputs)
    assert (code, found["openai_asked"]) == (1, True)
    assert "ekm register" in found["differences"][0]
    code, found = ask(world, "status", of={**outputs, "projects": ["chat"]})
    assert (code, found["handed_over"]) == (1, None)


def test_snapshot_of_outputs_reads_what_is_in_force(world: Golden, outputs: dict[str, Any]) -> None:
    """Guards against: a key that was disabled after the apply and ends as ok."""
    boto3.client("kms").disable_key(KeyId=world.kms_arn)
    code, snapshot = ask(world, "snapshot", of=outputs)
    assert (code, snapshot["keys"][0]["state"]) == (0, "Disabled")
    found = world.run("diagnose", "-", stdin=json.dumps(snapshot))
    assert found["outcome"] == "key_disabled"
    code, snapshot = ask(world, "snapshot", "--offline", of=outputs)
    assert (code, "state" in snapshot["keys"][0]) == (0, False)
    found = world.run("diagnose", "-", stdin=json.dumps(snapshot))
    assert (world.transcript[-1]["exit"], found["outcome"]) == (8, "undecided")
    assert ask(world, "diagnose", "--offline", of=outputs)[0] == 8
    assert ask(world, "diagnose", of=outputs)[0] == 1
