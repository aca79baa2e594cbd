"""The ways to put one statement right: repairs of several elements, made together."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.diagnosis import diagnose, patch
from openai_ekm.snapshot import Snapshot
from tests.support.diagnosed import cured, diagnosed
from tests.support.healthy import ID, OPENAI, TRUST, healthy, put

SPOILT: dict[str, tuple[dict[str, Any], set[str]]] = {
    "two_conditions_of_one_operator": (
        {
            f"{TRUST}/Condition": {
                "StringEquals": {"sts:ExternalId": "org-other", "aws:PrincipalAccount": "1" * 12}
            }
        },
        {"Condition.StringEquals.sts:ExternalId", "Condition.StringEquals.aws:PrincipalAccount"},
    ),
    "conditions_of_two_operators": (
        {
            f"{TRUST}/Condition": {
                "StringEquals": {"sts:ExternalId": "org-other"},
                "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/other"},
            }
        },
        {"Condition.StringEquals.sts:ExternalId", "Condition.ArnEquals.aws:PrincipalArn"},
    ),
    "every_condition_of_an_operator": (
        {
            f"{TRUST}/Condition": {
                "StringEquals": {"sts:ExternalId": ["org-abc"]},
                "StringLike": {"aws:SourceVpc": "vpc-1", "aws:SourceAccount": "1" * 12},
            }
        },
        {"Condition.StringLike.aws:SourceVpc", "Condition.StringLike.aws:SourceAccount"},
    ),
    "principal_and_condition": (
        {
            f"{TRUST}/Principal": {"AWS": OPENAI.replace("Management", "Managment")},
            f"{TRUST}/Condition": {"StringEquals": {"sts:ExternalId": "org-other"}},
        },
        {"Principal", "Condition.StringEquals.sts:ExternalId"},
    ),
}


@pytest.mark.parametrize(("changes", "elements"), SPOILT.values(), ids=SPOILT)
def test_repairs_of_one_statement_are_made_together(
    changes: dict[str, Any], elements: set[str]
) -> None:
    """Guards against: of two repairs the second undoes the first, or names a place that is gone."""
    body = healthy()
    for path, value in changes.items():
        body = put(body, path, value)
    snapshot = Snapshot.from_json(body)
    found = diagnose(snapshot)
    assert {each.element for each in found.faults} == elements
    repaired = patch.apply(snapshot, [change for each in found.faults for change in each.fix])
    assert diagnose(repaired).allows
    assert "{}" not in str(repaired.as_json()["role"])


def test_repairs_of_two_conditions_do_not_undo_each_other() -> None:
    """Guards against: the second fix brings back the condition that the first one removed."""
    block = {
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "ArnEquals": {"sts:ExternalId": "org-abc"},
    }
    found = diagnosed(put(healthy(), ID, block))
    assert [each.id for each in found.faults] == ["condition_mfa", "external_id_wrong_operator"]
    cured(Snapshot.from_json(put(healthy(), ID, block)), found)
