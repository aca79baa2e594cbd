"""What stops a key from being lost or cut off while OpenAI uses it: each way, tried.

docs/teardown.md holds the table and names these tests. LocalStack enforces no key policy, so
what AWS itself would refuse is shown with the evaluator on the policy that is in force.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.evaluation import Policies, Request, decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory
    from openai_ekm.rehearsal.process import Run
    from openai_ekm.rehearsal.terraform import Workspace

pytestmark = pytest.mark.terraform

ROOTS = "tests/terraform"
KEY = "module.ekm.module.key[0].aws_kms_key.this"
USE = "module.ekm.module.role.aws_iam_role_policy.use"
IN_USE: dict[str, Any] = {"projects": ["kept"], "registration": {}}
EVERYTHING = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"}]}  # fmt: skip


@dataclass
class InUse:
    """A key with a registration and an active project, and a root that calls the module."""

    workspace: Workspace
    aws: LocalStack
    openai: EmulatorProcess
    key_arn: str
    external_key_id: str

    @property
    def account(self) -> str:
        """Twelve digits."""
        return self.workspace.environment["AWS_ACCESS_KEY_ID"]

    @property
    def kms(self) -> Any:
        """KMS in the account."""
        return self.aws.client("kms", self.account, self.workspace.environment["AWS_REGION"])

    def works(self) -> bool:
        """Whether OpenAI can use the key: role, policies, key and registration are all there."""
        validate = f"/organization/external_keys/{self.external_key_id}/validate"
        return bool(self.openai.api("POST", validate) == {"status": "success"})

    def state(self) -> str:
        """The key's state."""
        state: str = self.kms.describe_key(KeyId=self.key_arn)["KeyMetadata"]["KeyState"]
        return state

    def may(self, action: str, *, protected: bool = True) -> bool:
        """Whether AWS would let an administrator of the account do it to the key."""
        policy = json.loads(
            self.kms.get_key_policy(KeyId=self.key_arn, PolicyName="default")["Policy"]
        )
        assert protected == any(it["Sid"] == "DenyKeyDeletion" for it in policy["Statement"])
        request = Request(
            f"arn:aws:iam::{self.account}:role/admin", action, self.key_arn, self.account
        )
        return decide(request, Policies(identity=(EVERYTHING,), resource=policy)).allowed


@pytest.fixture(scope="module")
def protected(
    ekm_workspace: WorkspaceFactory,
    ekm_localstack: LocalStack,
    ekm_openai_server: EmulatorProcess,
) -> InUse:
    """With the default, deletion_protection; shared, since whatever is tried is refused."""
    workspace = ekm_workspace(f"{ROOTS}/caller", deletion_protection=True, **IN_USE)
    workspace.apply()
    told = workspace.outputs()["ekm"]
    return InUse(
        workspace, ekm_localstack, ekm_openai_server, told["key_arn"], told["external_key_id"]
    )


@pytest.fixture(scope="module")
def unprotected(protected: InUse) -> InUse:
    """The same with the protection taken off: what is left is the registration's own guard."""
    protected.workspace.set_variables(deletion_protection=False, **IN_USE)
    protected.workspace.apply()
    return protected


def another_key(key: InUse) -> str:
    """The ARN of a key that somebody else made."""
    arn: str = key.kms.create_key()["KeyMetadata"]["Arn"]
    return arn


WAYS: dict[str, Callable[[InUse], Run]] = {
    "destroy": lambda key: key.workspace.destroy(check=False),
    "destroy-target-key": lambda key: key.workspace.destroy(
        check=False, options=[f"-target={KEY}"]
    ),
    "destroy-target-role-policy": lambda key: key.workspace.destroy(
        check=False, options=[f"-target={USE}"]
    ),
    "destroy-target-registration": lambda key: key.workspace.destroy(
        check=False, options=["-target=module.ekm.module.registration"]
    ),
    "replace-key": lambda key: key.workspace.apply(check=False, options=[f"-replace={KEY}"]),
    "another-key-given": lambda key: key.workspace.apply(check=False, kms_key_arn=another_key(key)),
    "registration-null": lambda key: key.workspace.apply(check=False, registration=None),
}


@pytest.mark.parametrize(
    "way",
    [
        "destroy",
        "destroy-target-key",
        "destroy-target-role-policy",
        "another-key-given",
    ],
)
def test_the_deletion_guard_stops(way: str, protected: InUse) -> None:
    """Guards against: a way of taking the key out that forgets the protection."""
    refused = WAYS[way](protected)
    assert not refused.ok
    assert "deletion protection is on" in refused.said
    assert protected.works()


def test_what_the_key_policy_stops_whoever_asks(protected: InUse) -> None:
    """Guards against: a key deleted without Terraform, or a kill switch that is locked."""
    assert not protected.may("kms:ScheduleKeyDeletion")
    # Documented as what nothing of the module stops: the kill switch, and whoever may write policy.
    assert protected.may("kms:DisableKey")
    assert protected.may("kms:PutKeyPolicy")


@pytest.mark.parametrize(
    "way",
    [
        "destroy-target-key",
        "destroy-target-registration",
        "replace-key",
        "registration-null",
    ],
)
def test_the_registrations_guard_stops(way: str, unprotected: InUse) -> None:
    """Guards against: a way of taking key or registration away that forgets the active projects."""
    refused = WAYS[way](unprotected)
    assert not refused.ok
    assert f"EKM_CONFIRM_ARCHIVE={unprotected.external_key_id}" in refused.said
    assert unprotected.works()


def test_without_the_protection_the_key_policy_stops_nothing(unprotected: InUse) -> None:
    """Without the protection, the key policy in force denies no deletion."""
    assert unprotected.may("kms:ScheduleKeyDeletion", protected=False)


def test_a_key_scheduled_for_deletion_elsewhere_is_not_replaced(unprotected: InUse) -> None:
    """Guards against: an apply that makes a new key, moves the role to it and loses the old one."""
    before = {key["KeyId"] for key in unprotected.kms.list_keys()["Keys"]}
    unprotected.kms.schedule_key_deletion(KeyId=unprotected.key_arn, PendingWindowInDays=30)
    refused = unprotected.workspace.apply(check=False)
    unprotected.kms.cancel_key_deletion(KeyId=unprotected.key_arn)
    unprotected.kms.enable_key(KeyId=unprotected.key_arn)
    assert not refused.ok
    assert f"EKM_CONFIRM_ARCHIVE={unprotected.external_key_id}" in refused.said
    assert {key["KeyId"] for key in unprotected.kms.list_keys()["Keys"]} == before
    assert unprotected.works()


def test_a_workspace_key_is_left_and_a_targeted_instance_takes_no_other(
    ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack, ekm_openai: EmulatorProcess
) -> None:
    """Guards against: a key of a ChatGPT workspace, or of another instance, lost by `-target`."""
    ekm_openai.set_settings(workspace_id_for_new_keys="ws_1")
    fleet = ekm_workspace(f"{ROOTS}/fleet", keys={"green": []})
    fleet.apply()
    ekm_openai.set_settings(workspace_id_for_new_keys="")
    fleet.set_variables(keys={"green": [], "red": ["red-chat"]})
    fleet.apply()
    green, red = (
        InUse(fleet, ekm_localstack, ekm_openai, told["key_arn"], told["external_key_id"])
        for told in (fleet.outputs()["keys"][name] for name in ("green", "red"))
    )
    word = {"EKM_CONFIRM_ARCHIVE": green.external_key_id}
    refused = fleet.destroy(check=False, environment=word, options=['-target=module.ekm["green"]'])
    assert not refused.ok
    assert f"{green.external_key_id} is bound to the ChatGPT workspace ws_1" in refused.said
    assert f"{red.external_key_id} has active projects" in refused.said
    assert green.works()
    assert red.works()
