"""The demo's table tells good policies from bad ones, and its report stops at a fault."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from openai_ekm.errors import BadInput, CheckFailed, NotReachable
from openai_ekm.rehearsal.demo.decisions import Documents, ask
from openai_ekm.rehearsal.demo.report import Report
from openai_ekm.rehearsal.demo.steps import find_module
from tests.constants import ACCOUNT, ROLE

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}

TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": ["org-1"]}},
        }
    ],
}
USE: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": KEY}],
}
KEY_POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": ROOT,
            "Action": ["kms:PutKeyPolicy", "kms:DisableKey", "kms:ScheduleKeyDeletion"],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Principal": ROOT,
            "Action": ["kms:Encrypt", "kms:Decrypt"],
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}},
        },
        {"Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"},
    ],
}


def documents(
    trust: dict[str, Any] = TRUST, use: dict[str, Any] = USE, key: dict[str, Any] = KEY_POLICY
) -> Documents:
    """The module's documents in short, with one of them replaced."""
    return Documents(ROLE, KEY, "org-1", trust, [use], key)


def faults(given: Documents) -> set[str]:
    """The rows that are not as they must be."""
    return {f"{row.who}: {row.wants}" for row in ask(given) if not row.holds}


def test_the_modules_policies_pass_every_row() -> None:
    """The demo would fail on policies that are right."""
    assert faults(documents()) == set()


def changed(document: dict[str, Any], statement: int, **members: Any) -> dict[str, Any]:
    """A copy of a document with members of one statement replaced; None removes one."""
    new = copy.deepcopy(document)
    for name, value in members.items():
        if value is None:
            del new["Statement"][statement][name]
        else:
            new["Statement"][statement][name] = value
    return new


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            documents(trust=changed(TRUST, 0, Condition=None)),
            {"OpenAI's role: … without an external id", "OpenAI's role: … with somebody else's id"},
        ),
        (
            documents(trust=changed(TRUST, 0, Principal={"AWS": "arn:aws:iam::790389265272:root"})),
            {"another role of OpenAI's: assume the role"},
        ),
        (
            documents(use=changed(USE, 0, Resource="*")),
            {"OpenAI, in the role: decrypt with another key"},
        ),
        (documents(key=changed(KEY_POLICY, 2, Effect="Allow")), {
            "OpenAI, in the role: delete the key",
            "your account's root: delete the key, protection on",
        }),
        (
            documents(key=changed(KEY_POLICY, 1, Condition=None)),
            {
                "your administrator: decrypt with the key",
                "your account's root: decrypt with the key",
            },
        ),
        (
            documents(key=changed(KEY_POLICY, 0, Action=["kms:CreateGrant"])),
            {
                "your administrator: grant someone the key",
                "your account's root: disable it (the kill switch)",
                "your account's root: change the key policy",
            },
        ),
    ],
    ids=["no external id", "whole account", "any key", "no protection", "no delegation", "grants"],
)  # fmt: skip
def test_a_looser_policy_fails_its_rows(given: Documents, expected: set[str]) -> None:
    """The table would show a reassuring row for a policy that lets somebody in."""
    assert expected <= faults(given)


def test_a_policy_that_cannot_be_read_fails_every_row_it_bears_on() -> None:
    """A denial would pass for a decision when nothing was decided."""
    found = faults(documents(trust={"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}))
    assert "OpenAI's role: … without an external id" in found


def test_a_fault_in_a_step_names_the_step() -> None:
    """A user could not tell which of ten steps failed."""
    report = Report(lambda _: None)
    with pytest.raises(NotReachable, match=r"^Step 1 \(Start\): no answer$"), report.step("Start"):
        raise NotReachable("x", "no answer")


def test_a_check_that_does_not_hold_ends_the_story() -> None:
    """The summary would count a check that failed."""
    lines: list[str] = []
    report = Report(lines.append)
    with pytest.raises(CheckFailed) as caught, report.step("Start"):
        report.check("It is so.", holds=False, found="it is not")
    assert caught.value.id == "demo_check_failed"
    assert "It is so. Found: it is not" in caught.value.message
    assert "   ✗ It is so." in lines
    assert report.total_checks == 0


def test_the_summary_names_ids_and_every_check() -> None:
    """A reader would have to look for the result in the whole page."""
    lines: list[str] = []
    times = iter([0.0, 1.0, 3.5, 4.0, 4.0])
    report = Report(lines.append, clock=lambda: next(times))
    with report.step("Register"):
        report.fact("external key id", "extkey_1")
        report.check("It is registered.", holds=True)
    report.summary()
    page = "\n".join(lines)
    assert "   … 2.5 s" in page
    summary = page.partition("Summary: 1 checks hold, 4 s.")[2]
    assert "external key id   extkey_1" in summary
    assert "✓ 1. It is registered." in summary
    assert report.as_json()["holds"] is True


def test_a_folder_without_the_module_is_refused(tmp_path: Any) -> None:
    """An installed package without a checkout would fail inside Terraform."""
    with pytest.raises(BadInput) as caught:
        find_module(tmp_path, unpack_into=tmp_path / "module")
    assert caught.value.id == "module_not_found"
    assert (find_module(unpack_into=tmp_path / "module") / "main.tf").is_file()
    assert list(tmp_path.iterdir()) == []
