"""The key policy with the drill's statement, and without it again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_ekm.drill import key_policy
from openai_ekm.drill.key_policy import SID, Found
from openai_ekm.errors import BadInput, Conflict
from tests.doubles.drill_world import FORMER, INTENT

STATEMENT = key_policy.statement_for(INTENT.role_arn)
CUT = key_policy.with_statement(FORMER, STATEMENT)


def changed(text: str, change: Any) -> str:
    """A policy after a change of its decoded form."""
    body = json.loads(text)
    change(body)
    return json.dumps(body)


def back(text: str, former: str | None = FORMER) -> key_policy.Restoration:
    """What would be put."""
    return key_policy.without_statement(text, STATEMENT, former, key_policy.digest(FORMER))


def test_statement_denies_the_role_alone_and_only_its_use() -> None:
    """Somebody else is cut off, or an administrator can no longer change the policy."""
    assert STATEMENT["Effect"] == "Deny"
    assert set(STATEMENT["Action"]) == {"kms:Encrypt", "kms:Decrypt"}
    assert STATEMENT["Condition"] == {"ArnEquals": {"aws:PrincipalArn": INTENT.role_arn}}


def test_former_document_is_put_back_to_the_letter() -> None:
    """White space and order of the customer's policy are lost, and Terraform shows a change."""
    assert back(CUT) == key_policy.Restoration(Found.AS_CUT, FORMER)


def test_former_document_is_put_back_without_its_text() -> None:
    """A note that had no room for the policy cannot give access back."""
    found = back(CUT, None)
    assert found.found is Found.AS_CUT
    assert found.text is not None
    assert key_policy.digest(found.text) == key_policy.digest(FORMER)


def test_order_that_kms_changes_does_not_count() -> None:
    """KMS returns principals and statements in another order, and the drill sees a stranger."""

    def shuffle(body: Any) -> None:
        body["Statement"].reverse()
        for each in body["Statement"]:
            if isinstance(each["Action"], list):
                each["Action"].reverse()
        body["Statement"][-1]["Principal"]["AWS"] = [body["Statement"][-1]["Principal"]["AWS"]]

    assert back(changed(CUT, shuffle)) == key_policy.Restoration(Found.AS_CUT, FORMER)


def test_change_of_others_stands() -> None:
    """The former policy is put over what somebody changed during the drill."""
    audit = {"Effect": "Allow", "Principal": "*", "Action": "kms:DescribeKey", "Resource": "*"}
    found = back(changed(CUT, lambda body: body["Statement"].append(audit)))
    assert found.found is Found.CHANGED
    assert found.text is not None
    kept = json.loads(found.text)["Statement"]
    assert audit in kept
    assert not key_policy.holds_statement(found.text)
    assert len(kept) == 3


def test_policy_without_the_statement_is_told_from_the_former() -> None:
    """A replaced policy is overwritten, or a cut that shows late is not beaten."""
    assert back(FORMER) == key_policy.Restoration(Found.AS_BEFORE, FORMER)
    other = changed(FORMER, lambda body: body["Statement"].pop())
    assert back(other) == key_policy.Restoration(Found.REPLACED, None)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["Statement"][-1].update(Action="kms:*"),
        lambda body: body["Statement"].__delitem__(slice(0, -1)),
        lambda body: body.update(Statement="?"),
    ],
    ids=["edited", "alone", "malformed"],
)
def test_what_cannot_be_taken_out_by_itself_is_left(change: Any) -> None:
    """Somebody's own statement is deleted, or a policy is put that locks everybody out."""
    with pytest.raises(Conflict) as stuck:
        back(changed(CUT, change))
    assert stuck.value.id == "drill_policy_stuck"


def test_lone_statement_becomes_a_list() -> None:
    """A policy of one statement, which may stand without a list, cannot be rehearsed."""
    lone = changed(FORMER, lambda body: body.update(Statement=body["Statement"][0]))
    cut = json.loads(key_policy.with_statement(lone, STATEMENT))
    assert [each["Sid"] for each in cut["Statement"]] == ["AllowAdministration", SID]


def test_room_and_form_are_checked_before_the_cut() -> None:
    """AWS refuses the cut half-way, or a policy that is not understood is rewritten."""
    room = key_policy.LARGEST - len(CUT.encode())

    def padded(size: int) -> str:
        return changed(FORMER, lambda body: body.update(Id="x" * size))

    overhead = len(key_policy.with_statement(padded(1), STATEMENT).encode()) - len(CUT.encode()) - 1
    assert key_policy.with_statement(padded(room - overhead), STATEMENT)
    for text, name in ((padded(room - overhead + 1), "too_large"), ("{", "unreadable")):
        with pytest.raises(BadInput) as refused:
            key_policy.with_statement(text, STATEMENT)
        assert refused.value.id == f"drill_policy_{name}"
    with pytest.raises(Conflict) as standing:
        key_policy.with_statement(CUT, STATEMENT)
    assert standing.value.id == "drill_statement_standing"
