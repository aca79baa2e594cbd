"""The drill as users run it: the emulator decides by the key's live policy and state."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import load_verb, run
from tests.constants import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from openai_ekm.rehearsal import EmulatorProcess, LocalStack

ORGANIZATION = "org-test"
PREFIX = "/openai-ekm/drill"
OPENAI_ROLE = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"
# A suite that runs in the background ignores Ctrl-C, and so would what it starts.
MAIN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from openai_ekm.cli.main import main; main()"
)
RUN = (sys.executable, "-P", "-c", MAIN)
ALONE = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "EKM_ADMIN_KEY_FROM", "EKM_FROM_TERRAFORM")
METHODS = ("key-policy", "disable-key")
_accounts = (f"{number:012d}" for number in itertools.count(444455550001))


@dataclass
class Customer:
    """A registered key with a project made for drills, and the environment of who rehearses."""

    account: str
    role_arn: str
    kms_arn: str
    environment: dict[str, str]
    aws: LocalStack
    openai: EmulatorProcess
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    external_key_id: str = ""
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client in this account."""
        if service not in self.clients:
            self.clients[service] = self.aws.client(service, self.account, REGION)
        return self.clients[service]

    def run(self, *words: str, json_out: bool = True) -> tuple[int, Any, str]:
        """Run `ekm` in this process; return exit code, document or text, and stderr."""
        with self.monkeypatch.context() as patch:
            for name in (*ALONE, *self.environment):
                patch.delenv(name, raising=False)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            given = [*words[1:], "--json"] if json_out else list(words[1:])
            code = run(load_verb(words[0]), f"ekm {words[0]}", given)
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err, err
        assert self.environment["OPENAI_ADMIN_KEY"] not in out + err
        return code, json.loads(out) if json_out else out, err

    def drill(self, *words: str) -> tuple[int, Any, str]:
        """Run a confirmed drill."""
        return self.run("drill", "revoke", "--confirm", self.external_key_id, *words)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a confirmed drill that holds its cut for as long as the test likes."""
        return subprocess.Popen(
            [*RUN, "drill", "revoke", "--confirm", self.external_key_id, "--hold", "3600", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def register(self, *projects: str) -> None:
        """Register the key, with these projects."""
        self.environment["EKM_PROJECTS"] = json.dumps(projects)
        code, made, err = self.run("register")
        assert code == 0, err
        self.external_key_id = made["external_key_id"]

    def policy(self) -> str:
        """The key policy."""
        kms = self.client("kms")
        return str(kms.get_key_policy(KeyId=self.kms_arn, PolicyName="default")["Policy"])

    def sids(self) -> list[str]:
        """The Sids of its statements."""
        return [each["Sid"] for each in json.loads(self.policy())["Statement"]]

    def state(self) -> str:
        """The key's state."""
        return str(self.client("kms").describe_key(KeyId=self.kms_arn)["KeyMetadata"]["KeyState"])

    def is_cut(self) -> bool:
        """Whether OpenAI is cut off."""
        return "EkmDrillRevoke" in self.sids() or self.state() == "Disabled"

    def is_refused(self) -> bool:
        """Whether OpenAI says so."""
        answer = self.openai.requests()
        return any(call["path"].endswith("/validate") and call["status"] != 200 for call in answer)

    def validates(self) -> bool:
        """Whether OpenAI can use the key now."""
        return self.run("validate")[0] == 0

    def parameters(self) -> set[str]:
        """What is under the record's path; the claim of a killed run lapses, and stays a while."""
        found = self.client("ssm").get_parameters_by_path(Path=PREFIX)["Parameters"]
        names = {each["Name"].removeprefix(PREFIX + "/") for each in found}
        return {name for name in names if not name.startswith("claim-")}


@pytest.fixture
def customer(
    ekm_localstack: LocalStack,
    ekm_openai: EmulatorProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Customer:
    """A customer in an account of its own, registered, with one project for drills."""
    account = next(_accounts)
    iam = ekm_localstack.client("iam", account, REGION)
    kms = ekm_localstack.client("kms", account, REGION)
    root = f"arn:aws:iam::{account}:root"
    role_arn = f"arn:aws:iam::{account}:role/ekm/openai-ekm"
    trust = statement("Trust", {"AWS": OPENAI_ROLE}, "sts:AssumeRole", Resource=None)
    trust["Condition"] = {"StringEquals": {"sts:ExternalId": [ORGANIZATION]}}
    iam.create_role(RoleName="openai-ekm", Path="/ekm/", AssumeRolePolicyDocument=document(trust))
    use = ["kms:Decrypt", "kms:Encrypt"]
    administer = ["kms:PutKeyPolicy", "kms:GetKeyPolicy", "kms:EnableKey", "kms:DisableKey"]
    by_role = statement("AllowUseByRole", {"AWS": root}, use)
    by_role["Condition"] = {"ArnEquals": {"aws:PrincipalArn": role_arn}}
    policy = document(statement("AllowAdministration", {"AWS": root}, administer), by_role)
    kms_arn = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    iam.put_role_policy(
        RoleName="openai-ekm",
        PolicyName="use",
        PolicyDocument=document(statement("Use", None, use, Resource=kms_arn)),
    )
    made = Customer(
        account,
        role_arn,
        kms_arn,
        {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            **ekm_localstack.environment(account, REGION),
            **ekm_openai.environment(),
            "EKM_ROLE_ARN": role_arn,
            "EKM_KMS_ARN": kms_arn,
            "EKM_EXTERNAL_ID": ORGANIZATION,
            "EKM_NAME": "drill",
            "EKM_RECORD": f"ssm:{PREFIX}",
            "EKM_WAIT_SECONDS": "60",
        },
        ekm_localstack,
        ekm_openai,
        monkeypatch,
        capsys,
    )
    made.register("ekm-drill")
    ekm_openai.forget_requests()
    return made


def statement(
    sid: str,
    principal: Mapping[str, str] | None,
    action: Any,
    Resource: str | None = "*",  # noqa: N803
) -> dict[str, Any]:
    """An Allow."""
    found = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action}
    found["Resource"] = Resource
    return {name: value for name, value in found.items() if value is not None}


def document(*statements: Mapping[str, Any]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something holds, while the process lives."""
    deadline = time.monotonic() + 240
    alive = True
    while not holds():
        assert time.monotonic() < deadline, "it never held"
        assert alive, process.communicate()
        alive = process.poll() is None
        time.sleep(0.05)


@pytest.mark.parametrize("method", METHODS)
def test_full_drill(customer: Customer, tmp_path: Path, method: str) -> None:
    """The kill switch is rehearsed against a world of our own making; the report says otherwise."""
    before = customer.policy()
    code, plan, _ = customer.run("drill", "revoke", "--plan", "--by", method)
    assert code == 0
    assert [project["name"] for project in plan["interrupts"]] == ["ekm-drill"]
    assert customer.parameters() == {"record"}
    assert not any(c["path"].endswith("/validate") for c in customer.openai.requests())

    at = tmp_path / "drill"
    code, report, err = customer.drill("--by", method, "--hold", "1", "--report", str(at))
    assert code == 0, err
    assert (report["schema"], report["result"]) == ("ekm-drill/1", "recovered")
    assert report["holds"]
    assert report["access_is_back"]
    words = {"key-policy": "explicit deny in a resource-based policy", "disable-key": "is disabled"}
    assert words[method] in report["refusal"]["message"]
    answers = [
        call["status"] for call in customer.openai.requests() if call["path"].endswith("/validate")
    ]
    assert (answers[0], answers[-1]) == (200, 200)
    assert answers.count(400) >= 2  # at first, and at the end of the hold
    marks = [event["event"] for event in report["events"]]
    assert [mark for mark in marks if mark in {"note_written", "cut", "refused", "recovered"}] == [
        "note_written",
        "cut",
        "refused",
        "recovered",
    ]
    assert report["seconds"]["interrupted"] >= 1.0
    assert customer.policy() == before
    assert customer.state() == "Enabled"
    assert customer.parameters() == {"record"}
    assert json.loads(at.with_suffix(".json").read_text()) == report
    page = at.with_suffix(".md").read_text()
    assert "ekm-drill" in page
    assert "up to 60 minutes after a cut" in page
    assert "https://help.openai.com/" in page
    assert customer.run("status")[0] == 0


@pytest.mark.parametrize("method", METHODS)
def test_sigkill_in_the_middle_then_restore(customer: Customer, method: str) -> None:
    """A crash leaves OpenAI cut off, and nobody is told."""
    before = customer.policy()
    with customer.start("--by", method) as process:
        wait_until(lambda: customer.is_cut() and customer.is_refused(), process)
        process.send_signal(signal.SIGKILL)
    assert customer.is_cut()
    assert {"record", "drill"} <= customer.parameters()

    code, status, _ = customer.run("status")
    assert (code, status["holds"], status["drill"]["method"]) == (1, False, method)
    assert any("ekm drill restore" in difference for difference in status["differences"])

    code, report, err = customer.run("drill", "restore")
    assert code == 0, err
    assert (report["result"], report["access_is_back"]) == ("recovered", True)
    assert customer.policy() == before
    assert customer.state() == "Enabled"
    assert customer.parameters() == {"record"}
    code, report, _ = customer.run("drill", "restore", "--no-validate")
    assert (code, report["result"]) == (0, "nothing_cut")


@pytest.mark.parametrize(("method", "name"), [("key-policy", "SIGINT"), ("disable-key", "SIGTERM")])
def test_signal_in_the_middle_restores(customer: Customer, method: str, name: str) -> None:
    """Ctrl-C, or a pipeline that is cancelled, leaves OpenAI cut off."""
    before = customer.policy()
    with customer.start("--by", method, "--json") as process:
        wait_until(lambda: customer.is_cut() and customer.is_refused(), process)
        code, refusal, _ = customer.run("register", "--wait", "0")
        assert (code, refusal["error"]["id"]) == (6, "claim_held")
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert (report["result"], report["access_is_back"]) == ("interrupted", True)
    assert any(event["text"] == name for event in report["events"])
    assert customer.policy() == before
    assert customer.state() == "Enabled"
    assert customer.parameters() == {"record"}
    assert customer.validates()


def test_policy_that_settles_late_is_waited_for(customer: Customer) -> None:
    """A cut, or access that is back, counts as failed because KMS needs a moment."""
    from openai_ekm.rehearsal import EmulatorProcess  # noqa: PLC0415 - one of its own, that settles late

    before = customer.policy()
    customer.client("ssm").delete_parameter(Name=f"{PREFIX}/record")
    with EmulatorProcess.start(customer.aws, settle=0.8) as openai:
        customer.openai = openai
        customer.environment |= openai.environment()
        customer.register("ekm-drill")
        code, report, err = customer.drill()
    assert code == 0, err
    assert report["seconds"]["cut_to_refusal"] > 0.8
    assert report["seconds"]["restored_to_recovery"] > 0.8
    assert customer.policy() == before


def test_terraform_that_takes_the_statement_out_is_noticed(customer: Customer) -> None:
    """An apply undoes the drill, and the report shows a switch that was held and was not."""
    before = customer.policy()
    for hold in ("2", "30"):
        customer.openai.forget_requests()
        with customer.start("--json", "--hold", hold) as process:
            wait_until(customer.is_refused, process)
            customer.client("kms").put_key_policy(
                KeyId=customer.kms_arn, PolicyName="default", Policy=before
            )
            out, err = process.communicate(timeout=240)
        if process.returncode:  # else this machine was too busy to undo it in time
            break
    assert process.returncode == 1, err
    report = json.loads(out)
    assert (report["result"], report["error"]["id"]) == (
        "undone_by_others",
        "drill_undone_by_others",
    )
    assert report["access_is_back"]
    assert customer.policy() == before
    assert customer.parameters() == {"record"}


def test_change_by_others_during_the_drill_stands(customer: Customer) -> None:
    """Giving access back puts an old policy over what somebody changed meanwhile."""
    with customer.start("--json") as process:
        wait_until(lambda: customer.is_cut() and customer.is_refused(), process)
        process.send_signal(signal.SIGKILL)
    changed = json.loads(customer.policy())
    changed["Statement"].insert(0, statement("Audit", {"AWS": "*"}, "kms:DescribeKey"))
    customer.client("kms").put_key_policy(
        KeyId=customer.kms_arn, PolicyName="default", Policy=json.dumps(changed)
    )
    code, report, err = customer.run("drill", "restore")
    assert code == 0, err
    assert customer.sids() == ["Audit", "AllowAdministration", "AllowUseByRole"]
    assert report["key_policy"]["found_at_restore"] == "changed"
    assert not report["key_policy"]["as_before"]


def test_production_projects_are_refused_unless_named(customer: Customer) -> None:
    """A drill cuts production off because somebody moved a project onto the key."""
    customer.register("ekm-drill", "prod")
    for words in ((), ("--interrupt", "prod", "--interrupt", "ekm-drill")):
        code, refusal, _ = customer.drill(*words)
        assert code == 6
        assert refusal["error"]["id"] in {"drill_production_projects", "drill_project_not_active"}
    code, refusal, _ = customer.run("drill", "revoke", "--interrupt", "prod")
    assert (code, refusal["error"]["id"]) == (6, "drill_not_confirmed")
    assert not customer.is_cut()
    assert customer.parameters() == {"record"}
    code, report, err = customer.drill("--interrupt", "prod")
    assert code == 0, err
    assert {project["name"] for project in report["projects"]} == {"ekm-drill", "prod"}


def test_caller_that_cannot_give_back_is_refused(customer: Customer) -> None:
    """Somebody who may disable the key but not enable it cuts OpenAI off for good."""
    policy = json.loads(customer.policy())
    policy["Statement"][0]["Action"].remove("kms:EnableKey")
    customer.client("kms").put_key_policy(
        KeyId=customer.kms_arn, PolicyName="default", Policy=json.dumps(policy)
    )
    code, refusal, _ = customer.drill("--by", "disable-key")
    assert (code, refusal["error"]["id"]) == (6, "drill_no_way_back")
    assert "kms:EnableKey" in refusal["error"]["message"]
    assert customer.state() == "Enabled"


def test_drill_with_a_record_in_a_file(customer: Customer, tmp_path: Path) -> None:
    """The note of a file record is nowhere, or the lock keeps the next run out."""
    customer.environment["EKM_RECORD"] = f"file:{tmp_path / 'record.json'}"
    assert customer.run("register", "--adopt", customer.external_key_id)[0] == 0
    with customer.start() as process:
        wait_until(lambda: customer.is_cut() and customer.is_refused(), process)
        process.send_signal(signal.SIGKILL)
    note = json.loads((tmp_path / "record.json.drill").read_text())
    assert note["external_key_id"] == customer.external_key_id
    assert customer.environment["OPENAI_ADMIN_KEY"] not in json.dumps(note)
    code, text, _ = customer.run("drill", "restore", json_out=False)
    assert code == 0
    assert text.startswith("# Drill: access given back")
    assert not (tmp_path / "record.json.drill").exists()
    assert customer.validates()
