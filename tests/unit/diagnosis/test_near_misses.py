"""A refusal names what is there and comes near: what is there is not said to be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.snapshot import Snapshot
from tests.support.diagnosed import cured, diagnosed, diagnosed_fault
from tests.support.faulty import FAULTS
from tests.support.healthy import (
    ACCOUNT,
    ALIAS,
    KEY,
    KEY_USE,
    OTHER_KEY,
    ROLE,
    ROOT,
    USE,
    document,
    healthy,
    put,
)

if TYPE_CHECKING:
    from openai_ekm.diagnosis import Diagnosis

NOTHING = "neither names"
MORE = ["kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*", "kms:CreateGrant"]
EMPTY = [document({"Effect": "Allow", "Action": "*", "Resource": "*"})]


def near_of(found: Diagnosis) -> list[tuple[str, int | None, str]]:
    """Where the first fault's near misses stand."""
    return [(each.document, each.statement, each.element) for each in found.faults[0].near_misses]


@pytest.mark.parametrize(
    ("operator", "key", "value", "wanted"),
    [
        ("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com", "carries no kms:Via"),
        ("StringEquals", "aws:PrincipalOrgID", "o-other", "aws:PrincipalOrgID is o-mine"),
        ("StringEquals", "aws:PrincipalTag/team", "red", "PrincipalTag/team is blue"),
        ("StringEquals", "aws:PrincipalTag/none", "red", "the role has no such tag"),
        ("StringLike", "kms:EncryptionContext:a", "*", "carries no kms:EncryptionContext:a"),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8", "aws:SourceIp is "),
        ("Bool", "kms:GrantIsForAWSResource", "true", "carries no kms:GrantIsForAWSResource"),
        ("StringEquals", "aws:SourceVpce", "vpce-1", "carries no aws:SourceVpce"),
        ("DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", "aws:CurrentTime is "),
    ],
)
@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ROOT}, {"AWS": ROLE}])
def test_a_statement_that_fails_by_one_condition_is_named(
    principal: Any, operator: str, key: str, value: str, wanted: str
) -> None:
    """The user would be told that the key policy does not name the role, which it does."""
    statement = {"Sid": "Near", "Effect": "Allow", "Principal": principal, "Action": MORE,
                 "Resource": "*", "Condition": {operator: {key: value}}}  # fmt: skip
    body = put(put(healthy(), KEY_USE, statement), "customer/organization", "o-mine")
    found = diagnosed(put(body, "role/tags", {"team": "blue"}))
    fault = found.faults[0]
    (near,) = fault.near_misses
    assert (near.document, near.statement, near.sid) == ("keys[0].policy", 1, "Near")
    assert near.element == f"Condition.{operator}.{key}"
    assert near.found == f"{operator} {key}: {value}"
    assert wanted in near.needed
    assert NOTHING not in fault.message
    assert fault.as_json()["near_misses"] == [near.as_json()]


def test_nothing_is_said_to_be_there_when_nothing_is() -> None:
    """Another's statement would be called a near miss of every refusal."""
    for theirs in (
        {"Effect": "Allow", "Principal": {"AWS": ROLE.replace("openai-ekm", "Admin")},
         "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:Put*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, "Action": "kms:*",
         "Resource": "*"},
    ):  # fmt: skip
        (fault,) = diagnosed(put(healthy(), KEY_USE, theirs)).faults
        assert NOTHING in fault.message
        assert not fault.near_misses


@pytest.mark.parametrize(
    ("changes", "element"),
    [
        ({"constraints": {"EncryptionContextEquals": {"a": "b"}}}, "EncryptionContextEquals"),
        ({"constraints": {"EncryptionContextSubset": {"a": "b"}}}, "EncryptionContextSubset"),
        ({"operations": ["Decrypt"]}, "operations"),
        ({"operations": ["DescribeKey", "RetireGrant"]}, "operations"),
        ({"key_arn": OTHER_KEY}, "key_arn"),
    ],
)
@pytest.mark.parametrize("grantee", [ROLE, ROOT])
def test_a_grant_that_does_not_cover_the_call_is_named(
    grantee: str, changes: dict[str, Any], element: str
) -> None:
    """A grant to the role would be passed over, as though nobody had made one."""
    grant = {"name": "ours", "grantee_principal": grantee, "operations": ["Encrypt", "Decrypt"],
             "key_arn": KEY, **changes}  # fmt: skip
    found = diagnosed(put(put(healthy(), KEY_USE, ...), "grants", [grant]))
    fault = found.faults[0]
    (near,) = fault.near_misses
    assert (near.document, near.statement, near.sid) == ("grants[0]", None, "ours")
    assert near.element.rpartition(".")[2] == element
    assert "grants[0]" in fault.message
    assert NOTHING not in fault.message


OLD: list[tuple[str, dict[str, Any]]] = [
    ("ArnEquals", {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/openai-ekm"}),
    ("ArnLike", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/${{aws:PrincipalTag/name}}"}),
    ("StringEquals", {"aws:PrincipalAccount": "${aws:ResourceAccount}",
                      "aws:PrincipalArn": ROLE}),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "block"), OLD)
@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_a_variable_that_is_dead_is_the_versions_fault(
    version: str | None, operator: str, block: dict[str, str]
) -> None:
    """The value would be corrected, and the next variable be dead as well."""
    body = put(healthy(), f"{KEY_USE}/Condition", {operator: block})
    body = put(put(body, "role/tags", {"name": "openai-ekm"}), "keys/0/policy/Version",
               ... if version is None else version)  # fmt: skip
    found = diagnosed(body)
    (fault,) = found.faults
    assert (fault.id, fault.element) == ("policy_version_without_variables", "Version")
    (change,) = fault.fix
    assert (change.path, change.value) == (("keys", 0, "policy", "Version"), "2012-10-17")
    assert [each.element for each in fault.near_misses] == ["Version"]
    cured(Snapshot.from_json(body), found)


def test_a_version_is_renewed_only_where_that_helps() -> None:
    """A Version would be blamed for a variable whose value is another's anyway."""
    block = {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalAccount}"}}
    body = put(put(healthy(), f"{KEY_USE}/Condition", block), "keys/0/policy/Version", "2008-10-17")
    assert "policy_version" not in diagnosed(body).faults[0].id


def test_a_deny_by_a_dead_variable_names_the_version() -> None:
    """The reader would look for what is wrong with an exception that is right."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
            "Condition": {
                "StringNotEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}}  # fmt: skip
    body = put(healthy(), "keys/0/policy/Version", "2008-10-17")
    body["keys"][0]["policy"]["Statement"].append(deny)
    found = diagnosed(body)
    (fault,) = found.faults
    assert (fault.id, fault.statement) == ("denied_by_key_policy", 2)
    assert [each.element for each in fault.near_misses] == [
        "Version",
        "Condition.StringNotEquals.aws:PrincipalAccount",
    ]
    cured(Snapshot.from_json(body), found)


@pytest.mark.exhaustive
def test_every_refusal_has_its_near_misses_in_json() -> None:
    """A reader of `--json` would have to look into the member's name for each kind of fault."""
    for name, (_, _, outcome, *_) in FAULTS.items():
        _, found = diagnosed_fault(name)
        for fault in found.faults:
            assert isinstance(fault.as_json()["near_misses"], list)
            if fault.near_misses:
                assert NOTHING not in fault.message, name
        if (
            outcome in {"encrypt_denied", "decrypt_denied"}
            and found.faults[0].statement is not None
        ):
            bare = (found.faults[0].found or "") == "Deny"  # it has no exception to be met
            assert found.faults[0].near_misses or bare, name


def test_the_region_that_a_deny_leaves_out_is_in_its_message() -> None:
    """The reader would see a list of Regions and not which one the call is in."""
    deny = {"Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}}  # fmt: skip
    found = diagnosed(put(healthy(), "scps", [[*EMPTY, document(deny)]]))
    (fault,) = found.faults
    assert "aws:RequestedRegion is eu-west-1" in fault.message
    assert near_of(found) == [
        ("scps[0][1]", 0, "NotAction"),
        ("scps[0][1]", 0, "Condition.StringNotEquals.aws:RequestedRegion"),
    ]


@pytest.mark.parametrize("tags", [..., {}, {"team": "blue"}, {"Team": "red"}, {"team": "red"}])
def test_a_tag_that_was_seen_is_not_said_to_be_missing(tags: Any) -> None:
    """The reader would tag the role, which has the tag."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
            "Condition": {"StringEqualsIfExists": {"aws:PrincipalTag/team": "blue"},
                          "Null": {"aws:MultiFactorAuthPresent": "true"}}}  # fmt: skip
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    body = put(healthy(), "rcps", [[document(full), document(deny)]])
    body = body if tags is ... else put(body, "role/tags", tags)
    found = diagnosed(body)
    if tags not in (..., {}, {"team": "blue"}):
        assert found.outcome == "ok"
        return
    message = found.faults[-1].message
    assert ("carries no aws:PrincipalTag/team" in message) is (tags in (..., {}))
    assert ("tags were not collected" in message) is (tags is ...)
    assert ("PrincipalTag/team is blue" in message) is (tags == {"team": "blue"})


@pytest.mark.parametrize(
    "spared",
    [[ROOT], [ROLE], [ROOT, ROLE], [ROOT, ROLE, ROLE.replace("openai-ekm", "admin")]],
)
def test_a_deny_with_not_principal_is_named_and_excepts_the_role(spared: list[str]) -> None:
    """The message would know the statement's number, and the fault name none."""
    deny = {"Sid": "DenyOthers", "Effect": "Deny", "NotPrincipal": {"AWS": spared},
            "Action": "kms:Decrypt", "Resource": "*"}  # fmt: skip
    body = healthy()
    body["keys"][0]["policy"]["Statement"].append(deny)
    found = diagnosed(body)
    (fault,) = found.faults
    assert (fault.id, fault.statement, fault.sid) == ("denied_by_key_policy", 2, "DenyOthers")
    assert [each.value for each in fault.fix] == [{"ArnNotEquals": {"aws:PrincipalArn": ROLE}}]
    assert near_of(found) == [("keys[0].policy", 2, "NotPrincipal")]
    assert ("may deny" in fault.message) is (
        found.decisions["kms:Decrypt"].outcome != "ExplicitlyDenied"
    )
    cured(Snapshot.from_json(body), found)


def test_an_alias_that_was_moved_goes_back_or_the_role_follows() -> None:
    """The fix would follow the alias, and what was encrypted before be unreadable."""
    old = {**healthy()["keys"][0], "arn": OTHER_KEY}
    body = put(healthy(), "registration/kms_arn", ALIAS)
    body = put(put(body, "keys", [*body["keys"], old]), f"{USE}/Resource", OTHER_KEY)
    found = diagnosed(body)
    (fault,) = found.faults
    assert (fault.id, fault.document, fault.statement) == ("alias_moved", "aliases[0]", None)
    assert [(each.path, each.value) for each in fault.fix] == [
        (("aliases", 0, "target"), OTHER_KEY)
    ]
    assert "update-alias" in fault.remedy
    assert f"write {KEY} as Resource" in fault.remedy
    cured(Snapshot.from_json(body), found)
    # The other key was not collected: the role follows, and the other way is told.
    (fault,) = diagnosed(put(body, "keys", [healthy()["keys"][0]])).faults
    assert fault.id == "resource_wrong_key"
    assert f"move it back to {OTHER_KEY}" in fault.remedy
    # No alias is registered: nothing was moved.
    (fault,) = diagnosed(put(body, "registration/kms_arn", KEY)).faults
    assert (fault.id, "alias" in fault.remedy) == ("resource_wrong_key", False)
