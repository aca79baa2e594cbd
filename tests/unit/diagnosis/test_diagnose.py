"""Everything at fault, with the smallest fix: a table of faults, each one change from healthy."""

from __future__ import annotations

from typing import Any

import pytest
from faulty import FAULTS, FULL, INCURABLE, PERIMETER, WARNINGS
from healthy import (
    ALIAS,
    ID,
    KEY,
    KEY_USE,
    OPENAI,
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

from ekm.diagnosis import Diagnosis, diagnose, judge, patch
from ekm.snapshot import Snapshot


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
    assert all(each.fix for each in found.faults)
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


def test_both_differences_of_an_external_id_are_said() -> None:
    """A user would correct the space and be refused again for the case, or look elsewhere."""
    for value in (" ORG-abc", "Org-abc\n", "org -ABC"):
        found = diagnosed(put(healthy(), ID, {"StringEquals": {"sts:ExternalId": value}}))
        (fault,) = found.faults
        assert fault.id == "external_id_white_space"
        assert "white space" in fault.message
        assert "case" in fault.message
        assert fault.fix[0].value == "org-abc"
    for operator, key in (("ArnEquals", "sts:ExternalId"), ("StringEquals", "aws:ExternalId")):
        found = diagnosed(put(healthy(), ID, {operator: {key: "org-xyz"}}))
        assert "org-xyz is not the registered 'org-abc'" in found.faults[0].message


def test_faults_in_different_documents_are_told_in_the_order_in_which_aws_meets_them() -> None:
    """A user would repair what comes second and be refused at the first."""
    body = put(healthy(), "keys/0/state", "Disabled")
    body = put(body, f"{KEY_USE}/Condition", {"ArnEquals": {"aws:PrincipalArn": ROLE + "x"}})
    body = put(body, f"{USE}/Resource", ALIAS)
    body = put(body, ID, {"StringEquals": {"sts:ExternalId": "org-xyz"}})
    found = diagnosed(body)
    assert [each.id for each in found.faults] == [
        "external_id_of_another_organization",
        "condition_wrong_principal",
        "resource_alias",
        "key_disabled",
    ]
    assert all(each.fix for each in found.faults)


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
    ci = {"Effect": "Allow", "Principal": {"AWS": ROOT.replace("root", "role/ci")},
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
    assert all(not each.fix for each in diagnosed(body).warnings)


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
