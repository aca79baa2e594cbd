"""IAM that settles late: seen as soon as the pacing allows, and told about meanwhile."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from openai_ekm.errors import NotReachable
from openai_ekm.openai_api.rate_limit import SPAN
from openai_ekm.registration.iam_wait import FLOOR, first_share
from tests.faults.settling import settled


@pytest.mark.parametrize("seconds", [0, 1, 3.1, 15.3, 38.9, 61, 62.1, 100, 120])
def test_at_the_default_pace_it_is_seen_within_the_least_share(seconds: float) -> None:
    """Guards against: a run that waits on after IAM has settled, or pacing that delays it."""
    found = settled(seconds, 7)
    late = found.seen - seconds
    share = first_share(7) if seconds <= SPAN else 2 ** (1 / 7) - 1
    assert 0 <= late <= share * max(seconds, FLOOR) + 1e-6
    assert found.held == 0
    for earlier, later in zip(found.moments, found.moments[7:], strict=False):
        assert later - earlier >= SPAN - 1e-6


@pytest.mark.parametrize("pace", [40, 0])
@pytest.mark.parametrize("seconds", [5.1, 20, 60.5, 120])
def test_where_calls_suffice_it_is_seen_within_a_tenth(seconds: float, pace: int) -> None:
    """Guards against: a user who may call more often waits for as long as one who may not."""
    found = settled(seconds, pace)
    assert found.seen - seconds <= 0.1 * seconds + 1e-6
    assert found.held == 0


def test_the_lines_say_what_is_waited_for_and_for_how_long_yet() -> None:
    """Guards against: a person before a screen that stands still cannot tell a wait from a hang."""
    for pace in (7, 0):
        found = settled(30, pace)
        waits = [line for line in found.lines if "sts:AssumeRole" in line]
        lefts = [float(re.findall(r"for up to (\d+) s", line)[0]) for line in waits]
        assert lefts[0] == 180
        assert all(earlier > later for earlier, later in pairwise(lefts))
        again = re.compile(r"IAM may still be settling: trying again (?:in [1-9]\d* s|at once)")
        assert all(again.search(line) for line in waits)
        assert len(waits) >= 3


def test_the_deadline_is_kept_with_a_last_attempt_at_its_end() -> None:
    """Guards against: a wait that ends early, or misses IAM that settled at the end."""
    assert settled(99, 7, wait=100).seen == pytest.approx(100)
    with pytest.raises(NotReachable, match="within 100 s"):
        settled(101, 7, wait=100)
