"""Registrars of one intent at once, with the record in SSM: on different machines, and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.constants import REGION
from tests.doubles.customer import EXTERNAL_ID, Customer, until_met

if TYPE_CHECKING:
    from openai_ekm.rehearsal import EmulatorProcess, LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory

# As on a machine of that name: no process of another one is known to be dead or alive.
EKM = (
    "import socket, sys; host = sys.argv.pop(1); socket.gethostname = lambda: host; "
    "from openai_ekm.cli.main import main; main()"
)
# The same with a lease that lapses four seconds after the first look at it, however long the
# machine took until then.
HASTY = f"""
import openai_ekm.registration.ssm_store as s
left, first = s._left, s.LEASE
def hasty(claim, now):
    if s.LEASE == first:
        s.LEASE = 4.0 + (now - claim.modified).total_seconds()
    return left(claim, now)
s._left = hasty
{EKM}
"""
PREFIX = "/openai-ekm/prod"


@dataclass
class Machines:
    """Machines with the same record and the same intent."""

    customer: Customer
    environment: dict[str, str]
    aws: LocalStack

    def start(
        self, host: str, *words: str, program: str = EKM, **variables: str
    ) -> subprocess.Popen[str]:
        """Start `ekm register` on a machine."""
        return subprocess.Popen(
            [sys.executable, "-P", "-c", program, host, "register", "--json", *words],
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def parameters(self) -> dict[str, str]:
        """What is in SSM."""
        ssm = self.aws.client("ssm", self.customer.account, REGION)
        found = ssm.get_parameters_by_path(Path=PREFIX)["Parameters"]
        return {p["Name"].removeprefix(f"{PREFIX}/"): p["Value"] for p in found}


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The document of a process that ended well."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def registered(openai: EmulatorProcess, account: str) -> list[dict[str, Any]]:
    """What OpenAI has registered for an account."""
    listed = openai.api("GET", "/organization/external_keys?limit=100")["data"]
    return [key for key in listed if f"::{account}:" in key["role_arn"]]


@pytest.fixture
def machines(ekm_localstack: LocalStack, ekm_openai: EmulatorProcess) -> Machines:
    """An account with a key that OpenAI can use."""
    customer = Customer(ekm_localstack)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        **ekm_localstack.environment(customer.account, REGION),
        **ekm_openai.environment(),
        "EKM_ROLE_ARN": customer.role_arn,
        "EKM_KMS_ARN": customer.kms_arn,
        "EKM_EXTERNAL_ID": EXTERNAL_ID,
        "EKM_NAME": "prod",
        "EKM_RECORD": f"ssm:{PREFIX}",
        "EKM_PROJECTS": '["prod"]',
        "EKM_LIST_LAG_SECONDS": "3",
    }
    return Machines(customer, environment, ekm_localstack)


def test_machines_at_once_make_one(machines: Machines, ekm_openai: EmulatorProcess) -> None:
    """Claims that only processes of one machine respect let two of them create."""
    started = [machines.start(f"deploy-{number}") for number in range(6)]
    results = [ended(process) for process in started]
    assert sorted(result["result"] for result in results) == ["created", *["unchanged"] * 5]
    [key] = registered(ekm_openai, machines.customer.account)
    assert {result["external_key_id"] for result in results} == {key["id"]}
    assert len(key["api_project_ids"]) == 1
    assert list(machines.parameters()) == ["record"]


def test_lease_of_a_machine_that_died_is_taken_over(
    machines: Machines, ekm_openai: EmulatorProcess
) -> None:
    """A machine that died in the middle keeps the record for ever, or its create is repeated."""
    for seconds in (2, 30):
        ekm_openai.set_faults(f"slow=1,seconds={seconds},on=POST /organization/external_keys")
        with machines.start("deploy-1") as process:
            until_met(ekm_openai, "slow")
            process.kill()
        if process.returncode == -signal.SIGKILL and "claim-1" in machines.parameters():
            break
        # This machine was too busy to kill it in time.
        made = json.loads(machines.parameters()["record"])["external_key_id"]
        retire = ("deploy-1", "--retire", "--delete-record")
        ended(machines.start(*retire, EKM_CONFIRM_ARCHIVE=made))
    assert set(machines.parameters()) == {"claim-1", "record"}
    lag = str(seconds + 60)  # what OpenAI still creates is seen long before, and ends the wait
    waiting = machines.start("deploy-2", program=HASTY, EKM_LIST_LAG_SECONDS=lag)
    out, err = waiting.communicate(timeout=300)
    assert waiting.returncode == 0, err
    assert "host deploy-1" in err
    [key] = registered(ekm_openai, machines.customer.account)
    assert json.loads(out)["external_key_id"] == key["id"]
    assert len(key["api_project_ids"]) == 1
    assert list(machines.parameters()) == ["record"]


@pytest.mark.terraform
def test_apply_and_a_hand_run_registrar_at_once_make_one(
    ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess, ekm_localstack: LocalStack
) -> None:
    """Somebody runs ekm-register while Terraform does, and the key is registered twice."""
    example = ekm_workspace("examples/api-project", openai=ekm_openai, organization_id="org-race")
    example.apply()  # the key, the role, and what a hand-run registrar needs to know of them
    outputs = example.outputs()["ekm"]
    account = example.environment["AWS_ACCESS_KEY_ID"]
    [first] = registered(ekm_openai, account)
    for project in first["api_project_ids"]:
        ekm_openai.api("POST", f"/organization/projects/{project}/archive")
    ekm_openai.api("DELETE", f"/organization/external_keys/{first['id']}")
    ssm = ekm_localstack.client("ssm", account, REGION)
    prefix = outputs["record"].removeprefix("ssm:")
    ssm.delete_parameter(Name=f"{prefix.removesuffix('/record')}/record")

    ekm_openai.set_faults("slow=2,seconds=2,on=POST /organization/external_keys")
    by_hand = subprocess.Popen(
        [sys.executable, "-P", "-c", EKM, "laptop", "register", "--json", "--from-terraform", "-"],
        env={**example.environment, "EKM_LIST_LAG_SECONDS": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert by_hand.stdin is not None
    by_hand.stdin.write(json.dumps({"ekm": {"value": outputs, "sensitive": False}}))
    by_hand.stdin.close()
    by_hand.stdin = None
    register = "module.ekm.module.registration[0].terraform_data.register"
    example.apply(options=[f"-replace={register}"])
    result = ended(by_hand)
    [key] = registered(ekm_openai, account)
    assert result["external_key_id"] == key["id"] == example.outputs()["external_key_id"]
    assert len(key["api_project_ids"]) == 1
