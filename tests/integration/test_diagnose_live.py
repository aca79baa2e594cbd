"""The diagnosis of a live snapshot says what the emulator really answers."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import load_verb, run
from openai_ekm.diagnosis import diagnose, patch
from openai_ekm.snapshot.aws import collect
from tests.constants import REGION
from tests.doubles.customer import EXTERNAL_ID, Customer, Http, document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openai_ekm.diagnosis import Diagnosis
    from openai_ekm.rehearsal import EmulatorProcess, LocalStack
    from openai_ekm.snapshot import Snapshot


class _Intent:
    """What the customer would register."""

    def __init__(self, customer: Customer, changes: dict[str, str]) -> None:
        body = customer.body(**changes)
        self.role_arn: str = body["role_arn"]
        self.kms_arn: str = body["kms_arn"]
        self.external_id: str = body["external_id"]


def diagnosed(
    aws: LocalStack, customer: Customer, changes: dict[str, str]
) -> tuple[Snapshot, Diagnosis]:
    """The diagnosis of what AWS has now."""

    class Account:
        def client(self, service_name: Any, region_name: str | None = None) -> Any:
            return aws.client(service_name, customer.account, region_name or REGION)

    found = collect(_Intent(customer, changes), lambda _account: Account())
    return found, diagnose(found, session_name="openai-ekm-emulated")


def twisted(customer: Customer, **members: Any) -> dict[str, Any]:
    """The trust policy with members of its statement changed."""
    policy = customer.trust_policy()
    policy["Statement"][0] |= members
    return policy


CASES: dict[str, tuple[Callable[[Customer], object], dict[str, str], str]] = {
    "right": (lambda _: None, {}, "ok"),
    "external id in another case": (
        lambda c: c.trust(c.trust_policy("ORG-abc")), {}, "assume_role_denied",
    ),
    "another principal": (
        lambda c: c.trust(twisted(c, Principal={"AWS": f"arn:aws:iam::{c.account}:root"})),
        {}, "assume_role_denied",
    ),
    "a source address": (
        lambda c: c.trust(twisted(c, Condition={
            "StringEquals": {"sts:ExternalId": "org-abc"},
            "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
        {}, "assume_role_denied",
    ),
    "no role": (lambda c: c.delete_role(), {}, "assume_role_denied"),
    "no Encrypt": (lambda c: c.permit("kms:Decrypt"), {}, "encrypt_denied"),
    "no Decrypt": (lambda c: c.permit("kms:Encrypt"), {}, "decrypt_denied"),
    "no delegation": (
        lambda c: c.key_policy_is(c.key_policy("kms:DescribeKey")), {}, "encrypt_denied",
    ),
    "a deny": (
        lambda c: c.key_policy_is(document(
            *c.key_policy()["Statement"],
            {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"})),
        {}, "decrypt_denied",
    ),
    "disabled": (lambda c: c.kms.disable_key(KeyId=c.kms_arn), {}, "key_disabled"),
    "doomed": (
        lambda c: c.kms.schedule_key_deletion(KeyId=c.kms_arn), {}, "key_pending_deletion",
    ),
}  # fmt: skip


@pytest.mark.terraform
def test_the_diagnosis_agrees_with_the_emulators_answer(
    ekm_localstack: LocalStack, ekm_openai: EmulatorProcess
) -> None:
    """A user would be told one thing and OpenAI would answer another."""
    http = Http(ekm_openai)
    for name, (breaks, changes, outcome) in CASES.items():
        customer = Customer(ekm_localstack)
        breaks(customer)
        answer = http("POST", "external_keys", customer.body(**changes))
        snapshot, found = diagnosed(ekm_localstack, customer, changes)
        assert found.outcome == outcome, name
        assert (answer.status_code < 300) is (outcome == "ok"), name
        if outcome == "ok":
            continue
        assert found.message in answer.json()["error"]["message"], name
        first = found.faults[0]
        if first.fix:
            changes_of_all = [change for fault in found.faults for change in fault.fix]
            cured = diagnose(
                patch.apply(snapshot, changes_of_all), session_name="openai-ekm-emulated"
            )
            assert cured.outcome == "ok", name


@pytest.fixture
def customer(ekm_localstack: LocalStack) -> Customer:
    """An account that OpenAI can use."""
    return Customer(ekm_localstack)


@pytest.fixture
def ekm(
    ekm_localstack: LocalStack,
    ekm_openai: EmulatorProcess,
    customer: Customer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Any]:
    """`ekm VERB … --json` as the customer: exit code, document, stderr."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "EKM_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    environment = {
        **ekm_localstack.environment(customer.account, REGION),
        **ekm_openai.environment(),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run_verb(verb: str, *words: str) -> tuple[int, dict[str, Any], str]:
        capsys.readouterr()
        code = run(load_verb(verb), f"ekm {verb}", [*words, "--json"])
        out, err = capsys.readouterr()
        assert "Traceback" not in err, err
        return code, json.loads(out), err

    return run_verb


@pytest.fixture
def root(customer: Customer, tmp_path: Path) -> str:
    """A Terraform root that was applied, with the module's outputs."""
    values = {"role_arn": customer.role_arn, "kms_arn": customer.kms_arn,
              "external_id": EXTERNAL_ID}  # fmt: skip
    outputs = {name: {"value": value} for name, value in values.items()}
    (tmp_path / "outputs.tf.json").write_text(json.dumps({"output": outputs}))
    for words in (("init",), ("apply", "-auto-approve")):
        subprocess.run(
            ["terraform", words[0], "-input=false", *words[1:]],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
    return str(tmp_path)


def registering(customer: Customer, *more: str) -> list[str]:
    """The words after `ekm register`."""
    return [
        "--role-arn", customer.role_arn, "--kms-arn", customer.kms_arn,
        "--external-id", EXTERNAL_ID, "--name", "prod", "--record", "ssm:/openai-ekm/prod", *more,
    ]  # fmt: skip


@pytest.mark.terraform
def test_a_refused_registration_ends_with_the_diagnosis_and_waits_for_nothing(
    ekm: Callable[..., Any], customer: Customer, ekm_openai: EmulatorProcess
) -> None:
    """A user would wait three minutes for what no wait cures, and then see no statement."""
    customer.trust(customer.trust_policy("ORG-abc"))
    code, told, err = ekm("register", *registering(customer, "--wait", "600"))
    assert code == 4, err
    assert told["error"]["at_fault"] == (
        "trust_policy, statement 0, Condition.StringEquals.sts:ExternalId"
    )
    assert "case" in told["error"]["message"]
    assert "ekm diagnose" in told["error"]["remedy"]
    posts = [call for call in ekm_openai.calls() if call.startswith("POST ")]
    assert posts == ["POST /v1/organization/external_keys 400"], "it asked again"


@pytest.mark.terraform
def test_a_refused_validation_ends_with_the_diagnosis(
    ekm: Callable[..., Any], customer: Customer
) -> None:
    """A user whose key policy was changed would see AWS's sentence and no statement."""
    code, _, err = ekm("register", *registering(customer))
    assert code == 0, err
    customer.key_policy_is(customer.key_policy("kms:DescribeKey"))
    code, told, err = ekm("validate", "--record", "ssm:/openai-ekm/prod")
    assert code == 4, err
    assert told["error"]["at_fault"].startswith("keys[0].policy")
    assert "delegates kms:Encrypt" in told["error"]["message"]


@pytest.mark.terraform
def test_a_terraform_root_is_diagnosed_live(
    ekm: Callable[..., Any], customer: Customer, root: str
) -> None:
    """`--from-terraform DIR` would judge the outputs and not what AWS has now."""
    code, told, err = ekm("diagnose", "--from-terraform", root)
    assert (code, told["outcome"]) == (0, "ok"), err
    customer.iam.tag_role(RoleName="openai-ekm", Tags=[{"Key": "team", "Value": "a"}])
    customer.kms.tag_resource(KeyId=customer.kms_arn, Tags=[{"TagKey": "data", "TagValue": "b"}])
    customer.permit("kms:Decrypt")
    code, told, err = ekm("diagnose", "--from-terraform", root)
    assert (code, told["outcome"]) == (1, "encrypt_denied"), err
    (fault,) = told["faults"]
    assert (fault["id"], fault["sid"]) == ("action_missing", "AllowEncryptDecrypt")
    # LocalStack has no organizations; AWS's reason takes that place.
    assert {"customer.organization", "scps", "rcps"} == set(told["unseen"])
    assert told["unseen_reasons"]["scps"].startswith("DescribeOrganization: ")
    words = ("--role-arn", customer.role_arn, "--kms-arn", customer.kms_arn)
    code, seen, err = ekm("snapshot", *words, "--external-id", EXTERNAL_ID)
    assert code == 0, err
    assert (seen["role"]["tags"], seen["keys"][0]["tags"]) == ({"team": "a"}, {"data": "b"})
    assert {"scps", "rcps", "customer.organization"} == {each["path"] for each in seen["unseen"]}


@pytest.mark.terraform
def test_an_error_text_is_narrowed_by_what_aws_has_now(
    ekm: Callable[..., Any], customer: Customer, ekm_openai: EmulatorProcess, root: str
) -> None:
    """All that such a text may mean would be listed, although AWS shows which it is."""
    customer.permit("kms:Decrypt")
    text = Http(ekm_openai).refusal("POST", "external_keys", customer.body())
    code, told, err = ekm("diagnose", "--error", text)
    assert code == 1, err
    assert len(told["error"]["causes"]) >= 1
    code, told, err = ekm("diagnose", "--from-terraform", root, "--error", text)
    assert (code, told["outcome"]) == (1, "encrypt_denied"), err
    assert told["error"]["causes"] == []
    assert "see the faults" in told["error"]["note"]
    assert told["faults"][0]["id"] == "action_missing"
    # Repaired meanwhile: then it has not settled, or what was not seen refuses.
    customer.permit("kms:Encrypt", "kms:Decrypt")
    code, told, err = ekm("diagnose", "--from-terraform", root, "--error", text)
    assert (code, told["outcome"]) == (1, "ok"), err
    assert "has not settled" in told["error"]["note"]
