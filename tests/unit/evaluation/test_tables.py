"""The decision tables: every row decided, its deciding statements and what was missing."""

from __future__ import annotations

import pytest

from openai_ekm.evaluation import decide
from openai_ekm.evaluation.case import case_of
from tests.unit.evaluation.decision_tables import Row, rows

ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_decides(row: Row) -> None:
    """A rule of AWS's evaluation no longer holds, or another statement is named for it."""
    case = case_of(row.case)
    answer = decide(case.request, case.policies).as_json()
    assert row.decision == answer["decision"], answer
    named = [f"{each['document']}#{each['statement']}" for each in answer["decided_by"]]  # type: ignore[attr-defined]
    assert sorted(row.decided_by) == sorted(named), answer
    for text in row.missing:
        assert any(text in sentence for sentence in answer["missing"]), answer  # type: ignore[attr-defined]
    if row.message is None:
        assert "message" not in answer, answer
    else:
        assert row.message in str(answer.get("message")), answer
    if row.decision == "ImplicitlyDenied":
        assert answer["missing"], "an implicit denial says what was missing"


def test_there_are_enough_cases_of_each_decision() -> None:
    """A table was lost, or a kind of decision is no longer covered."""
    assert len(ROWS) > 150
    for decision in ("Allowed", "ExplicitlyDenied", "ImplicitlyDenied", "error"):
        assert sum(row.decision == decision for row in ROWS) >= 15, decision
