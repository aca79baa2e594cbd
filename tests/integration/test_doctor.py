"""`ekm doctor` on LocalStack and the emulator: each party's refusal, and all that is in place."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import load_verb, run
from tests.constants import REGION
from tests.doubles.customer import Customer, document

if TYPE_CHECKING:
    from openai_ekm.rehearsal import EmulatorProcess, LocalStack

ORGANIZATION = "org-abc"
LOOKED_AT = {"GET /v1/organization/external_keys", "GET /v1/organization/projects"}


@dataclass
class Doctor:
    """Runs `ekm doctor` in this process, as a customer's role."""

    aws: LocalStack
    openai: EmulatorProcess
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __post_init__(self) -> None:
        self.customer = Customer(self.aws)
        self.iam = self.customer.iam
        trust = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
        self.iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(trust))
        self.permit({"Effect": "Allow", "Action": "*", "Resource": "*"})
        sts = self.aws.client("sts", self.customer.account, REGION)
        found = sts.assume_role(
            RoleArn=f"arn:aws:iam::{self.customer.account}:role/deployer", RoleSessionName="me"
        )["Credentials"]
        self.secrets = [found["SecretAccessKey"], found["SessionToken"], self.openai.admin_key]
        self.environment = {
            **self.aws.environment(self.customer.account, REGION),
            **self.openai.environment(),
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
            "AWS_CREDENTIAL_EXPIRATION": found["Expiration"].isoformat(),
            "EKM_ROLE_ARN": self.customer.role_arn,
            "EKM_KMS_ARN": self.customer.kms_arn,
            "EKM_EXTERNAL_ID": ORGANIZATION,
            "EKM_RECORD": "ssm:/openai-ekm/prod",
        }

    def permit(self, *statements: dict[str, Any]) -> None:
        """Replace what the caller may do."""
        self.iam.put_role_policy(
            RoleName="deployer", PolicyName="all", PolicyDocument=json.dumps(document(*statements))
        )

    def __call__(self, *words: str, **variables: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Run it; return the exit code and the checks by id."""
        with self.monkeypatch.context() as patch:
            for name in [each for each in os.environ if each.startswith(("AWS_", "EKM_"))]:
                patch.delenv(name)
            for name, value in {**self.environment, **variables}.items():
                patch.setenv(name, value)
            code = run(load_verb("doctor"), "ekm doctor", [*words, "--json"])
        out, err = self.capsys.readouterr()
        for secret in self.secrets:
            assert secret not in out + err
        return code, {each["id"]: each for each in json.loads(out)["checks"]}


def failing(checks: dict[str, dict[str, Any]]) -> set[str]:
    """The checks that fail."""
    return {name for name, each in checks.items() if each["state"] == "failure"}


@pytest.fixture
def doctor(
    ekm_localstack: LocalStack,
    ekm_openai: EmulatorProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Doctor:
    """A customer with everything in place."""
    made = Doctor(ekm_localstack, ekm_openai, monkeypatch, capsys)
    ekm_openai.set_settings(organization=ORGANIZATION)
    account = made.customer.account
    everybody = {"AWS": f"arn:aws:iam::{account}:root"}
    made.customer.key_policy_is(
        document({"Effect": "Allow", "Principal": everybody, "Action": "kms:*", "Resource": "*"})
    )
    return made


def test_nothing_fails_where_all_is_in_place(doctor: Doctor) -> None:
    """Guards against: a failure that is none, or a call that changes something."""
    doctor.openai.forget_requests()
    code, checks = doctor("--for", "apply", "--for", "register", "--for", "drill")
    assert (code, failing(checks)) == (0, set())
    assert ":assumed-role/deployer/me" in checks["aws_account"]["found"]
    for name in (
        *("aws_credentials", "aws_expiry", "aws_account", "aws_region", "clock"),
        *("network_aws", "network_openai"),
        *("openai_admin_key", "openai_certificate", "openai_address", "openai_organization"),
        *("openai_feature", "openai_read_scopes"),
        *("permissions_apply", "permissions_register", "permissions_drill"),
        *("record", "record_lease"),
    ):
        assert checks[name]["state"] == "ok", checks[name]
    calls = {each.rpartition(" ")[0] for each in doctor.openai.calls()}
    assert calls == LOOKED_AT


@pytest.mark.parametrize(
    ("fault", "check", "later"),
    [
        ("invalid-key", "openai_admin_key", "openai_certificate"),
        ("certificate-required", "openai_certificate", "openai_address"),
        ("ip-not-authorized", "openai_address", "openai_organization"),
        ("feature-off", "openai_feature", "openai_read_scopes"),
        ("incorrect-hostname", "openai_admin_key", "openai_feature"),
        ("insufficient-quota", "openai_admin_key", "openai_feature"),
    ],
)
def test_a_refusal_of_openai_is_one_failure(
    fault: str, check: str, later: str, doctor: Doctor
) -> None:
    """Guards against: one refusal that is told several times, or as another party's."""
    doctor.openai.set_faults(fault)
    code, checks = doctor()
    assert (code, failing(checks)) == (4, {check})
    assert checks[later]["state"] == "not_seen"
    assert f"({check})" in checks[later]["found"]


def test_a_missing_scope_is_named(doctor: Doctor) -> None:
    """Guards against: an admin key that may read one list alone."""
    doctor.openai.set_faults("missing-scope,on=GET /organization/projects")
    code, checks = doctor()
    assert (code, failing(checks)) == (4, {"openai_read_scopes"})
    assert "api.management.read" in checks["openai_read_scopes"]["found"]
    assert checks["openai_feature"]["state"] == "ok"


def test_the_organization_is_compared_with_the_external_id(doctor: Doctor) -> None:
    """Guards against: another organization's admin key, found only when OpenAI is refused."""
    code, checks = doctor("--external-id", "org-other")
    assert (code, failing(checks)) == (1, {"openai_organization"})
    code, checks = doctor("--external-id", "proj_of_nobody")
    assert (code, failing(checks)) == (1, {"openai_organization"})
    project = doctor.openai.api("POST", "/organization/projects", {"name": "id"})["id"]
    code, checks = doctor("--external-id", project)
    assert (code, checks["openai_organization"]["state"]) == (0, "ok"), checks


def test_both_parties_refusing_is_no_code_of_one(doctor: Doctor) -> None:
    """Guards against: exit code 4 where AWS's side fails as well."""
    doctor.openai.set_faults("feature-off")
    doctor.permit(
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*"},
    )
    code, checks = doctor()
    assert (code, failing(checks)) == (1, {"openai_feature", "permissions_apply"})
    assert "iam:CreateRole" in checks["permissions_apply"]["found"]
    doctor.openai.set_faults()
    assert doctor()[0] == 3


def test_a_role_of_another_account_is_one_failure(doctor: Doctor) -> None:
    """Guards against: denials that all mean the wrong credentials."""
    other = f"arn:aws:iam::{int(doctor.customer.account) + 1:012d}:role/openai-ekm"
    code, checks = doctor("--role-arn", other)
    assert (code, failing(checks)) == (1, {"aws_account"})
    assert "(aws_account)" in checks["permissions_apply"]["found"]


def test_the_text_has_a_line_for_each_check_and_its_remedy(
    doctor: Doctor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a line without its answer in front, or a failure without its remedy."""
    for name, value in doctor.environment.items():
        monkeypatch.setenv(name, value)
    doctor.openai.set_faults("feature-off")
    assert run(load_verb("doctor"), "ekm doctor", []) == 4
    lines = capsys.readouterr().out.splitlines()
    (failure,) = [each for each in lines if each.startswith("FAILURE")]
    assert failure.split()[1] == "openai_feature"
    assert lines[lines.index(failure) + 1].strip().startswith("remedy: Ask your OpenAI")
    assert lines[-1].endswith("not seen.")
