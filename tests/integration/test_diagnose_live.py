"""The diagnosis of a live snapshot says what the emulator really answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from customer import REGION, Customer, Http, document

from ekm.diagnosis import diagnose, patch
from ekm.snapshot.aws import collect

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekm.diagnosis import Diagnosis
    from ekm.harness import EmulatorProcess, LocalStack
    from ekm.snapshot import Snapshot


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
