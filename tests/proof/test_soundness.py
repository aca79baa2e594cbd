"""The proof against brute force: it says "holds" exactly when no request breaks the claim.

For (d) and (e), which say that something is possible: exactly when brute force finds the way.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proof.brute_force import disagreements
from tests.proof.universe import neighbour

# `make fuzz` asks for more, at random.
EXAMPLES = int(os.environ.get("EKM_FUZZ_EXAMPLES", "0"))


@settings(
    max_examples=EXAMPLES or 12,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32))
def test_a_claim_holds_exactly_when_no_request_breaks_it(seed: int) -> None:
    """A document lets somebody in and the proof does not see it, or it sees ghosts."""
    assert disagreements(neighbour(Random(seed))) == {}


# Where the two once disagreed: a session whose role may lie under any path, and an open condition
# of a statement that only delegates.
@pytest.mark.parametrize("seed", [14, 47, 54, 1032])
def test_no_disagreement_comes_back(seed: int) -> None:
    """A session escapes guardrails by a path it need not have, or delegation alone lets in."""
    assert disagreements(neighbour(Random(seed))) == {}
