"""No fix opens a door, takes from somebody else, or undoes another."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.diagnosis import diagnose, patch
from openai_ekm.snapshot import Snapshot
from tests.support.diagnosed import cured, diagnosed
from tests.support.healthy import (
    ACCOUNT,
    ID,
    KEY,
    OPENAI,
    ROLE,
    ROOT,
    TRUST,
    USE,
    document,
    healthy,
    put,
)


def test_a_repair_never_leaves_away_what_may_be_all_that_narrows() -> None:
    """The fix of a misspelt condition would open the role to every other organization."""
    for path, value in (
        (ID, {"StringEqual": {"sts:ExternalId": "org-abc"}}),
        (ID, {"StringEquals": "org-abc"}),
        (ID, {"StringEquals": {"sts:ExternalId": {}}}),
        (f"{TRUST}/Effect", "allow"),
        (f"{TRUST}/Sid", "a b"),
        (f"{TRUST}/ExternalIds", ["org-abc"]),
        (ID, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        ("role/trust_policy/Statement", []),
        ("role/trust_policy/Version", "2020-01-01"),
    ):
        snapshot = Snapshot.from_json(put(healthy(), path, value))
        found = diagnose(snapshot)
        mended = patch.apply(snapshot, [change for each in found.faults for change in each.fix])
        statement = mended.as_json()["role"]["trust_policy"]["Statement"][0]
        wanted = {"StringEquals": {"sts:ExternalId": "org-abc"}}
        assert str(statement["Condition"]) in {str(wanted), str(healthy_condition())}, value
        assert statement["Principal"] == {"AWS": OPENAI}
        assert diagnose(mended).outcome == "ok"


def test_a_documented_statement_takes_no_sid_that_another_has() -> None:
    """Guards against: the fix writes a Sid a second time, and then finds it at fault."""
    body = healthy()
    foreign = {
        "Effect": "Allow",
        "Principal": {"CanonicalUser": "79a5"},
        "Action": "sts:AssumeRole",
    }
    sound = body["role"]["trust_policy"]["Statement"][0] | {"Sid": "AllowAssumeRoleByOpenAI"}
    body["role"]["trust_policy"]["Statement"] = [sound, foreign]
    (fault,) = diagnose(Snapshot.from_json(body)).faults
    assert fault.statement == 1


def test_openai_is_never_let_in_without_an_external_id() -> None:
    """The fix of a mistyped principal would make a statement that asks for nothing pass."""
    for condition in (..., {"Bool": {"aws:SecureTransport": "true"}}):
        body = put(put(healthy(), f"{TRUST}/Principal", {"AWS": OPENAI + "x"}), ID, condition)
        snapshot = Snapshot.from_json(body)
        found = diagnose(snapshot)
        assert found.faults[0].id == "principal_mistyped"
        mended = patch.apply(snapshot, found.faults[0].fix)
        block = mended.as_json()["role"]["trust_policy"]["Statement"][0]["Condition"]
        assert block["StringEquals"] == {"sts:ExternalId": ["org-abc"]}
        assert diagnose(mended).outcome == "ok"
        assert not diagnose(mended).warnings


def test_a_statement_for_somebody_else_is_left_to_them() -> None:
    """The fix would take the trust of a pipeline's role away, to give it to OpenAI."""
    ci: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": ROOT.replace("root", "role/ci")},
          "Action": "sts:AssumeRole"}  # fmt: skip
    found = diagnosed(put(healthy(), "role/trust_policy/Statement", [ci]))
    assert [each.id for each in found.faults] == ["trust_policy_without_openai"]
    assert found.faults[0].fix[0].op == "add"
    # Whom it lets in is told at once, and taking it away is offered and not done.
    (warned,) = found.warnings
    assert (warned.id, warned.document, warned.statement) == (
        "principal_too_broad", "trust_policy", 0,
    )  # fmt: skip
    assert [change.as_json() for change in warned.fix] == [
        {"op": "remove", "path": "/role/trust_policy/Statement/0"}
    ]
    body = put(
        healthy(),
        "role/trust_policy/Statement/0/Condition",
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    )
    body["role"]["trust_policy"]["Statement"].insert(0, ci)
    found = diagnosed(body)
    assert [(each.id, each.statement) for each in found.warnings] == [("principal_too_broad", 0)]
    # A statement that names OpenAI as well is narrowed, not removed.
    both = {**ci, "Principal": {"AWS": [OPENAI, ci["Principal"]["AWS"]]}}
    body["role"]["trust_policy"]["Statement"][0] = both
    found = diagnosed(body)
    (warned,) = [each for each in found.warnings if each.id == "principal_too_broad"]
    assert [(each.op, each.value["Principal"]) for each in warned.fix] == [
        ("replace", {"AWS": OPENAI})
    ]


def test_an_action_of_openais_is_replaced_and_one_that_is_excepted_comes_back() -> None:
    """TagSession would stay in the trust policy; NotAction would be called incurable."""
    found = diagnosed(put(healthy(), f"{TRUST}/Action", ["sts:TagSession"]))
    (change,) = found.faults[0].fix
    assert (change.op, change.path[-1], change.value) == ("replace", "Action", "sts:AssumeRole")
    body = put(healthy(), f"{USE}/NotAction", ["kms:Encrypt", "iam:*"])
    body = put(body, f"{USE}/Action", ...)
    found = diagnosed(body)
    assert [(each.id, each.fix[0].value) for each in found.faults] == [
        ("action_excepted", ["iam:*"])
    ]


def test_a_malformed_deny_is_never_taken_away() -> None:
    """A fix would lift a guard because somebody misspelt it."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": ["kms:Sign", 7], "Resource": "*"}
    body = healthy()
    body["keys"][0]["policy"]["Statement"].append(deny)
    (fault,) = diagnosed(body).faults
    assert (fault.id, fault.statement, fault.fix) == ("policy_malformed", 2, ())
    deny |= {"Action": "kms:Sign", "Effect": "deny"}
    (fault,) = diagnosed(body).faults
    assert fault.fix[0].value == "Deny"


def healthy_condition() -> dict[str, Any]:
    """The documented condition of the trust policy."""
    return {"StringEquals": {"sts:ExternalId": ["org-abc"]}}


def test_every_deny_that_applies_is_named_and_taken_away() -> None:
    """The fix of one Deny would point at the place that another one had."""
    deny = {"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}
    path = "role/permission_policies/0/document/Statement"
    allow = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": KEY}
    body = put(healthy(), path, [{**deny, "Sid": "A"}, allow, {**deny, "Sid": "B"}])
    found = diagnosed(body)
    assert [each.sid for each in found.faults] == ["B", "A"]
    cured(Snapshot.from_json(body), found)


ADMIN = ROOT.replace("root", "role/Admin")
APP = ROOT.replace("root", "role/app")
USES = ["kms:Decrypt", "kms:Encrypt"]


def _allow(principal: Any, actions: Any, **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
    return {**found, "Condition": condition} if condition else found


@pytest.mark.parametrize(
    "theirs",
    [
        _allow({"AWS": ROOT}, "kms:*", ArnEquals={"aws:PrincipalArn": ADMIN}),
        _allow({"AWS": ROOT}, "kms:*", StringEquals={"aws:PrincipalTag/team": "security"}),
        _allow(
            {"AWS": "*"},
            [*USES, "kms:GenerateDataKey*"],
            StringEquals={"kms:CallerAccount": ACCOUNT, "kms:ViaService": "s3.amazonaws.com"},
        ),
        _allow({"AWS": ROOT}, USES, ArnEquals={"aws:PrincipalArn": APP}),
        _allow({"AWS": APP}, [*USES, "kms:ReEncrypt*", "kms:DescribeKey"]),
        _allow("*", USES, StringEquals={"aws:PrincipalOrgID": "o-partner000"}),
        _allow({"AWS": ROOT.replace(ACCOUNT, "222233334444")}, "kms:*"),
        _allow({"Service": "logs.eu-west-1.amazonaws.com"}, ["kms:Encrypt*", "kms:Decrypt*"]),
    ],
)
def test_what_a_key_policy_gives_to_others_stays_theirs(theirs: dict[str, Any]) -> None:
    """The fix would make the role an administrator, and take the key from those that it had."""
    body = put(healthy(), "keys/0/policy/Statement", [theirs])
    found = diagnosed(put(body, "customer/organization", "o-mine000000"))
    (fault,) = found.faults
    assert fault.id == "key_policy_without_delegation"
    (change,) = fault.fix
    assert (change.op, change.path) == ("add", ("keys", 0, "policy", "Statement", "-"))


def test_a_delegation_to_everybody_of_an_organization_is_not_widened() -> None:
    """The right organization under the condition lets all of its principals use the key."""
    asked = _allow({"AWS": ROOT}, USES, StringEquals={"aws:PrincipalOrgID": "o-partner000"})
    body = put(healthy(), "keys/0/policy/Statement", [asked])
    body = put(body, "customer/organization", "o-mine000000")
    (fault,) = diagnosed(body).faults
    mended = patch.apply(Snapshot.from_json(body), fault.fix).as_json()
    (statement,) = mended["keys"][0]["policy"]["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": ROLE}}


def test_the_trust_of_another_vendor_is_left_to_it() -> None:
    """The fix would turn a vendor's statement, with its own external id, into OpenAI's."""
    vendor = {
        "Effect": "Allow",
        "Principal": {"AWS": "464622532012"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "vendor-77b1"}},
    }
    found = diagnosed(put(healthy(), "role/trust_policy/Statement", [vendor]))
    assert [each.id for each in found.faults] == ["trust_policy_without_openai"]
    assert [each.id for each in found.warnings] == ["principal_too_broad"]


def test_a_guardrail_is_excepted_for_the_role_and_not_for_an_action() -> None:
    """The whole organization would encrypt without MFA, to let one role do it."""
    guard = {
        "Effect": "Deny",
        "NotAction": ["iam:*", "sts:*"],
        "Resource": "*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    }
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    body = put(healthy(), "scps", [[document(everything, guard)]])
    (fault,) = diagnosed(body).faults
    assert [(each.path[-1], each.value) for each in fault.fix] == [
        ("ArnNotEquals", {"aws:PrincipalArn": ROLE})
    ]


@pytest.mark.parametrize("name", [KEY.rpartition("/")[2], "alias/openai"])
def test_the_keys_own_name_as_resource_becomes_its_arn(name: str) -> None:
    """The statement would be taken away, and the user left without one."""
    for resource in (name, [name]):
        (fault,) = diagnosed(put(healthy(), f"{USE}/Resource", resource)).faults
        assert fault.id == "policy_malformed"
        assert [each.value for each in fault.fix] == [KEY]
    body = put(healthy(), f"{USE}/Resource", "somebody-elses")
    found = diagnosed(body)
    # The only statement cannot be taken away: AWS saves no document without one.
    assert found.faults[0].fix[0].value["Resource"] == KEY
    assert diagnose(patch.apply(Snapshot.from_json(body), found.faults[0].fix)).outcome == "ok"


def test_a_pattern_of_every_region_is_not_of_another_one() -> None:
    """The user would look for a Region that is not wrong."""
    pattern = f"arn:aws:kms:*:{ACCOUNT}:key/mrk-*"
    (fault,) = diagnosed(put(healthy(), f"{USE}/Resource", pattern)).faults
    assert fault.id == "resource_wrong_key"
