"""A set-up made by hand comes under the module: no second registration, no moment of refusal."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.evaluation import Policies, Request, decide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory
    from openai_ekm.rehearsal.terraform import Plan, Workspace

pytestmark = pytest.mark.terraform

CALLER = "tests/terraform/caller"
OPENAI_ROLE = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"
ORGANIZATION = "org-hand"
RUN = (sys.executable, "-P", "-c", "from openai_ekm.cli.main import main; main()")


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(*ids: str) -> dict[str, Any]:
    """The trust policy of OpenAI's instructions."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": OPENAI_ROLE},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"sts:ExternalId": ids[0] if len(ids) == 1 else list(ids)}
            },
        }
    )


def use(key_arn: str) -> dict[str, Any]:
    """The identity policy of OpenAI's instructions."""
    return document(
        {"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": key_arn}
    )


@dataclass
class ByHand:
    """A set-up that was made without the module, in the account of a workspace."""

    workspace: Workspace
    aws: LocalStack
    openai: EmulatorProcess
    role: str = "OpenAI.EKM"
    path: str = "/vendor/"
    key_arn: str = ""
    external_key_id: str = ""
    answers: list[str] = field(default_factory=list)

    @property
    def account(self) -> str:
        """Twelve digits."""
        return self.workspace.environment["AWS_ACCESS_KEY_ID"]

    @property
    def role_arn(self) -> str:
        """Of the role, path included."""
        return f"arn:aws:iam::{self.account}:role{self.path}{self.role}"

    def client(self, service: str) -> Any:
        """A client in the account."""
        return self.aws.client(service, self.account, self.workspace.environment["AWS_REGION"])

    def make_role(self, **arguments: Any) -> None:
        """Make the role, trusting OpenAI."""
        self.client("iam").create_role(
            RoleName=self.role,
            Path=self.path,
            AssumeRolePolicyDocument=json.dumps(trust(ORGANIZATION, "proj_next")),
            **arguments,
        )

    def register(self, *projects: str) -> None:
        """Register at OpenAI as its own settings page does, and make projects."""
        made = self.openai.api(
            "POST",
            "/organization/external_keys",
            {
                "type": "aws",
                "purpose": "ekm",
                "name": "Production EKM",
                "role_arn": self.role_arn,
                "kms_arn": self.key_arn,
                "external_id": ORGANIZATION,
            },
        )
        self.external_key_id = made["id"]
        for name in projects:
            self.openai.api(
                "POST",
                "/organization/projects",
                {"name": name, "external_key_id": self.external_key_id},
            )

    def adopt(self, *words: str, expected: int = 0) -> dict[str, Any]:
        """Run `ekm adopt`, which prints the module's address as this root has it."""
        source = (self.workspace.path / "main.tf").read_text(encoding="utf-8")
        line = next(line for line in source.splitlines() if line.strip().startswith("source"))
        done = subprocess.run(
            [*RUN, "adopt", *words, "--module-source", line.split('"')[1], "--json"],
            env=self.workspace.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def configure(self, said: dict[str, Any], **changes: Any) -> None:
        """Put what `ekm adopt` printed into the root, in place of what stands there."""
        module = said["hcl"]["module"]
        lines = [line for line in module.splitlines() if line.split("=")[0].strip() not in changes]
        text = "\n".join([*lines, said["hcl"]["output"], ""])
        (self.workspace.path / "main.tf").write_text(text, encoding="utf-8")
        (self.workspace.path / "ekm.auto.tfvars.json").unlink(missing_ok=True)
        (self.workspace.path / "imports.tf").write_text(said["hcl"]["imports"], encoding="utf-8")

    def validate(self) -> str:
        """Ask OpenAI, which judges by the policies in force at this moment."""
        try:
            answer = self.openai.api(
                "POST", f"/organization/external_keys/{self.external_key_id}/validate"
            )
        except Exception as refused:  # noqa: BLE001 - whatever it is, it is no success
            return str(refused)
        return str(answer["status"])

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Ask OpenAI before it, again and again meanwhile, and after it."""
        first, over = threading.Event(), threading.Event()

        def ask() -> None:
            last = False
            while not last:
                last = over.is_set()
                self.answers.append(self.validate())
                first.set()

        watcher = threading.Thread(target=ask)
        watcher.start()
        try:
            assert first.wait(240)
            yield
        finally:
            over.set()
            watcher.join()

    def registrations(self) -> list[str]:
        """Ids of everything that is registered for the account."""
        listed = self.openai.api("GET", "/organization/external_keys?limit=100")["data"]
        return [key["id"] for key in listed if f"::{self.account}:" in key["role_arn"]]


@pytest.fixture
def by_hand(
    ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack, ekm_openai: EmulatorProcess
) -> ByHand:
    """An account without anything in it yet, and a root to bring it under."""
    return ByHand(ekm_workspace(CALLER), ekm_localstack, ekm_openai)


def only_announced(plan: Plan, said: dict[str, Any]) -> None:
    """Check that a plan imports what was printed, and beside that does what was announced."""
    changes = {change["address"]: change["change"] for change in plan.json["resource_changes"]}
    imported = {
        address: change["importing"]["id"]
        for address, change in changes.items()
        if "importing" in change
    }
    assert imported == {block["to"]: block["id"] for block in said["imports"]}
    announced = {(change["address"], change["action"]) for change in said["changes"]}
    done = {(address, action) for address, actions in plan.actions.items() for action in actions}
    assert done <= announced


def decisions(hand: ByHand, key_policy: Any, identity: Any, trust_policy: Any) -> list[str]:
    """How AWS decides OpenAI's three calls under three documents."""
    context = {"sts:ExternalId": ORGANIZATION}
    assume = decide(
        Request(OPENAI_ROLE, "sts:AssumeRole", hand.role_arn, hand.account, context),
        Policies(identity=(document({"Effect": "Allow", "Action": "*", "Resource": "*"}),),
                 resource=trust_policy),
    )  # fmt: skip
    session = f"arn:aws:sts::{hand.account}:assumed-role/{hand.role}/s"
    context = {"aws:PrincipalArn": hand.role_arn}
    return [assume.outcome.value] + [
        decide(
            Request(session, action, hand.key_arn, hand.account, context),
            Policies(identity=tuple(identity), resource=key_policy),
        ).outcome.value
        for action in ("kms:Encrypt", "kms:Decrypt")
    ]


def test_a_set_up_of_openais_instructions_comes_under_the_module_without_a_refusal(
    by_hand: ByHand,
) -> None:
    """Adopting registers a second time, takes data's key away, or replaces what it was to keep."""
    iam, kms = by_hand.client("iam"), by_hand.client("kms")
    by_hand.make_role(Description="For OpenAI", Tags=[{"Key": "team", "Value": "security"}])
    # AWS's default key policy, no rotation, an alias of somebody's choice; policy attached.
    by_hand.key_arn = kms.create_key(Description="OpenAI data")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/openai-data", TargetKeyId=by_hand.key_arn)
    managed = iam.create_policy(
        PolicyName="openai-use", PolicyDocument=json.dumps(use(by_hand.key_arn))
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=by_hand.role, PolicyArn=managed)
    by_hand.register("chat", "research")

    by_hand.openai.forget_requests()
    said = by_hand.adopt("--adopt", by_hand.external_key_id, "--record", "ssm:/openai-ekm/prod")
    assert [call for call in by_hand.openai.calls() if not call.startswith("GET")] == [
        call for call in by_hand.openai.calls() if "/validate" in call
    ]
    assert said["before"] == []
    assert by_hand.registrations() == [by_hand.external_key_id]

    old = {
        "key": json.loads(
            kms.get_key_policy(KeyId=by_hand.key_arn, PolicyName="default")["Policy"]
        ),
        "identity": [use(by_hand.key_arn)],
        "trust": trust(ORGANIZATION, "proj_next"),
    }
    by_hand.configure(said)
    plan = by_hand.workspace.plan()
    only_announced(plan, said)
    with by_hand.watched():
        by_hand.workspace.apply(plan)
    assert len(by_hand.answers) > 2  # one before, one after, and some meanwhile
    assert set(by_hand.answers) == {"success"}
    assert by_hand.registrations() == [by_hand.external_key_id]
    assert by_hand.workspace.plan().empty
    told = by_hand.workspace.outputs()["ekm"]
    assert (told["external_key_id"], told["key_arn"], told["role_arn"]) == (
        by_hand.external_key_id,
        by_hand.key_arn,
        by_hand.role_arn,
    )
    assert set(told["project_ids"]) == {"chat", "research"}

    # As announced: the old policy goes, then the key is narrowed to the role alone.
    iam.detach_role_policy(RoleName=by_hand.role, PolicyArn=managed)
    by_hand.configure(said, key_policy_mode=None)
    (by_hand.workspace.path / "imports.tf").unlink()
    narrowed = by_hand.workspace.plan()
    assert set(narrowed.actions.values()) == {("update",)}
    with by_hand.watched():
        by_hand.workspace.apply(narrowed)
    assert set(by_hand.answers) == {"success"}

    # Whatever order Terraform and IAM take: every mixture of old and new lets OpenAI in.
    new = by_hand.workspace.outputs()["ekm"]["policies"]
    for key_policy, identity, trust_policy in itertools.product(
        (old["key"], new["key_policy"]),
        (old["identity"], [*old["identity"], new["permission_policy"]], [new["permission_policy"]]),
        (old["trust"], new["trust_policy"]),
    ):
        found = decisions(by_hand, key_policy, identity, trust_policy)
        assert found == ["Allowed"] * 3


def test_a_key_policy_that_names_the_role_gets_the_roles_own_policy_first(by_hand: ByHand) -> None:
    """The key policy is narrowed before the role has a policy: data cannot be read meanwhile."""
    iam, kms = by_hand.client("iam"), by_hand.client("kms")
    by_hand.role, by_hand.path = "openai-ekm", "/"
    by_hand.make_role()
    administrator = f"arn:aws:iam::{by_hand.account}:role/security"
    by_hand.key_arn = kms.create_key(
        Policy=json.dumps(
            document(
                {"Sid": "Administer", "Effect": "Allow", "Principal": {"AWS": administrator},
                 "Action": ["kms:Put*", "kms:Describe*", "kms:ScheduleKeyDeletion"],
                 "Resource": "*"},
                {"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": by_hand.role_arn},
                 "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*"},
            )
        )
    )["KeyMetadata"]["Arn"]  # fmt: skip
    kms.enable_key_rotation(KeyId=by_hand.key_arn)
    by_hand.register()

    said = by_hand.adopt("--role-arn", by_hand.role_arn)
    assert said["variables"]["administrators"] == [administrator]
    assert said["variables"]["account_root_administers"] is False
    (command,) = said["before"]
    policy = json.loads(command.split("--policy-document ")[1].strip("'"))
    new = by_hand.client("kms").get_key_policy  # what stands there grants by naming the role
    old = json.loads(new(KeyId=by_hand.key_arn, PolicyName="default")["Policy"])
    delegation = document(
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{by_hand.account}:root"},
         "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*",
         "Condition": {"ArnEquals": {"aws:PrincipalArn": by_hand.role_arn}}}
    )  # fmt: skip
    assert decisions(by_hand, delegation, [], trust(ORGANIZATION))[1:] == ["ImplicitlyDenied"] * 2
    for key_policy in (old, delegation):
        found = decisions(by_hand, key_policy, [policy], trust(ORGANIZATION))
        assert found == ["Allowed"] * 3

    iam.put_role_policy(
        RoleName=by_hand.role,
        PolicyName="AllowEncryptDecrypt",
        PolicyDocument=json.dumps(policy),
    )
    # Whoever applies is no administrator by name here: the account administers, too.
    by_hand.configure(said, account_root_administers=None)
    plan = by_hand.workspace.plan()
    only_announced(plan, said)
    with by_hand.watched():
        by_hand.workspace.apply(plan)
    assert set(by_hand.answers) == {"success"}
    assert by_hand.registrations() == [by_hand.external_key_id]
    assert by_hand.workspace.plan().empty


def test_a_registered_alias_leaves_the_key_where_it_is(by_hand: ByHand) -> None:
    """A key registered by its alias is registered again by its ARN, and the data left behind."""
    iam, kms = by_hand.client("iam"), by_hand.client("kms")
    by_hand.make_role()
    key_arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/openai-data", TargetKeyId=key_arn)
    iam.put_role_policy(
        RoleName=by_hand.role, PolicyName="kms-use", PolicyDocument=json.dumps(use(key_arn))
    )
    by_hand.key_arn = key_arn.split("key/")[0] + "alias/openai-data"
    by_hand.register()

    said = by_hand.adopt("--name", "Production EKM", "--kms-arn", by_hand.key_arn)
    assert said["variables"]["kms_key_arn"] == by_hand.key_arn
    assert [block["id"] for block in said["imports"]] == [by_hand.role, f"{by_hand.role}:kms-use"]
    by_hand.configure(said)
    plan = by_hand.workspace.plan()
    only_announced(plan, said)
    assert by_hand.registrations() == [by_hand.external_key_id]


def test_what_is_printed_runs_as_printed(by_hand: ByHand) -> None:
    """Guards against: a printed file or step that Terraform or the shell does not take."""
    kms = by_hand.client("kms")
    by_hand.make_role()
    by_hand.key_arn = kms.create_key()["KeyMetadata"]["Arn"]
    by_hand.client("iam").put_role_policy(
        RoleName=by_hand.role, PolicyName="use", PolicyDocument=json.dumps(use(by_hand.key_arn))
    )
    by_hand.register("chat")
    main = by_hand.workspace.path / "main.tf"
    line = next(line for line in main.read_text().splitlines() if "source" in line)
    words = ["adopt", "--adopt", by_hand.external_key_id, "--record", "ssm:/openai-ekm/prod"]
    words += ["--module-address", 'module.ekm["prod"]', "--module-source", line.split('"')[1]]
    printed = subprocess.run(
        [*RUN, *words],
        env=by_hand.workspace.environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    main.write_text(printed, encoding="utf-8")
    (by_hand.workspace.path / "ekm.auto.tfvars.json").unlink(missing_ok=True)
    by_hand.workspace.apply()
    assert by_hand.registrations() == [by_hand.external_key_id]
    told = by_hand.workspace.outputs()["ekm"]["prod"]
    assert (told["external_key_id"], told["key_arn"]) == (by_hand.external_key_id, by_hand.key_arn)
    (step,) = re.findall(r"then `ekm (validate [^`]*)`", printed)
    validated = subprocess.run(
        [*RUN, *shlex.split(step)], env=by_hand.workspace.environment, check=False
    )
    assert validated.returncode == 0


def test_nothing_to_adopt_makes_nothing(by_hand: ByHand) -> None:
    """A mistyped ARN ends in a registration, or in a record of one that is not there."""
    said = by_hand.adopt("--role-arn", by_hand.role_arn, expected=6)
    assert said["error"]["id"] == "nothing_to_adopt"
    assert by_hand.registrations() == []
    ssm = by_hand.client("ssm")
    assert ssm.get_parameters_by_path(Path="/", Recursive=True)["Parameters"] == []
