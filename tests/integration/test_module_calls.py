"""How a root may call the module without Terraform taking a key for another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory
    from openai_ekm.rehearsal.terraform import Workspace

pytestmark = pytest.mark.terraform

ACCOUNT = "111122225511"
ALIAS = "alias/shared"
CALLER = "tests/terraform/caller"  # its name is the module's default


@pytest.fixture
def kms(ekm_localstack: LocalStack) -> Any:
    """KMS in the account of these tests."""
    return ekm_localstack.session(ACCOUNT).client("kms")


def point(kms: Any, key_arn: str) -> None:
    """Point the alias at a key; by id, because LocalStack takes no ARN there."""
    there = ALIAS in [it["AliasName"] for it in kms.list_aliases()["Aliases"]]
    move = kms.update_alias if there else kms.create_alias
    move(AliasName=ALIAS, TargetKeyId=key_arn.split("/")[1])


def given_key(kms: Any) -> str:
    """The ARN of a key that somebody else made; the alias is pointed at it."""
    arn: str = kms.create_key()["KeyMetadata"]["Arn"]
    point(kms, arn)
    return arn


def alias_arn(key_arn: str) -> str:
    """The alias's ARN, of the key's account and Region."""
    return f"{key_arn.partition(':key/')[0]}:{ALIAS}"


def test_what_is_looked_up_late_replaces_nothing(ekm_workspace: WorkspaceFactory, kms: Any) -> None:
    """Guards against: a tag on the given key, or a change before it, taken for a lost key.

    Every form of key, with and without a registration, with the dependency changed and unchanged;
    deletion protection is on in all of them.
    """
    key_arn = given_key(kms)
    workspace = ekm_workspace(
        "tests/terraform/called-after",
        account=ACCOUNT,
        key_arn=key_arn,
        alias_arn=alias_arn(key_arn),
    )
    workspace.apply()

    plan = workspace.plan(revision="2")
    assert {"aws_kms_key.given", "terraform_data.before"} < plan.actions.keys()
    assert set(plan.actions.values()) == {("update",)}
    workspace.apply(plan)
    assert workspace.plan(revision="2").empty


def called_by_alias(ekm_workspace: WorkspaceFactory, kms: Any) -> tuple[Workspace, str]:
    """An applied root whose key is given by an alias, and the key's ARN."""
    key_arn = given_key(kms)
    workspace = ekm_workspace(
        CALLER,
        account=ACCOUNT,
        name="moved",
        deletion_protection=True,
        kms_key_arn=alias_arn(key_arn),
    )
    workspace.apply()
    return workspace, key_arn


def test_a_moved_alias_is_refused_with_the_way_back(
    ekm_workspace: WorkspaceFactory, kms: Any
) -> None:
    """Guards against: a role that follows the alias to another key, so that data is lost."""
    workspace, first = called_by_alias(ekm_workspace, kms)
    second = given_key(kms)
    refused = workspace.refused_plan()
    assert f"found {second}, wanted {first}" in refused.said
    back = f"aws kms update-alias --alias-name {ALIAS} --target-key-id {first}"
    assert back in refused.said
    point(kms, first)
    assert workspace.plan().empty

    # The other way: the data is given up, in words of two applies.
    point(kms, second)
    settings = {**workspace.variables, "deletion_protection": False}
    workspace.set_variables(**settings)
    workspace.apply()
    workspace.set_variables(**{**settings, "deletion_protection": True})
    assert not workspace.apply(check=False).ok
    workspace.apply(options=["-replace=module.ekm.terraform_data.key"])
    assert workspace.plan().empty
    assert workspace.outputs()["ekm"]["key_arn"] == second


@pytest.fixture(scope="module")
def protected(ekm_workspace: WorkspaceFactory) -> Workspace:
    """An applied root with deletion protection; what the tests do to it is refused."""
    workspace = ekm_workspace(CALLER, name="here", deletion_protection=True)
    workspace.apply()
    return workspace


@pytest.mark.parametrize(
    ("variable", "value"), [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "111122225513")]
)
def test_a_provider_for_elsewhere_is_refused_by_the_plan(
    variable: str, value: str, protected: Workspace
) -> None:
    """Guards against: another key made elsewhere, and the first one taken out of the state."""
    before = protected.addresses()
    refused = protected.apply(check=False, environment={variable: value})
    assert not refused.ok
    assert "Terraform would make another key" in refused.said
    account, region = (protected.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_REGION"))
    assert f"is in account {account}, Region {region}, as the state says" in refused.said
    assert "Creating..." not in refused.said
    assert "Destroying..." not in refused.said
    assert protected.addresses() == before
    assert protected.plan().empty


@pytest.fixture(scope="module")
def registered(ekm_workspace: WorkspaceFactory) -> Workspace:
    """An applied and registered root, which the tests below leave as it is."""
    workspace = ekm_workspace(CALLER, registration={})
    workspace.apply()
    return workspace


def test_a_second_set_up_with_one_name_makes_no_key(
    registered: Workspace,
    ekm_workspace: WorkspaceFactory,
    ekm_localstack: LocalStack,
    ekm_openai: EmulatorProcess,
) -> None:
    """Guards against: a second root of one name that ends at the role and leaves a key behind."""
    account = registered.environment["AWS_ACCESS_KEY_ID"]
    kms = ekm_localstack.session(account).client("kms")
    before = kms.list_keys()["Keys"]
    second = ekm_workspace(CALLER, account=account, registration={})
    refused = second.apply(check=False)
    assert not refused.ok
    assert "EntityAlreadyExists: Role with name openai-ekm already exists" in refused.said
    assert kms.list_keys()["Keys"] == before
    made = [address for address in second.addresses() if ".data." not in address]
    assert not [address for address in made if ".aws_" in address]
    assert ekm_openai.calls() == []
    assert registered.plan().empty


def assert_told(said: str) -> None:
    """The plan says what destroying the guard does, and which edits lead there."""
    [told] = [line for line in said.splitlines() if "- when_destroyed" in line]
    assert "Destroying this unregisters openai-ekm at OpenAI." in told
    assert "refused while projects are active" in told
    assert "undo the edit: registration = null, a renamed module label" in told


def test_a_plan_that_takes_the_registration_away_says_so(registered: Workspace) -> None:
    """Guards against: a plan without a word of what the apply then refuses or unregisters."""
    plan = registered.plan(registration=None)
    assert ("delete",) in plan.actions.values()
    assert_told(plan.run.said)


def test_a_plan_with_a_renamed_module_label_says_so(
    registered: Workspace, ekm_workspace: WorkspaceFactory
) -> None:
    """Guards against: a renamed label whose plan does not name the edit to undo."""
    renamed = ekm_workspace(
        CALLER, account=registered.environment["AWS_ACCESS_KEY_ID"], registration={}
    )
    state = (registered.path / "terraform.tfstate").read_text(encoding="utf-8")
    (renamed.path / "terraform.tfstate").write_text(state, encoding="utf-8")
    root = renamed.path / "main.tf"
    text = root.read_text(encoding="utf-8")
    text = text.replace('module "ekm"', 'module "keys"').replace("module.ekm", "module.keys")
    root.write_text(text, encoding="utf-8")
    assert_told(renamed.plan().run.said)
