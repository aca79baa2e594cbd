"""States that earlier commits of the module left behind: the module goes on from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory

pytestmark = pytest.mark.terraform

REGISTRATION = "module.ekm.module.registration[0].terraform_data"


def test_projects_beside_the_registration_replace_nothing(
    ekm_workspace: WorkspaceFactory, repository: Path
) -> None:
    """The projects' new place in the call is taken for another registration.

    tests/terraform/states/new-key.json is the state of an apply whose projects stood within
    `registration`. Only its plan counts, so nothing that it names is in LocalStack.
    """
    caller = ekm_workspace(
        "tests/terraform/caller",
        account="111122225501",
        name="kept",
        deletion_protection=True,
        projects=["kept"],
        registration={},
    )
    state = repository / "tests/terraform/states/new-key.json"
    (caller.path / "terraform.tfstate").write_bytes(state.read_bytes())
    plan = caller.plan(options=["-refresh=false"])
    assert plan.actions[f"{REGISTRATION}.guard"] == ("update",)  # the sentence for who reads a plan
    assert f"{REGISTRATION}.register" not in plan.actions
    assert {action for actions in plan.actions.values() for action in actions} <= {
        "create",
        "update",
    }


def test_a_key_by_alias_is_recognized_in_a_state_that_compared_its_arn(
    ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack, repository: Path
) -> None:
    """What the deletion guard compares now is taken for another key, and every apply is refused."""
    kms = ekm_localstack.session("111122225502").client("kms")
    key_id = "e22d8853-216f-4c4d-90e9-e45f045ff5e2"  # as in the state
    kms.create_key(Tags=[{"TagKey": "_custom_id_", "TagValue": key_id}])
    kms.create_alias(AliasName="alias/shared", TargetKeyId=key_id)
    caller = ekm_workspace(
        "tests/terraform/caller",
        account="111122225502",
        name="given",
        deletion_protection=True,
        kms_key_arn="arn:aws:kms:eu-west-1:111122225502:alias/shared",
        projects=["kept"],
        registration={"wait_seconds": 0},
    )
    state = repository / "tests/terraform/states/alias.json"
    (caller.path / "terraform.tfstate").write_bytes(state.read_bytes())
    plan = caller.plan(options=["-refresh=false"])
    others = {place: made for place, made in plan.actions.items() if "guard" not in place}
    assert {action for actions in others.values() for action in actions} == {"create"}
    assert plan.actions[f"{REGISTRATION}.guard"] == ("update",)
    assert f"{REGISTRATION}.register" not in plan.actions
