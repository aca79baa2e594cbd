"""Everything at fault, with the smallest fix: a table of faults, each one change from healthy."""

from __future__ import annotations

import pytest

from openai_ekm.snapshot import Snapshot
from tests.support.diagnosed import cured, diagnosed, diagnosed_fault
from tests.support.faulty import FAULTS, INCURABLE, WARNINGS
from tests.support.healthy import (
    ALIAS,
    ID,
    KEY,
    KEY_USE,
    OPENAI,
    ROLE,
    TRUST,
    USE,
    equals,
    healthy,
    put,
)


def test_the_healthy_twin_of_every_fault_is_ok() -> None:
    """A table of faults would prove nothing if its starting point were broken too."""
    found = diagnosed(healthy())
    assert (found.outcome, found.faults, found.warnings) == ("ok", (), ())


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_its_fix_cures_it(name: str) -> None:
    """A user would be sent to the wrong statement, or given a fix that does not work."""
    _, _, outcome, kind, where = FAULTS[name]
    snapshot, found = diagnosed_fault(name)
    assert found.outcome == outcome
    first = found.faults[0]
    assert (first.id, first.document) == (kind, where)
    assert first.message
    assert first.remedy
    if name in INCURABLE:
        assert not first.fix
        return
    assert all(each.fix for each in found.faults)
    cured(snapshot, found)


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


def test_a_document_as_text_is_diagnosed_as_its_object() -> None:
    """KMS gives key policies as text, and a live fault would have no fix."""
    import json  # noqa: PLC0415 - one use

    body = put(healthy(), KEY_USE, ...)
    body["keys"][0]["policy"] = json.dumps(body["keys"][0]["policy"])
    found = diagnosed(body)
    assert found.faults[0].id == "key_policy_without_delegation"
    cured(Snapshot.from_json(body), found)


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
