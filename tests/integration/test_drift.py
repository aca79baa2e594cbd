"""`ekm drift` on LocalStack and the emulator: the module applied, and then changed by hand."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from openai_ekm.cli.main import ekm, run
from openai_ekm.cli.options import FORMATS
from openai_ekm.drift.baseline import serialise
from tests.constants import REGION
from tests.doubles.customer import document

if TYPE_CHECKING:
    from openai_ekm.rehearsal import EmulatorProcess, LocalStack, Workspace
    from openai_ekm.rehearsal.plugin import WorkspaceFactory

# Their shell steps want what `terraform init` leaves.
pytestmark = [pytest.mark.terraform, pytest.mark.usefixtures("provider_of_each_command")]
ROLE = "openai-ekm"
READ_ONCE = [
    *("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"),
    *("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListAliases"),
    *("kms:ListGrants", "kms:ListResourceTags"),
    *("ssm:GetParametersByPath", "sts:GetCallerIdentity"),
]
ASKED_ONCE = ["GET /v1/organization/external_keys 200", "GET /v1/organization/projects 200"]
MEMBERS = ("role_arn", "kms_arn", "external_id")


@dataclass
class Applied:
    """The module, applied once, and `ekm` in its folder."""

    workspace: Workspace
    aws: LocalStack
    openai: EmulatorProcess
    patch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    calls: list[str] = field(default_factory=list)
    state: bytes = b""

    def __post_init__(self) -> None:
        self.account = self.workspace.environment["AWS_ACCESS_KEY_ID"]
        self.root = Path(__file__).resolve().parents[2]
        self.iam = self.aws.client("iam", self.account, REGION)
        self.kms = self.aws.client("kms", self.account, REGION)

    def __call__(self, *words: str) -> tuple[int, str]:
        """Run `ekm drift`; return the exit code and what it prints; count its calls to AWS."""
        self.calls.clear()
        with self.patch.context() as patch:
            for name in [each for each in os.environ if each.startswith(("AWS_", "EKM_"))]:
                patch.delenv(name)
            for name, value in self.workspace.environment.items():
                patch.setenv(name, value)
            patch.setattr("openai_ekm.aws_session.log_call", self._note)
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(self.state)))
            code = run(ekm, "ekm", ["drift", *words])
        out, err = self.capsys.readouterr()
        assert self.openai.admin_key not in out + err
        return code, out

    def _note(self, _party: str, action: str, *_rest: Any) -> None:
        self.calls.append(action)

    def look(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Compare with the state as it was applied; return the exit code and the JSON."""
        self.state = self.state or self.workspace.run("show", "-json").stdout.encode()
        code, out = self("--from-terraform", "-", "--json", *words)
        found: dict[str, Any] = json.loads(out)
        return code, found


def drifting(found: dict[str, Any]) -> set[str]:
    """The checks that drift."""
    return {each["id"] for each in found["checks"] if each["answer"] == "drift"}


@pytest.fixture
def drift(
    ekm_workspace: WorkspaceFactory,
    ekm_localstack: LocalStack,
    ekm_openai: EmulatorProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Applied:
    """The module, applied and registered."""
    workspace = ekm_workspace("examples/api-project", organization_id="org-abc123")
    workspace.apply()
    return Applied(workspace, ekm_localstack, ekm_openai, monkeypatch, capsys)


def change_by_hand(drift: Applied) -> None:
    """Do in AWS what a hurried colleague, or an intruder, would do."""
    key = drift.kms.describe_key(KeyId=f"alias/{ROLE}")["KeyMetadata"]["Arn"]
    trust = json.dumps(
        document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    )
    stranger = drift.iam.create_role(RoleName="stranger", AssumeRolePolicyDocument=trust)["Role"]
    policy = json.loads(drift.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"].pop()
    policy["Statement"].append(
        {
            "Sid": "ByHand\u202e",
            "Effect": "Allow",
            "Principal": {"AWS": stranger["Arn"]},
            "Action": "kms:Decrypt",
            "Resource": "*",
        }
    )
    drift.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    drift.kms.create_grant(KeyId=key, GranteePrincipal=stranger["Arn"], Operations=["Decrypt"])
    drift.kms.disable_key_rotation(KeyId=key)
    drift.kms.delete_alias(AliasName=f"alias/{ROLE}")
    drift.iam.put_role_policy(
        RoleName=ROLE,
        PolicyName="ByHand",
        PolicyDocument=json.dumps(
            document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
        ),
    )


def make_role_anew(drift: Applied) -> None:
    """Delete the role, and make it anew as it was."""
    role = drift.iam.get_role(RoleName=ROLE)["Role"]
    policies = {}
    for name in drift.iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        found = drift.iam.get_role_policy(RoleName=ROLE, PolicyName=name)
        policies[name] = json.dumps(found["PolicyDocument"])
        drift.iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
    drift.iam.delete_role(RoleName=ROLE)
    trust = json.dumps(role["AssumeRolePolicyDocument"])
    drift.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
    for name, policy in policies.items():
        drift.iam.put_role_policy(RoleName=ROLE, PolicyName=name, PolicyDocument=policy)


def test_every_change_by_hand_is_drift_and_nothing_else_is(drift: Applied, tmp_path: Path) -> None:
    """Guards against: drift that is none, a change that is missed, and a call too many."""
    drift.openai.forget_requests()
    assert drift.look()[0] == 0
    assert sorted(each for each in drift.calls if ":" in each) == READ_ONCE
    assert sorted(each.partition("?")[0] for each in drift.openai.calls()) == ASKED_ONCE
    run_the_steps_of_the_page(drift)
    change_at_openai(drift)
    change_in_aws(drift, tmp_path)
    drift.openai.set_faults("feature-off")
    code, found = drift.look("--side", "openai")
    assert (code, found["answer"]) == (8, "undecided")
    code, found = drift.look()  # a refusal of OpenAI hides no drift of AWS
    assert (code, found["answer"]) == (1, "drift")


def run_the_steps_of_the_page(drift: Applied) -> None:
    """Run the shell of the workflow that docs/operate/drift.md shows."""
    page = (drift.root / "docs" / "operate" / "drift.md").read_text()
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    steps = {each.get("name"): each for each in yaml.safe_load(block)["jobs"]["drift"]["steps"]}
    environment = {
        **drift.workspace.environment,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(drift.workspace.path / "summary.md"),
    }
    (drift.workspace.path / "accepted.json").write_text(serialise([]))
    for name in ("Look for drift", "Show the table"):
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", steps[name]["run"]],
            cwd=drift.workspace.path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "ekm drift" in (drift.workspace.path / "summary.md").read_text()
    assert json.loads((drift.workspace.path / "drift.json").read_text())["answer"] == "same"


def change_at_openai(drift: Applied) -> None:
    """Archive the project, make one without a key and a second registration, and look."""
    api = drift.openai.api
    # The emulator also has what other tests registered.
    registered = drift.workspace.outputs()["ekm"]["external_key_id"]
    key = api("GET", f"/organization/external_keys/{registered}")
    loose = api("POST", "/organization/projects", {"name": "loose\u202e"})["id"]
    body = {name: key[name] for name in ("type", "purpose", "name", *MEMBERS)}
    api("POST", "/organization/external_keys", body)
    api("POST", f"/organization/projects/{key['api_project_ids'][0]}/archive")
    side = ("--side", "openai", "--require-key", "--except", "Default project")
    code, found = drift.look(*side)
    assert (code, drifting(found)) == (1, {"duplicates", "projects", "project_keys"})
    assert loose in {each["subject"] for each in found["differences"]}
    assert "It is archived" in json.dumps(found["differences"])
    drift.openai.set_settings(organization="org-other")
    assert drifting(drift.look(*side)[1]) == {"organization"}


def change_in_aws(drift: Applied, tmp_path: Path) -> None:
    """Change everything in AWS by hand, look, accept it, look again; and make the role anew."""
    change_by_hand(drift)
    files = {name: tmp_path / f"drift.{name}" for name in FORMATS}
    given = [word for name, file in files.items() for word in ("--output", f"{name}={file}")]
    code, found = drift.look("--side", "aws", *given)
    wanted = {"permission_policies", "key_policy", "deletion_protection", "rotation", "aliases"}
    assert (code, drifting(found)) == (1, wanted | {"grants"})
    (key_policy,) = [each for each in found["differences"] if each["check"] == "key_policy"]
    first = key_policy["requests"][0]
    assert (first["change"], first["request"]["action"]) == ("more", "kms:Decrypt")
    assert first["request"]["principal"].endswith(":role/stranger")
    for file in files.values():
        text = file.read_text()
        assert "role/stranger" in text
        assert "\u202e" not in text

    accepted = ("--baseline", str(tmp_path / "accepted.json"))
    expires = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    words = ("--reason", "OPS-17", "--by", "jane@example.com", "--expires", expires)
    assert drift("accept", str(files["json"]), *accepted, "--all", *words)[0] == 0
    code, found = drift.look("--side", "aws", *accepted)
    assert (code, found["answer"]) == (0, "same")
    assert {each["accepted"]["reason"] for each in found["differences"]} == {"OPS-17"}

    make_role_anew(drift)
    code, found = drift.look("--side", "aws", *accepted)
    assert (code, drifting(found)) == (1, {"role_id"})
