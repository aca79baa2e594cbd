"""What was collected, what was not, and what is open about OpenAI's calls."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.snapshot import Snapshot
from tests.support.diagnosed import cured, diagnosed
from tests.support.faulty import FULL, PERIMETER
from tests.support.healthy import ID, KEY_USE, OPENAI, ROLE, USE, document, equals, healthy, put


def test_the_perimeters_exception_is_one_role() -> None:
    """A whole account of OpenAI's would pass the perimeter, to let one role in."""
    body = put(healthy(), "customer/organization", "o-mine")
    (fault,) = diagnosed(put(body, "rcps", [[document(FULL), document(PERIMETER)]])).faults
    assert [change.as_json() for change in fault.fix] == [
        {
            "op": "add",
            "path": "/rcps/0/1/Statement/0/Condition/ArnNotEquals",
            "value": {"aws:PrincipalArn": OPENAI},
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
            "path": "/rcps/0/1/Statement/0/Condition/ArnNotEquals",
            "value": {"aws:PrincipalArn": OPENAI},
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


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, "encrypt_denied"),  # IPv6 is left out
        ({"IpAddress": {"aws:SourceIp": ["0.0.0.0/0", "::/0"]}}, "ok"),
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
