"""The moments at which a registration is tried again while IAM settles."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from openai_ekm.openai_api.rate_limit import SPAN
from openai_ekm.registration.iam_wait import FLOOR, TARGET, first_share, next_moment

LIMITS = [1, 2, 3, 5, 7, 10, 20, 36, 37, 60, 600]


def moments(limit: int, until: float = 400.0) -> list[float]:
    """The plan, from the first attempt on."""
    plan = [0.0]
    while plan[-1] < until:
        plan.append(next_moment(plan[-1], limit))
    return plan


def worst_share(plan: list[float], until: float = SPAN) -> float:
    """The most by which IAM that settles before a moment is seen too late."""
    return max(
        (later - earlier) / max(earlier, FLOOR)
        for earlier, later in pairwise(plan)
        if earlier < until - 1e-6
    )


@pytest.mark.parametrize("limit", LIMITS)
def test_the_plan_never_asks_for_more_than_the_pacing_lets_through(limit: int) -> None:
    """The pacing holds attempts up, and the moments that were chosen are not kept."""
    plan = moments(limit)
    spans = [later - earlier for earlier, later in zip(plan, plan[limit:], strict=False)]
    assert all(span >= SPAN - 1e-6 for span in spans)


@pytest.mark.parametrize("limit", [0, 37, 60, 600])
def test_where_calls_suffice_the_overshoot_is_a_tenth(limit: int) -> None:
    """IAM has settled, and the run sits idle for longer than was promised."""
    assert worst_share(moments(limit), until=400.0) <= TARGET + 1e-9


def test_at_the_default_pace_the_shares_are_those_that_are_documented() -> None:
    """The documents promise what the plan does not keep."""
    plan = moments(7)
    assert plan[7] == pytest.approx(SPAN)
    assert plan[14] == pytest.approx(2 * SPAN)
    assert worst_share(plan[:8]) == pytest.approx(0.597, abs=0.001)
    second = [later / earlier - 1 for earlier, later in pairwise(plan[7:15])]
    assert second == pytest.approx([2 ** (1 / 7) - 1] * 7)
    assert all(later / earlier - 1 <= TARGET + 1e-9 for earlier, later in pairwise(plan[14:]))


@pytest.mark.parametrize("limit", [2, 3, 5, 7, 10])
def test_no_other_plan_within_the_pacing_does_better_in_the_first_window(limit: int) -> None:
    """A better plan exists, and users wait for longer than they must."""
    chance = random.Random(limit)
    best = first_share(limit)
    for _ in range(3000):
        inner = sorted(chance.uniform(0, SPAN) for _ in range(limit - 1))
        # The pacing lets the attempt that follows through at SPAN at the earliest.
        assert worst_share([0.0, *inner, SPAN]) >= best - 1e-9
    nudged = moments(limit)[: limit + 1]
    for place in range(1, limit):
        for step in (-0.2, 0.2):
            other = [*nudged[:place], nudged[place] + step, *nudged[place + 1 :]]
            assert worst_share(sorted(other)) >= best - 1e-9
