"""IAM that settles late and faults, over real HTTP: what a client's connection goes through."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from openai_ekm.rehearsal import EmulatorProcess
from tests.doubles.customer import Customer, Http, until_met

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.rehearsal import LocalStack


def until(holds: Callable[[], bool]) -> None:
    """Ask until something holds."""
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, "it never settled"


def test_iam_settles_late(ekm_localstack: LocalStack) -> None:
    """The emulator can refuse until IAM has settled, for a registrar that has to wait."""
    customer = Customer(ekm_localstack)
    with EmulatorProcess.start(ekm_localstack, settle=1.5) as openai:
        api = Http(openai)
        begun = time.monotonic()
        denied = api.refusal("POST", "external_keys", customer.body())  # it looks at IAM now
        assert denied.endswith(f"sts:AssumeRole on resource: {customer.role_arn}")
        until(lambda: api("POST", "external_keys", customer.body()).status_code == 200)
        assert time.monotonic() - begun >= 1.5
        (key,) = api("GET", "external_keys").json()["data"]
        customer.permit("kms:DescribeKey")  # which it sees when it looks next
        assert api.validation(key["id"]) == "success", "a revocation is not seen at once either"
        until(lambda: "kms:Encrypt" in api.validation(key["id"]))
        customer.permit("kms:Encrypt", "kms:Decrypt")
        until(lambda: api.validation(key["id"]) == "success")


@pytest.mark.parametrize(
    ("fault", "happened"), [("lost_before_commit", False), ("lost_after_commit", True)]
)
def test_a_lost_response_breaks_the_connection(
    api: Http, ekm_openai: EmulatorProcess, customer: Customer, fault: str, happened: bool
) -> None:
    """The emulator can lose a response, for a client that has to handle it."""
    ekm_openai.set_faults(**{fault: {"times": 1, "on": "POST /organization/external_keys"}})
    with pytest.raises(requests.ConnectionError):
        api("POST", "external_keys", customer.body())
    arns = [key["kms_arn"] for key in api("GET", "external_keys?limit=100").json()["data"]]
    assert (customer.kms_arn in arns) is happened


def test_a_truncated_answer_breaks_off(api: Http, ekm_openai: EmulatorProcess) -> None:
    """Guards against: half an answer that a client can take for the whole."""
    ekm_openai.set_faults(truncated=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api("GET", "projects")
    assert api("GET", "projects").status_code == 200


def test_a_slow_answer_runs_into_the_clients_deadline(
    api: Http, ekm_openai: EmulatorProcess
) -> None:
    """The emulator can answer late, for a client that needs a time-out."""
    ekm_openai.set_faults(slow={"times": 1, "seconds": 3600})
    with pytest.raises(requests.Timeout):
        api("GET", "projects", timeout=0.5)
    until_met(ekm_openai, "slow")  # a busy emulator can take the call after that
    assert api("GET", "projects").status_code == 200


def test_two_creates_at_once_are_two_registrations(
    api: Http, ekm_openai: EmulatorProcess, customer: Customer
) -> None:
    """Create is not idempotent, and the emulator shows it."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    def create(_: int) -> int:
        with Http(ekm_openai).session as session:
            return session.post(
                f"{api.base_url}/organization/external_keys", json=customer.body(), timeout=120
            ).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(create, range(4))) == [200] * 4
    listed = api("GET", "external_keys?limit=100").json()["data"]
    assert sum(key["kms_arn"] == customer.kms_arn for key in listed) == 4
