"""Accepting undecided findings by name."""

from __future__ import annotations

import pytest

from openai_ekm.reports import State, accept, exit_code
from tests.unit.reports.samples import finding, report


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ((State.HOLDS, State.ACCEPTED, State.WARNS), 0),
        ((State.HOLDS, State.UNDECIDED), 8),
        ((State.UNDECIDED, State.FAILS), 1),
        ((), 0),
    ],
)
def test_a_failure_wins_over_what_is_undecided(states: tuple[State, ...], code: int) -> None:
    """Guards against: a pipeline that takes a violation for something nobody saw."""
    assert exit_code([report(finding(state)) for state in states]) == code


def test_an_undecided_finding_is_accepted_with_its_reason() -> None:
    """Guards against: a pull request that passes by silence."""
    (got,) = accept([report(finding(State.UNDECIDED))], {"c": "the owner proves it"})
    assert got.findings[0].state is State.ACCEPTED
    assert got.findings[0].reason == "the owner proves it"
    assert got.notes == ()
    assert exit_code([got]) == 0


def test_another_undecided_finding_is_not_accepted() -> None:
    """Guards against: one named claim that opens the gate for every claim."""
    given = report(finding(State.UNDECIDED, "c"), finding(State.UNDECIDED, "d"))
    (got,) = accept([given], {"c": "reason"})
    assert [each.state for each in got.findings] == [State.ACCEPTED, State.UNDECIDED]
    assert exit_code([got]) == 8


def test_a_failure_is_never_accepted() -> None:
    """Guards against: a violation that passes because somebody accepted its claim once."""
    (got,) = accept([report(finding(State.FAILS))], {"c": "reason"})
    assert got.findings[0].state is State.FAILS
    assert exit_code([got]) == 1
    assert got.notes == (
        "(c) fails. --accept-undecided c accepts no claim that fails: remove the option.",
    )


def test_an_acceptance_that_nothing_needs_is_told() -> None:
    """Guards against: an acceptance that stays for years and hides what opens later."""
    (got,) = accept([report(finding(State.HOLDS))], {"c": "reason"})
    assert got.notes == ("(c) is decided. --accept-undecided c is not needed: remove the option.",)
    (one, other) = accept(
        [report(finding(State.HOLDS)), report(finding(State.UNDECIDED))], {"c": "reason"}
    )
    assert one.notes == other.notes == ()
