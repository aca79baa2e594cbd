"""What exactly a fix changes, one rule of repair a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.diagnosis import diagnose, patch
from openai_ekm.diagnosis.malformed import complaint
from openai_ekm.snapshot import Role, Snapshot
from tests.support.diagnosed import diagnosed, diagnosed_fault
from tests.support.faulty import FAULTS, FULL
from tests.support.healthy import (
    ACCOUNT,
    ID,
    KEY,
    KEY_USE,
    OPENAI,
    ROLE,
    TRUST,
    USE,
    document,
    healthy,
    put,
)

if TYPE_CHECKING:
    from openai_ekm.policy import MalformedPolicy

DENY = {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
IDENTITY = "role/permission_policies/0/document/Statement"
USE_NOW = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": KEY}
SOMEBODY = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/ci"},
            "Action": "kms:DescribeKey", "Resource": "*", "Sid": "AllowUseByRole"}  # fmt: skip
REGISTERED = {"StringEquals": {"sts:ExternalId": ["org-abc"]}}
ALL_OF_MINE = f"arn:aws:iam::{ACCOUNT}:role/open*"


def without(body: dict[str, Any], path: str) -> dict[str, Any]:
    """The snapshot without a member."""
    return put(body, path, ...)


def with_deny() -> dict[str, Any]:
    """A key policy that denies Decrypt to everybody."""
    body = healthy()
    body["keys"][0]["policy"]["Statement"].append(DENY)
    return body


def not_resource() -> dict[str, Any]:
    """A role's policy for all but the key."""
    return without(put(healthy(), f"{USE}/NotResource", [KEY]), f"{USE}/Resource")


# name -> (snapshot, id, every step of the fix as op, path, value)
FIXES: dict[str, tuple[dict[str, Any], str, list[tuple[str, str, Any]]]] = {
    "a key that is left out is named": (
        not_resource(), "resource_excepted",
        [("remove", f"/{USE}/NotResource", None), ("add", f"/{USE}/Resource", KEY)],
    ),
    "a pattern is compared as one": (
        put(healthy(), f"{KEY_USE}/Condition", {"StringEquals": {"aws:PrincipalArn": ALL_OF_MINE}}),
        "condition_wrong_operator",
        [("replace", f"/{KEY_USE}/Condition", {"ArnLike": {"aws:PrincipalArn": ALL_OF_MINE}})],
    ),
    "the role alone is excepted from a Deny": (
        with_deny(), "denied_by_key_policy",
        [("add", "/keys/0/policy/Statement/2/Condition",
          {"ArnNotEquals": {"aws:PrincipalArn": ROLE}})],
    ),
    "a Deny of all but some leaves the action out too": (
        put(healthy(), IDENTITY,
            [USE_NOW, {"Effect": "Deny", "NotAction": ["iam:*", "kms:Decrypt"], "Resource": "*"}]),
        "denied_by_identity_policy",
        [("add", f"/{IDENTITY}/1/NotAction/-", "kms:Encrypt")],
    ),
    "use is delegated for the role alone, under a Sid of its own": (
        put(healthy(), KEY_USE, SOMEBODY), "key_policy_without_delegation",
        [("add", "/keys/0/policy/Statement/-",
          {"Sid": "AllowUseByRole2", "Effect": "Allow",
           "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
           "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*",
           "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}}})],
    ),
    "OpenAI is let in with the external id": (
        put(healthy(), "role/trust_policy/Statement",
            [{"Effect": "Allow", "Principal": SOMEBODY["Principal"], "Action": "sts:AssumeRole"}]),
        "trust_policy_without_openai",
        [("add", "/role/trust_policy/Statement/-",
          {"Sid": "AllowAssumeRoleByOpenAI", "Effect": "Allow", "Principal": {"AWS": OPENAI},
           "Action": "sts:AssumeRole", "Condition": REGISTERED})],
    ),
    "full access comes back at its level": (
        put(healthy(), "rcps", [[document(FULL)], []]), "rcp_without_full_access",
        [("add", "/rcps/1/-", document(FULL))],
    ),
    "a misspelt operator is spelt": (
        put(healthy(), ID, {"StringEqual": {"sts:ExternalId": "org-abc"}}), "policy_malformed",
        [("replace", f"/{ID}", {"StringEquals": {"sts:ExternalId": "org-abc"}})],
    ),
    "a condition that cannot be read becomes the documented one": (
        put(healthy(), ID, 7), "policy_malformed",
        [("replace", f"/{TRUST}",
          {"Sid": "AllowAssumeRoleByOpenAI", "Effect": "Allow", "Principal": {"AWS": OPENAI},
           "Action": "sts:AssumeRole", "Condition": REGISTERED})],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIXES)
def test_a_fix_changes_this_and_nothing_else(name: str) -> None:
    """A fix would be another, often a broader one."""
    body, id_of_fault, steps = FIXES[name]
    found = diagnosed(body)
    assert found.faults[0].id == id_of_fault
    told = [(c.op, c.as_json()["path"], c.value) for c in found.faults[0].fix]
    assert told == steps
    changes = [change for each in found.faults for change in each.fix]
    assert diagnose(patch.apply(Snapshot.from_json(body), changes)).outcome == "ok"


def test_the_arn_of_the_role_that_is_there_is_registered() -> None:
    """A path that was left out would be told, and the fix be left to the reader."""
    pathed = ROLE.replace("role/", "role/team/")
    (fault, *_) = diagnosed(put(healthy(), "role/arn", pathed)).faults
    assert [(c.op, c.path, c.value) for c in fault.fix] == [
        ("replace", ("registration", "role_arn"), pathed)
    ]


def test_a_second_way_is_tried_where_the_first_does_not_work() -> None:
    """The likeliest repair would be shown although it does not cure."""
    block = {"StringNotEquals": {"aws:PrincipalArn": [ROLE]}}
    body = put(healthy(), f"{KEY_USE}/Condition", block)
    (fault,) = diagnosed(body).faults
    assert (fault.id, fault.document) == ("condition_wrong_operator", "keys[0].policy")
    block = {"IpAddress": {"aws:PrincipalAccount": ["10.0.0.0/8"]}}
    (fault,) = diagnosed(put(healthy(), f"{USE}/Condition", block)).faults
    assert (fault.id, fault.element) == (
        "condition_not_met", "Condition.IpAddress.aws:PrincipalAccount",
    )  # fmt: skip


def test_a_correction_that_leaves_the_document_malformed_is_not_shown() -> None:
    """A name would be spelt right, and AWS refuse the document for the other one as before."""
    statement = {"Foo": 1, "Effect": "Allow", "Principl": {"AWS": OPENAI},
                 "Action": "sts:AssumeRole", "Condition": REGISTERED}  # fmt: skip
    found = diagnosed(put(healthy(), TRUST, statement))
    assert [(each.id, each.fix[0].value.get("Principal")) for each in found.faults] == [
        ("policy_malformed", {"AWS": OPENAI})
    ]


OPEN: list[tuple[str, Any, str]] = [
    (f"{USE}/Resource", "arn:aws:kms:*", "permission_policies[0]"),
    (f"{USE}/Resource", ["arn:aws:kms:eu-west-1:*"], "permission_policies[0]"),
    (f"{USE}/Action", "kms:Encrypt, kms:Decrypt", "permission_policies[0]"),
    (f"{USE}/Action", ["kms:Encrypt ", "kms:Decrypt"], "permission_policies[0]"),
    (f"{TRUST}/Action", " sts:AssumeRole", "trust_policy"),
    (f"{KEY_USE}/Action", ["kms:Encrypt,kms:Decrypt"], "keys[0].policy"),
    (f"{KEY_USE}/Resource", "arn:aws:kms:*", "keys[0].policy"),
    (IDENTITY, [USE_NOW, {"Effect": "Deny", "Action": "ec2:* ", "Resource": "*"}],
     "permission_policies[0]"),
    (IDENTITY, [USE_NOW, {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:*"}],
     "permission_policies[0]"),
    ("scps", [[document({"Effect": "Allow", "Action": "* ", "Resource": "*"})]], "scps[0][0]"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "place"), OPEN)
def test_what_is_open_is_not_printed_as_a_word_of_aws(path: str, value: Any, place: str) -> None:
    """A reader would be told that AWS refuses a document that it may have saved."""
    body = put(healthy(), path, value)
    found = diagnosed(body)
    assert found.outcome in {"assume_role_denied", "encrypt_denied"}
    assert (found.message, found.as_json()["message"]) == ("", "")
    assert str(found.as_json()["open_point"]).startswith(f"{place}: Statement[")
    fault = found.faults[0]
    assert (fault.id, fault.document) == ("policy_disputed", place)
    assert "does not save" not in f"{fault.message} {fault.remedy}"
    mended = patch.apply(Snapshot.from_json(body), [c for each in found.faults for c in each.fix])
    assert diagnose(mended).outcome == "ok"


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [*FAULTS])
def test_every_fix_leaves_documents_that_aws_saves(name: str) -> None:
    """A fix would take the only statement away, and AWS refuse what is left."""
    snapshot, found = diagnosed_fault(name)
    there = isinstance(snapshot.role, Role) and snapshot.keys and snapshot.role.permission_policies
    for fault in found.faults:
        snapshot = patch.apply(snapshot, fault.fix)
    if there and name != "too large":
        assert complaints(snapshot) == [None, None, None]


@pytest.mark.parametrize("element", ["Action", "Resource", "Effect", "Condition"])
@pytest.mark.parametrize("broken", ["x", [], {}, 7, None, ["kms:Encrypt", 7], "arn:aws:kms"])
def test_a_document_of_one_broken_statement_keeps_one(element: str, broken: Any) -> None:
    """The fix would empty the document, and the next fault be that it is empty."""
    body = put(healthy(), f"{USE}/{element}", broken)
    snapshot = Snapshot.from_json(body)
    for fault in diagnose(snapshot).faults:
        assert "at least one statement" not in fault.message
        snapshot = patch.apply(snapshot, fault.fix)
    assert all(each is None for each in complaints(snapshot))


def complaints(snapshot: Snapshot) -> list[MalformedPolicy | None]:
    """What is wrong with the documents of a snapshot."""
    return [complaint(snapshot, place) for place in
            ("trust_policy", "permission_policies[0]", "keys[0].policy")]  # fmt: skip
