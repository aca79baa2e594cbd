"""Every answer that a check can have, from facts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openai_ekm.doctor.checks import CHECKS, Family, Line, State, exit_code
from tests.unit.doctor.cases import CASES

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("id", "state", "made", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES]
)
def test_the_facts_make_this_answer(
    id: str, state: str, made: Callable[[], Line], words: tuple[str, ...]
) -> None:
    """Guards against: another answer than the facts give, or a line without its reason."""
    line = made()
    assert line.id == id
    assert line.state == state, line.found
    said = f"{line.found} {line.remedy}"
    for word in words:
        assert word in said, said
    assert line.found.endswith("."), line.found
    if line.state in (State.WARNING, State.FAILURE):
        assert line.remedy, line.found


def test_every_answer_of_every_check_has_a_case() -> None:
    """Guards against: an answer that no test sees, or one that the catalogue does not know."""
    tried = {(case[0], case[1]) for case in CASES}
    known = {(check.id, state.value) for check in CHECKS.values() for state in check.states}
    assert sorted(tried) == sorted(known)


def _failure(family: Family) -> Line:
    return Line("clock", State.FAILURE, "It fails.", "Do.", family)


@pytest.mark.parametrize(
    ("families", "code"),
    [
        ((), 0),
        ((Family.HERE,), 1),
        ((Family.AWS, Family.AWS), 3),
        ((Family.OPENAI,), 4),
        ((Family.NETWORK,), 5),
        ((Family.AWS, Family.OPENAI), 1),
        ((Family.NETWORK, Family.HERE), 1),
    ],
)
def test_the_exit_code_is_that_of_the_one_family(families: tuple[Family, ...], code: int) -> None:
    """Guards against: a code that names one party where two are at fault."""
    others = [Line("named", State.WARNING, "W.", "R."), Line("record", State.NOT_SEEN, "N.")]
    assert exit_code([*others, *map(_failure, families)]) == code
