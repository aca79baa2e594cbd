"""The registrar as users run it, against the emulator, which really uses the key in LocalStack."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import load_verb, run
from tests.constants import REGION
from tests.doubles.customer import until_met

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openai_ekm.rehearsal import EmulatorProcess, LocalStack

ORGANIZATION = "org-test"
OPENAI_ROLE = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"
RUN = (sys.executable, "-P", "-c", "from openai_ekm.cli.main import main; main()")
AWS_VARIABLES = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "EKM_CONFIRM_ARCHIVE", "EKM_ADMIN_KEY_FROM")
_accounts = (f"{number:012d}" for number in itertools.count(222233330001))


@dataclass
class Customer:
    """An AWS account with a key and a role that OpenAI may use, and the registrar's environment."""

    account: str
    role_arn: str
    kms_arn: str
    environment: dict[str, str]
    aws: LocalStack
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def client(self, service: str) -> Any:
        """A client in this account."""
        return self.aws.client(service, self.account, REGION)

    def start(
        self, *words: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start `ekm`."""
        return subprocess.Popen(
            [*RUN, *words],
            env=self.environment | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *words: str, environment: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any], str]:
        """Run `ekm` with `--json`, in this process; return exit code, document and stderr."""
        given = self.environment | dict(environment or {})
        with self.monkeypatch.context() as patch:
            for name in (*AWS_VARIABLES, *given):
                patch.delenv(name, raising=False)
            for name, value in given.items():
                patch.setenv(name, value)
            code = run(load_verb(words[0]), f"ekm {words[0]}", [*words[1:], "--json"])
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err, err
        assert self.environment["OPENAI_ADMIN_KEY"] not in out + err
        return code, json.loads(out), err

    def parameters(self) -> dict[str, str]:
        """What the registrar left in SSM."""
        found = self.client("ssm").get_parameters_by_path(Path="/openai-ekm/prod")["Parameters"]
        return {p["Name"].removeprefix("/openai-ekm/prod/"): p["Value"] for p in found}


@pytest.fixture
def customer(
    ekm_localstack: LocalStack,
    ekm_openai: EmulatorProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Customer:
    """A customer in an account of its own."""
    account = next(_accounts)
    iam = ekm_localstack.client("iam", account, REGION)
    kms = ekm_localstack.client("kms", account, REGION)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": OPENAI_ROLE},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": [ORGANIZATION]}},
    }
    role_arn = iam.create_role(RoleName="openai-ekm", AssumeRolePolicyDocument=document(trust))[
        "Role"
    ]["Arn"]
    delegate = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    kms_arn = kms.create_key(Policy=document(delegate))["KeyMetadata"]["Arn"]
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
            "EKM_NAME": "prod",
            "EKM_RECORD": "ssm:/openai-ekm/prod",
            "EKM_PROJECTS": '["prod"]',
            "EKM_LIST_LAG_SECONDS": "2",  # the emulator's lists follow at once
        },
        ekm_localstack,
        monkeypatch,
        capsys,
    )
    allow_use(made)
    return made


def document(statement: dict[str, Any]) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow_use(customer: Customer) -> None:
    """Give the role its permission on the key."""
    customer.client("iam").put_role_policy(
        RoleName="openai-ekm",
        PolicyName="use",
        PolicyDocument=document(
            {
                "Sid": "AllowEncryptDecrypt",
                "Effect": "Allow",
                "Action": ["kms:Encrypt", "kms:Decrypt"],
                "Resource": customer.kms_arn,
            }
        ),
    )


def registrations(openai: EmulatorProcess, customer: Customer) -> list[str]:
    """Ids of what OpenAI has registered for the customer."""
    listed = openai.api("GET", "/organization/external_keys?limit=100")["data"]
    return [key["id"] for key in listed if key["role_arn"] == customer.role_arn]


def active_projects(openai: EmulatorProcess, external_key_id: str) -> list[str]:
    """Names of the active projects on a key."""
    listed = openai.api("GET", "/organization/projects?limit=100")["data"]
    return [p["name"] for p in listed if p["external_key_id"] == external_key_id]


def test_life_of_a_registration(customer: Customer, ekm_openai: EmulatorProcess) -> None:
    """The protocol fits a world of our own making, and not the emulator's and LocalStack's."""
    ekm_openai.forget_requests()
    code, made, _ = customer.run("register")
    assert (code, made["result"], made["calls"]) == (0, "created", 4)
    assert [call.split()[0] for call in ekm_openai.calls()] == ["GET", "POST", "POST", "POST"]
    made_id = made["external_key_id"]
    assert registrations(ekm_openai, customer) == [made_id]
    assert active_projects(ekm_openai, made_id) == ["prod"]
    assert list(customer.parameters()) == ["record"]
    assert json.loads(customer.parameters()["record"]) == made["record"]

    ekm_openai.forget_requests()
    code, again, _ = customer.run("register")
    assert (code, again["result"], again["external_key_id"]) == (0, "unchanged", made_id)
    assert len(ekm_openai.calls()) == 2

    code, status, _ = customer.run("status")
    assert (code, status["holds"], status["key"]["state"]) == (0, True, "Enabled")
    customer.client("kms").disable_key(KeyId=customer.kms_arn)
    code, refusal, _ = customer.run("validate")
    assert (code, refusal["error"]["id"]) == (4, "aws_key_unusable")
    assert "is disabled" in refusal["error"]["message"]
    code, status, _ = customer.run("status")
    assert (code, status["key"]["state"]) == (1, "Disabled")
    customer.client("kms").enable_key(KeyId=customer.kms_arn)
    assert customer.run("validate")[0] == 0

    code, refusal, _ = customer.run("register", "--retire", "--delete-record")
    assert (code, refusal["error"]["id"]) == (6, "active_projects")
    assert registrations(ekm_openai, customer) == [made_id]
    code, retired, _ = customer.run(
        "register", "--retire", "--delete-record", environment={"EKM_CONFIRM_ARCHIVE": made_id}
    )
    assert (code, retired["result"]) == (0, "deleted")
    assert registrations(ekm_openai, customer) == []
    assert customer.parameters() == {}


def test_waits_for_iam_that_settles_late(customer: Customer, ekm_localstack: LocalStack) -> None:
    """An apply fails because the role was made seconds ago."""
    from openai_ekm.rehearsal import EmulatorProcess  # noqa: PLC0415 - one of its own, that settles late

    customer.client("iam").delete_role_policy(RoleName="openai-ekm", PolicyName="use")
    with EmulatorProcess.start(ekm_localstack, settle=4) as openai:
        customer.environment |= openai.environment()
        early = customer.run("validate", "--id", "extkey_none")  # the emulator looks at IAM now
        assert early[0] == 4
        allow_use(customer)
        code, made, err = customer.run("register", "--wait", "300")
        assert (code, made["result"]) == (0, "created")
        assert registrations(openai, customer) == [made["external_key_id"]]
        assert "IAM may still be settling" in err


def test_stops_at_once_when_no_wait_can_cure_it(
    customer: Customer, ekm_openai: EmulatorProcess
) -> None:
    """A missing statement is waited for, for minutes."""
    customer.client("iam").delete_role_policy(RoleName="openai-ekm", PolicyName="use")
    code, refusal, err = customer.run("register", "--wait", "120")
    assert (code, refusal["error"]["id"]) == (4, "aws_denied")  # at the deadline it is another
    assert "Waiting cannot cure it: encrypt_denied" in refusal["error"]["message"]
    assert "reading role, key and policies" in err
    assert customer.parameters() == {}
    assert registrations(ekm_openai, customer) == []


def test_the_deadline_ends_in_the_diagnosis(customer: Customer, ekm_localstack: LocalStack) -> None:
    """Whoever waited in vain is not told whether the policies or IAM's delay are to blame."""
    from openai_ekm.rehearsal import EmulatorProcess  # noqa: PLC0415 - one of its own, that settles late

    customer.client("iam").delete_role_policy(RoleName="openai-ekm", PolicyName="use")
    with EmulatorProcess.start(ekm_localstack, settle=120) as openai:
        customer.environment |= openai.environment()
        assert customer.run("validate", "--id", "extkey_none")[0] == 4  # it looks at IAM now
        allow_use(customer)
        code, refusal, err = customer.run("register", "--wait", "8")
        assert (code, refusal["error"]["id"]) == (5, "wait_deadline")
        assert "could not use the key within 8 s" in refusal["error"]["message"]
        assert "Reading the policies: " in refusal["error"]["message"]
        assert refusal["error"]["remedy"]
        assert "IAM may still be settling" in err
        assert registrations(openai, customer) == []
    assert customer.parameters() == {}


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        ("lost-after-commit=1,on=POST /organization/external_keys", "adopted"),
        ("lost-before-commit=1,on=POST /organization/external_keys", "created"),
        ("server-error-after-commit=1,on=POST /organization/external_keys", "adopted"),
        ("truncated=1,on=POST /organization/external_keys", "adopted"),
        ("broken-json=1,on=POST /organization/external_keys", "adopted"),
        ("rate-limited=1,on=POST /organization/external_keys", "created"),
        ("lost-after-commit=1,on=POST /organization/projects", "created"),
    ],
)
def test_lost_answer_ends_as_one_registration(
    customer: Customer, ekm_openai: EmulatorProcess, fault: str, result: str
) -> None:
    """A create whose answer was lost is made a second time."""
    ekm_openai.set_faults(fault)
    code, made, err = customer.run("register")
    assert (code, made["result"]) == (0, result), err
    assert registrations(ekm_openai, customer) == [made["external_key_id"]]
    assert active_projects(ekm_openai, made["external_key_id"]) == ["prod"]


def test_registrar_killed_in_the_middle_is_taken_over(
    customer: Customer, ekm_openai: EmulatorProcess
) -> None:
    """A killed run blocks the record, or its registration is made a second time."""
    for seconds in (2, 30):
        ekm_openai.set_faults(f"slow=1,seconds={seconds},on=POST /organization/external_keys")
        with customer.start("register") as process:
            until_met(ekm_openai, "slow")
            process.send_signal(signal.SIGKILL)
        if process.returncode == -signal.SIGKILL and "claim-1" in customer.parameters():
            break
        # This machine was too busy to kill it in time.
        made = json.loads(customer.parameters()["record"])["external_key_id"]
        words = ("register", "--retire", "--delete-record")
        customer.run(*words, environment={"EKM_CONFIRM_ARCHIVE": made})
    assert set(customer.parameters()) == {"claim-1", "record"}
    # What OpenAI still creates is seen long before the end of the wait, and ends it.
    lag = {"EKM_LIST_LAG_SECONDS": str(seconds + 60)}
    code, made, err = customer.run("register", environment=lag)
    assert code == 0, err
    assert len(registrations(ekm_openai, customer)) == 1
    assert active_projects(ekm_openai, made["external_key_id"]) == ["prod"]
    assert list(customer.parameters()) == ["record"]


def test_three_registrars_at_once_make_one(customer: Customer, ekm_openai: EmulatorProcess) -> None:
    """Two applies and a hand-run registrar make three registrations."""
    started = [customer.start("register", "--json") for _ in range(3)]
    results = []
    for process in started:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        results.append(json.loads(out))
    assert sorted(result["result"] for result in results) == ["created", "unchanged", "unchanged"]
    assert registrations(ekm_openai, customer) == [results[0]["external_key_id"]]
    assert len({result["external_key_id"] for result in results}) == 1
    assert active_projects(ekm_openai, results[0]["external_key_id"]) == ["prod"]
    assert list(customer.parameters()) == ["record"]


def test_lost_record_is_adopted(customer: Customer, ekm_openai: EmulatorProcess) -> None:
    """A record deleted by a clean-up leads to a second registration."""
    _, made, _ = customer.run("register")
    customer.client("ssm").delete_parameter(Name="/openai-ekm/prod/record")
    code, again, _ = customer.run("register")
    assert (code, again["result"]) == (0, "adopted")
    assert again["external_key_id"] == made["external_key_id"]
    assert [p["result"] for p in again["projects"]] == ["adopted"]


def test_credentials_of_another_account_are_refused_before_anything(
    customer: Customer, ekm_openai: EmulatorProcess
) -> None:
    """A record is written into somebody else's account."""
    ekm_openai.forget_requests()
    code, refusal, _ = customer.run("register", environment={"AWS_ACCESS_KEY_ID": "999988887777"})
    assert (code, refusal["error"]["id"]) == (2, "wrong_account")
    assert "999988887777" in refusal["error"]["message"]
    assert customer.account in refusal["error"]["message"]
    assert ekm_openai.calls() == []


@pytest.mark.parametrize("kind", ["secretsmanager", "ssm"])
def test_admin_key_by_reference(customer: Customer, ekm_openai: EmulatorProcess, kind: str) -> None:
    """The admin key can only be had from the environment."""
    key = customer.environment["OPENAI_ADMIN_KEY"]
    if kind == "ssm":
        customer.client("ssm").put_parameter(
            Name="/openai/admin-key", Value=key, Type="SecureString"
        )
        reference = "ssm:/openai/admin-key"
    else:
        secret = customer.client("secretsmanager").create_secret(Name="openai", SecretString=key)
        reference = f"secretsmanager:{secret['ARN']}"
    given = {"EKM_ADMIN_KEY_FROM": reference, "OPENAI_ADMIN_KEY": "wrong"}
    customer.environment["OPENAI_ADMIN_KEY"] = key
    assert customer.run("register", environment=given)[0] == 0
    assert customer.run("validate", environment=given)[0] == 0


def test_file_record_never_calls_aws(
    customer: Customer, ekm_openai: EmulatorProcess, tmp_path: Path
) -> None:
    """With a file record the registrar calls AWS all the same."""
    poisoned = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "",
        "EKM_RECORD": f"file:{tmp_path / 'record.json'}",
    }
    for words in (("register",), ("register",), ("validate",), ("status",)):
        assert customer.run(*words, environment=poisoned)[0] == 0
    made_id = registrations(ekm_openai, customer)[0]
    assert customer.run("retire", environment={**poisoned, "EKM_CONFIRM_ARCHIVE": made_id})[0] == 0
    assert registrations(ekm_openai, customer) == []


def test_retire_of_a_workspace_key_is_refused(
    customer: Customer, ekm_openai: EmulatorProcess
) -> None:
    """The key of a ChatGPT workspace is deleted, and its conversations with it."""
    ekm_openai.set_settings(workspace_id_for_new_keys="ws_1")
    code, made, _ = customer.run("register", environment={"EKM_PROJECTS": ""})
    assert code == 0
    code, refusal, _ = customer.run("retire")
    assert (code, refusal["error"]["id"]) == (6, "workspace_key")
    assert registrations(ekm_openai, customer) == [made["external_key_id"]]


@pytest.mark.parametrize(
    ("fault", "code", "id"),
    [
        ("feature-off", 4, "openai_feature_off"),
        ("missing-scope", 4, "openai_scope_missing"),
        ("invalid-key", 4, "openai_invalid_key"),
        ("incorrect-hostname", 4, "openai_wrong_host"),
    ],
)
def test_refusals_name_the_cause(
    customer: Customer, ekm_openai: EmulatorProcess, fault: str, code: int, id: str
) -> None:
    """The emulator's words and the client's reading of them drift apart."""
    ekm_openai.set_faults(fault)
    found, refusal, _ = customer.run("register")
    assert (found, refusal["error"]["id"]) == (code, id)
    assert customer.parameters() == {}
