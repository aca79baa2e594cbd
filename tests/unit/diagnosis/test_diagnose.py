"""Everything at fault, with the smallest fix: a table of faults, each one change from healthy."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import (
    ACCOUNT,
    ALIAS,
    ID,
    KEY,
    KEY_USE,
    OPENAI,
    OTHER_KEY,
    PATHED,
    ROLE,
    ROOT,
    TRUST,
    USE,
    document,
    equals,
    healthy,
    put,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ekm.diagnosis import OPENAI_SESSION_ARN, Diagnosis, diagnose, judge, patch
from ekm.snapshot import Snapshot

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
FULL = {**ALLOW, "Principal": "*"}
# aws-samples/data-perimeter-policy-examples, identity_perimeter_rcp.json
PERIMETER = {
    "Sid": "EnforceOrgIdentities",
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["s3:*", "kms:*", "sts:AssumeRole"],
    "Resource": "*",
    "Condition": {
        "StringNotEqualsIfExists": {
            "aws:PrincipalOrgID": "o-mine",
            "aws:PrincipalAccount": ["123412341234"],
            "aws:ResourceTag/dp:exclude:identity": "true",
        },
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    },
}


# name -> (path, value, outcome, id of the first fault, its document)
FAULTS: dict[str, tuple[str, Any, str, str, str]] = {
    # external id
    "another organization": (
        ID, {"StringEquals": {"sts:ExternalId": "org-xyz"}},
        "assume_role_denied", "external_id_of_another_organization", "trust_policy",
    ),
    "wrong": (
        ID, {"StringEquals": {"sts:ExternalId": "secret"}},
        "assume_role_denied", "external_id_wrong", "trust_policy",
    ),
    "other case": (
        ID, {"StringEquals": {"sts:ExternalId": ["Org-ABC"]}},
        "assume_role_denied", "external_id_case", "trust_policy",
    ),
    "trailing space": (
        ID, {"StringEquals": {"sts:ExternalId": "org-abc "}},
        "assume_role_denied", "external_id_white_space", "trust_policy",
    ),
    "line break registered": (
        "registration/external_id", "org-abc\n",
        "assume_role_denied", "external_id_form", "registration",
    ),
    "pattern under StringEquals": (
        ID, {"StringEquals": {"sts:ExternalId": "org-*"}},
        "assume_role_denied", "external_id_pattern", "trust_policy",
    ),
    "wrong operator": (
        ID, {"ArnEquals": {"sts:ExternalId": "org-abc"}},
        "assume_role_denied", "external_id_wrong_operator", "trust_policy",
    ),
    "negated operator": (
        ID, {"StringNotEquals": {"sts:ExternalId": "org-abc"}},
        "assume_role_denied", "external_id_wrong_operator", "trust_policy",
    ),
    "must be missing": (
        ID, {"Null": {"sts:ExternalId": "true"}},
        "assume_role_denied", "external_id_wrong_operator", "trust_policy",
    ),
    "wrong key": (
        ID, {"StringEquals": {"aws:ExternalId": "org-abc"}},
        "assume_role_denied", "external_id_wrong_key", "trust_policy",
    ),
    # principal of the trust policy
    "principal mistyped": (
        f"{TRUST}/Principal", {"AWS": OPENAI + "x"},
        "assume_role_denied", "principal_mistyped", "trust_policy",
    ),
    "principal of another account": (
        f"{TRUST}/Principal", {"AWS": OPENAI.replace("7903", "7904")},
        "assume_role_denied", "principal_mistyped", "trust_policy",
    ),
    "own account root": (
        f"{TRUST}/Principal", {"AWS": ROOT},
        "assume_role_denied", "principal_account", "trust_policy",
    ),
    "another session": (
        f"{TRUST}/Principal",
        {"AWS": "arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/Other"},
        "assume_role_denied", "principal_session", "trust_policy",
    ),
    "a service": (
        f"{TRUST}/Principal", {"Service": "kms.amazonaws.com"},
        "assume_role_denied", "principal_service", "trust_policy",
    ),
    "a deleted role": (
        f"{TRUST}/Principal", {"AWS": "AROAEXAMPLE123456789X"},
        "assume_role_denied", "principal_deleted", "trust_policy",
    ),
    "no AssumeRole": (
        f"{TRUST}/Action", "sts:TagSession",
        "assume_role_denied", "action_missing", "trust_policy",
    ),
    # conditions that OpenAI's calls cannot meet
    "organization": (
        ID, equals("aws:PrincipalOrgID", "o-mine"),
        "assume_role_denied", "condition_organization", "trust_policy",
    ),
    "source ip": (
        ID, equals("aws:SourceIp", "10.0.0.0/8", "IpAddress"),
        "assume_role_denied", "condition_source_ip", "trust_policy",
    ),
    "source ip if it exists": (
        ID, equals("aws:SourceIp", "10.0.0.0/8", "IpAddressIfExists"),
        "assume_role_denied", "condition_source_ip", "trust_policy",
    ),
    "vpc endpoint": (
        f"{USE}/Condition", {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        "encrypt_denied", "condition_vpc_endpoint", "permission_policies[0]",
    ),
    "mfa": (
        ID, equals("aws:MultiFactorAuthPresent", "true", "Bool"),
        "assume_role_denied", "condition_mfa", "trust_policy",
    ),
    "session name": (
        ID, equals("sts:RoleSessionName", "OpenAI"),
        "assume_role_denied", "condition_session_name", "trust_policy",
    ),
    "encryption context": (
        f"{USE}/Condition", {"StringEquals": {"kms:EncryptionContext:a": "b"}},
        "encrypt_denied", "condition_encryption_context", "permission_policies[0]",
    ),
    "via service": (
        f"{USE}/Condition", {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
        "encrypt_denied", "condition_via_service", "permission_policies[0]",
    ),
    "tag": (
        f"{USE}/Condition", {"StringEquals": {"aws:PrincipalTag/team": "a"}},
        "encrypt_denied", "condition_tag", "permission_policies[0]",
    ),
    "date passed": (
        ID, equals("aws:CurrentTime", "2020-01-01T00:00:00Z", "DateLessThan"),
        "assume_role_denied", "condition_date", "trust_policy",
    ),
    "date to come": (
        ID, equals("aws:CurrentTime", "2099-01-01T00:00:00Z", "DateLessThan"),
        "assume_role_denied", "condition_date", "trust_policy",
    ),
    # the role
    "role missing": ("role", None, "assume_role_denied", "role_missing", "role"),
    "role path left out": (
        "role/arn", PATHED, "assume_role_denied", "role_path_left_out", "registration",
    ),
    "role mistyped": (
        "registration/role_arn", ROLE + "x",
        "assume_role_denied", "role_arn_mistyped", "registration",
    ),
    "role arn of no form": (
        "registration/role_arn", "openai-ekm",
        "assume_role_denied", "role_arn_form", "registration",
    ),
    # the use of the key
    "alias as resource": (
        f"{USE}/Resource", ALIAS, "encrypt_denied", "resource_alias", "permission_policies[0]",
    ),
    "resource of another account": (
        f"{USE}/Resource", KEY.replace(ACCOUNT, "999999999999"),
        "encrypt_denied", "resource_wrong_account", "permission_policies[0]",
    ),
    "resource of another Region": (
        f"{USE}/Resource", KEY.replace("eu-west-1", "us-east-1"),
        "encrypt_denied", "resource_wrong_region", "permission_policies[0]",
    ),
    "another key": (
        f"{USE}/Resource", [OTHER_KEY],
        "encrypt_denied", "resource_wrong_key", "permission_policies[0]",
    ),
    "Encrypt missing": (
        f"{USE}/Action", ["kms:Decrypt"],
        "encrypt_denied", "action_missing", "permission_policies[0]",
    ),
    "Decrypt missing": (
        f"{USE}/Action", "kms:Encrypt",
        "decrypt_denied", "action_missing", "permission_policies[0]",
    ),
    "no identity policy": (
        "role/permission_policies", [],
        "encrypt_denied", "identity_policy_missing", "permission_policies",
    ),
    "key policy without delegation": (
        KEY_USE, ..., "encrypt_denied", "key_policy_without_delegation", "keys[0].policy",
    ),
    "key policy names another role": (
        f"{KEY_USE}/Condition", {"ArnEquals": {"aws:PrincipalArn": ROLE + "x"}},
        "encrypt_denied", "condition_wrong_principal", "keys[0].policy",
    ),
    "key policy leaves a path out": (
        f"{KEY_USE}/Condition", {"ArnEquals": {"aws:PrincipalArn": PATHED}},
        "encrypt_denied", "role_path_left_out", "keys[0].policy",
    ),
    "recreated role": (
        KEY_USE,
        {"Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLE123456789X"}, "Action": "kms:*",
         "Resource": "*"},
        "encrypt_denied", "principal_deleted", "keys[0].policy",
    ),
    "denied by the key policy": (
        KEY_USE,
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
         "Condition": {"StringNotEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}},
        "encrypt_denied", "key_policy_without_delegation", "keys[0].policy",
    ),
    "denied by identity": (
        "role/permission_policies/0/document/Statement",
        [{"Effect": "Allow", "Action": "kms:*", "Resource": KEY},
         {"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}],
        "encrypt_denied", "denied_by_identity_policy", "permission_policies[0]",
    ),
    # above the account
    "boundary": (
        "role/permissions_boundary",
        document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
        "encrypt_denied", "boundary_without_use", "permissions_boundary",
    ),
    "boundary denies": (
        "role/permissions_boundary",
        document(ALLOW, {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}),
        "encrypt_denied", "denied_by_permissions_boundary", "permissions_boundary",
    ),
    "scp denies": (
        "scps", [[document(ALLOW)], [document(
            ALLOW,
            {"Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*",
             "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}},
        )]],
        "encrypt_denied", "denied_by_scp", "scps[1][0]",
    ),
    "scp lists": (
        "scps", [[document(ALLOW)], [document(
            {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"})]],
        "encrypt_denied", "action_missing", "scps[1][0]",
    ),
    "identity perimeter": (
        "rcps", [[document(FULL), document(PERIMETER)]],
        "assume_role_denied", "denied_by_rcp", "rcps[0][1]",
    ),
    # the key
    "disabled": ("keys/0/state", "Disabled", "key_disabled", "key_disabled", "keys[0]"),
    "pending deletion": (
        "keys/0/state", "PendingDeletion",
        "key_pending_deletion", "key_pending_deletion", "keys[0]",
    ),
    "pending import": (
        "keys/0/state", "PendingImport", "key_pending_import", "key_pending_import", "keys[0]",
    ),
    "unavailable": (
        "keys/0/state", "Unavailable", "key_unavailable", "key_unavailable", "keys[0]",
    ),
    "wrong spec": ("keys/0/spec", "RSA_2048", "not_symmetric", "key_wrong_spec", "keys[0]"),
    "wrong usage": (
        "keys/0/usage", "GENERATE_VERIFY_MAC", "not_symmetric", "key_wrong_usage", "keys[0]",
    ),
    "key gone": ("keys", [], "key_not_found", "key_missing", "registration"),
    "key of another account": (
        "registration/kms_arn", KEY.replace(ACCOUNT, "999999999999"),
        "key_not_found", "key_wrong_account", "registration",
    ),
    "alias gone": (
        "registration/kms_arn", ALIAS + "x", "key_not_found", "alias_missing", "registration",
    ),
    "key of another Region": (
        "registration/kms_arn", KEY.replace("eu-west-1", "us-east-1"),
        "wrong_region", "key_wrong_region", "registration",
    ),
    "a bare key id": (
        "registration/kms_arn", KEY.rpartition("/")[2],
        "invalid_arn", "kms_arn_form", "registration",
    ),
    # documents that AWS does not save
    "misspelt element": (
        TRUST,
        {"Effect": "Allow", "Principl": {"AWS": OPENAI}, "Action": "sts:AssumeRole",
         "Condition": {"StringEquals": {"sts:ExternalId": "org-abc"}}},
        "policy_malformed", "policy_malformed", "trust_policy",
    ),
    "misspelt operator": (
        ID, {"StringEqual": {"sts:ExternalId": "org-abc"}},
        "policy_malformed", "policy_malformed", "trust_policy",
    ),
    "too large": (
        ID, {"StringEquals": {"sts:ExternalId": ["org-abc", *(f"o-{n:040}" for n in range(99))]}},
        "policy_malformed", "policy_too_large", "trust_policy",
    ),
}  # fmt: skip
# What no change of the snapshot cures.
INCURABLE = {"role missing", "wrong spec", "wrong usage", "key gone", "too large"}


def diagnosed(body: dict[str, Any]) -> Diagnosis:
    """The diagnosis of a snapshot's JSON."""
    return diagnose(Snapshot.from_json(body))


def test_the_healthy_twin_of_every_fault_is_ok() -> None:
    """A table of faults would prove nothing if its starting point were broken too."""
    found = diagnosed(healthy())
    assert (found.outcome, found.faults, found.warnings) == ("ok", (), ())


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_its_fix_cures_it(name: str) -> None:
    """A user would be sent to the wrong statement, or given a fix that does not work."""
    path, value, outcome, kind, where = FAULTS[name]
    body = put(healthy(), path, value)
    found = diagnosed(body)
    assert found.outcome == outcome
    first = found.faults[0]
    assert (first.id, first.document) == (kind, where)
    assert first.message
    assert first.remedy
    if name in INCURABLE:
        assert not first.fix
        return
    cured(Snapshot.from_json(body), found)


def cured(snapshot: Snapshot, found: Diagnosis) -> None:
    """Apply first fixes until nothing is at fault, each time with one fault less."""
    while found.faults and found.faults[0].fix:
        rest = found.faults[1:]
        snapshot = patch.apply(snapshot, found.faults[0].fix)
        found = diagnose(snapshot)
        assert [each.id for each in found.faults] == [each.id for each in rest]
    assert judge(snapshot).outcome == found.outcome
    assert (found.outcome == "ok") is not bool(found.faults)


def test_two_faults_of_one_statement_are_both_named() -> None:
    """The second fault would show only after the first was put right."""
    body = put(healthy(), f"{TRUST}/Principal", {"AWS": OPENAI + "x"})
    body = put(body, ID, equals("aws:MultiFactorAuthPresent", "true", "Bool"))
    body = put(body, f"{ID}/StringEquals/sts:ExternalId", "org-ABC")
    body = put(body, "keys/0/state", "Disabled")
    found = diagnosed(body)
    assert [each.id for each in found.faults] == [
        "principal_mistyped",
        "external_id_case",
        "condition_mfa",
        "key_disabled",
    ]
    cured(Snapshot.from_json(body), found)


def test_the_perimeters_exception_is_one_account_in_its_own_list() -> None:
    """An organization would be told to weaken its perimeter more than OpenAI needs."""
    body = put(healthy(), "customer/organization", "o-mine")
    (fault,) = diagnosed(put(body, "rcps", [[document(FULL), document(PERIMETER)]])).faults
    assert [change.as_json() for change in fault.fix] == [
        {
            "op": "add",
            "path": "/rcps/0/1/Statement/0/Condition/StringNotEqualsIfExists/"
            "aws:PrincipalAccount/-",
            "value": "790389265272",
        }
    ]
    assert (fault.statement, fault.sid) == (0, "EnforceOrgIdentities")


def perimeter(organization: Any = ...) -> dict[str, Any]:
    """The published identity perimeter, around a customer whose organization may be known."""
    body = put(healthy(), "rcps", [[document(FULL), document(PERIMETER)]])
    return body if organization is ... else put(body, "customer/organization", organization)


@pytest.mark.parametrize("organization", ["o-mine", ...])
def test_the_perimeter_is_excepted_for_openai_alone(organization: Any) -> None:
    """An exception would be printed that the customer's own role does not need."""
    body = put(perimeter(organization), "calls", {"openai_organization": "o-openai"})
    found = diagnosed(body)
    (fault,) = found.faults
    assert (found.outcome, fault.id) == ("assume_role_denied", "denied_by_rcp")
    assert [change.as_json() for change in fault.fix] == [
        {
            "op": "add",
            "path": "/rcps/0/1/Statement/0/Condition/StringNotEqualsIfExists/"
            "aws:PrincipalAccount/-",
            "value": "790389265272",
        }
    ]
    assert found.decisions["kms:Encrypt"].allowed
    cured(Snapshot.from_json(body), found)


def test_an_organization_that_was_not_collected_is_told_and_not_denied() -> None:
    """The role's own use would be said to be refused, or to pass, when it is unknown."""
    found = diagnosed(perimeter())
    assert [each.id for each in found.warnings] == ["organization_unknown"]
    # The published statement also asks for a tag by which a resource is excepted.
    assert found.unseen == ("customer.organization", "role.tags", "keys[0].tags")
    assert "o-mine" in found.warnings[0].message
    known = diagnosed(perimeter("o-mine"))
    assert (known.warnings, known.unseen) == ((), ("role.tags", "keys[0].tags"))
    # Another one, or none: then it is refused, and said so.
    for organization in ("o-other", None):
        found = diagnosed(perimeter(organization))
        assert not found.decisions["kms:Encrypt"].allowed
        assert [each.id for each in found.faults] == ["denied_by_rcp", "denied_by_rcp"]
        assert not found.warnings


def test_a_condition_on_the_own_organization_is_met_by_the_own_role() -> None:
    """A common key policy would be called one that OpenAI cannot meet."""
    block = {"ArnEquals": {"aws:PrincipalArn": ROLE},
             "StringEquals": {"aws:PrincipalOrgID": "o-mine"}}  # fmt: skip
    body = put(healthy(), f"{KEY_USE}/Condition", block)
    assert diagnosed(put(body, "customer/organization", "o-mine")).outcome == "ok"
    found = diagnosed(body)
    assert found.outcome == "ok"
    assert [each.id for each in found.warnings] == ["organization_unknown"]
    assert found.unseen == ("customer.organization",)
    wrong = diagnosed(put(body, "customer/organization", "o-other"))
    assert wrong.outcome == "encrypt_denied"
    assert (wrong.faults[0].id, wrong.faults[0].needed) == ("condition_wrong_value", "o-other")
    none = diagnosed(put(body, "customer/organization", None))
    assert none.faults[0].id == "condition_organization"
    assert "your own role" in none.faults[0].message


def test_tags_of_role_and_key_are_those_that_conditions_compare() -> None:
    """A set-up by tags would be refused that works, or pass with another tag."""
    for path, key in ((USE, "aws:PrincipalTag/team"), (KEY_USE, "aws:ResourceTag/team")):
        block = {"StringEquals": {key: "a"}}
        body = put(healthy(), f"{path}/Condition", block)
        assert diagnosed(body).outcome == "encrypt_denied"
        where = "role" if "Principal" in key else "keys[0]"
        assert f"{where}.tags" in diagnosed(body).unseen
        tags = f"{where.replace('[', '/').replace(']', '')}/tags"
        assert diagnosed(put(body, tags, {"team": "a"})).outcome == "ok"
        assert diagnosed(put(body, tags, {"team": "b"})).outcome == "encrypt_denied"
    body = put(healthy(), ID, equals("aws:ResourceTag/team", "a"))
    assert diagnosed(put(body, "role/tags", {"team": "a"})).outcome == "ok"
    assert diagnosed(put(body, "role/tags", {})).outcome == "assume_role_denied"


def test_why_something_was_not_seen_is_told() -> None:
    """A user would not learn which permission the snapshot lacks."""
    reasons = [{"path": "scps", "reason": "ListParents: AccessDeniedException"}]
    found = diagnosed({**put(healthy(), "scps", ...), "unseen": reasons})
    assert found.unseen == ("scps",)
    assert found.as_json()["unseen_reasons"] == {"scps": "ListParents: AccessDeniedException"}


def test_a_fault_tells_statement_sid_and_element() -> None:
    """A user would search ten statements for the one at fault."""
    fault = diagnosed(put(healthy(), f"{USE}/Resource", ALIAS)).faults[0].as_json()
    assert fault["statement"] == 0
    assert fault["sid"] == "AllowEncryptDecrypt"
    assert (fault["element"], fault["found"], fault["needed"]) == ("Resource", ALIAS, KEY)
    assert fault["fix"] == [
        {
            "op": "replace",
            "path": "/role/permission_policies/0/document/Statement/0/Resource",
            "value": KEY,
        }
    ]


WARNINGS: dict[str, tuple[str, Any, str, str]] = {
    "no external id": (ID, ..., "external_id_missing", "trust_policy"),
    "if it exists": (
        ID, {"StringEqualsIfExists": {"sts:ExternalId": "org-abc"}},
        "external_id_optional", "trust_policy",
    ),
    "for all values": (
        ID, {"ForAllValues:StringEquals": {"sts:ExternalId": ["org-abc"]}},
        "external_id_optional", "trust_policy",
    ),
    "prefix": (
        ID, {"StringLike": {"sts:ExternalId": "org-*"}}, "external_id_too_broad", "trust_policy",
    ),
    "any case": (
        ID, {"StringEqualsIgnoreCase": {"sts:ExternalId": "org-abc"}},
        "external_id_too_broad", "trust_policy",
    ),
    "another id too": (
        ID, {"StringEquals": {"sts:ExternalId": ["org-abc", "org-old"]}},
        "external_id_too_broad", "trust_policy",
    ),
    "anybody": (f"{TRUST}/Principal", "*", "principal_wildcard", "trust_policy"),
    "OpenAI's whole account": (
        f"{TRUST}/Principal", {"AWS": "790389265272"}, "principal_too_broad", "trust_policy",
    ),
    "one more role": (
        f"{TRUST}/Principal", {"AWS": [OPENAI, f"arn:aws:iam::{ACCOUNT}:role/ci"]},
        "principal_too_broad", "trust_policy",
    ),
    "a session": (
        f"{TRUST}/Principal",
        {"AWS": OPENAI_SESSION_ARN},
        "principal_brittle", "trust_policy",
    ),
    "an old id beside": (
        f"{TRUST}/Principal", {"AWS": [OPENAI, "AROAEXAMPLE123456789X"]},
        "principal_brittle", "trust_policy",
    ),
    "every KMS action": (
        f"{USE}/Action", "kms:*", "permissions_too_broad", "permission_policies[0]",
    ),
    "every key": (f"{USE}/Resource", "*", "permissions_too_broad", "permission_policies[0]"),
    "root delegation": (
        KEY_USE,
        {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"},
        "key_policy_too_broad", "keys[0].policy",
    ),
    "alias": ("registration/kms_arn", ALIAS, "alias_registered", "registration"),
    "granted": (
        "grants", [{"grantee_principal": f"arn:aws:iam::{ACCOUNT}:role/ci",
                    "operations": ["Decrypt"], "key_arn": KEY}],
        "granted_to_others", "grants[0]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WARNINGS)
def test_what_works_and_is_wrong_is_warned_about(name: str) -> None:
    """An open door would pass because OpenAI can go through it too."""
    path, value, kind, where = WARNINGS[name]
    found = diagnosed(put(healthy(), path, value))
    assert found.outcome == "ok"
    assert [(each.id, each.document) for each in found.warnings] == [(kind, where)]


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, "ok"),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "encrypt_denied"),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, "ok"),
        ({"DateGreaterThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}, "encrypt_denied"),
        ({"DateLessThanEquals": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}, "encrypt_denied"),
        ({"NumericGreaterThan": {"aws:EpochTime": "1000"}}, "ok"),
    ],
)
def test_what_is_open_about_the_calls_must_pass_at_every_value(
    condition: dict[str, Any], outcome: str
) -> None:
    """A set-up that works from one address, or until one day, would pass."""
    assert diagnosed(put(healthy(), f"{USE}/Condition", condition)).outcome == outcome


# A leaf or a member of any document, and what becomes of it.
def _places(value: Any, path: str = "") -> list[str]:
    found: list[str] = [path] if path else []
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in members:
        place = f"{path}/{name}" if path else str(name)
        found += _places(member, place) if isinstance(member, dict | list) else [place]
    return found


PLACES = [
    f"{root}/{place}"
    for root in ("role/trust_policy", "role/permission_policies/0/document", "keys/0/policy")
    for body in [healthy()]
    for place in _places(
        body["keys"][0]["policy"]
        if root.startswith("keys")
        else body["role"]["trust_policy"]
        if "trust" in root
        else body["role"]["permission_policies"][0]["document"]
    )
]
VALUES = [..., "*", "x", [], {}, "Deny", "kms:*", ROLE, KEY, OPENAI, ALIAS, None, 7, "org-ABC"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(VALUES)), min_size=1, max_size=2)
)
def test_every_breakage_is_cured_step_by_step_or_said_to_be_incurable(
    breakages: list[tuple[str, Any]],
) -> None:
    """A fix would not work, or `ok` would be claimed of what AWS refuses."""
    body = healthy()
    for path, value in breakages:
        try:
            body = put(body, path, value)
        except (KeyError, IndexError, TypeError):
            continue  # the first breakage took the second one's place away
    snapshot = Snapshot.from_json(body)
    found = diagnose(snapshot)
    assert found.outcome == judge(snapshot).outcome
    assert bool(found.faults) is (found.outcome != "ok")
    for _ in range(12):
        if not found.faults or not found.faults[0].fix:
            break
        before = [each.as_json() for each in found.faults]
        snapshot = patch.apply(snapshot, found.faults[0].fix)
        found = diagnose(snapshot)
        assert [each.as_json() for each in found.faults][:1] != before[:1]
    assert found.outcome == "ok" or not found.faults[0].fix


def test_a_document_as_text_is_diagnosed_as_its_object() -> None:
    """KMS gives key policies as text, and a live fault would have no fix."""
    import json  # noqa: PLC0415 - one use

    body = put(healthy(), KEY_USE, ...)
    body["keys"][0]["policy"] = json.dumps(body["keys"][0]["policy"])
    found = diagnosed(body)
    assert found.faults[0].id == "key_policy_without_delegation"
    cured(Snapshot.from_json(body), found)


def test_what_was_not_seen_is_not_blamed_on_a_statement() -> None:
    """A policy that nobody read would be said to be wrong."""
    for path, where in (
        ("role", "role"),
        ("keys", "keys"),
        ("role/trust_policy", "trust_policy"),
        ("keys/0/policy", "keys[0].policy"),
        ("role/permission_policies", "permission_policies"),
    ):
        (fault,) = diagnosed(put(healthy(), path, ...)).faults
        assert (fault.id, fault.document, fault.fix) == ("not_seen", where, ())


def test_an_external_id_that_sts_does_not_take_is_refused_whatever_the_policy_says() -> None:
    """A line break that stands on both sides would pass, and STS refuses it."""
    body = put(healthy(), "registration/external_id", "org-abc\n")
    body = put(body, ID, {"StringEquals": {"sts:ExternalId": "org-abc\n"}})
    found = diagnosed(body)
    assert found.outcome == "assume_role_denied"
    assert [each.id for each in found.faults] == ["external_id_form", "external_id_white_space"]
    cured(Snapshot.from_json(body), found)


def test_repairs_of_two_conditions_do_not_undo_each_other() -> None:
    """The second fix would bring back the condition that the first one removed."""
    block = {
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "ArnEquals": {"sts:ExternalId": "org-abc"},
    }
    found = diagnosed(put(healthy(), ID, block))
    assert [each.id for each in found.faults] == ["condition_mfa", "external_id_wrong_operator"]
    cured(Snapshot.from_json(put(healthy(), ID, block)), found)


def test_every_deny_that_applies_is_named_and_taken_away() -> None:
    """The fix of one Deny would point at the place that another one had."""
    deny = {"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}
    path = "role/permission_policies/0/document/Statement"
    allow = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": KEY}
    body = put(healthy(), path, [{**deny, "Sid": "A"}, allow, {**deny, "Sid": "B"}])
    found = diagnosed(body)
    assert [each.sid for each in found.faults] == ["B", "A"]
    cured(Snapshot.from_json(body), found)
