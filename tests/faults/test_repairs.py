"""Several faults at once: every one is told, the fixes cure them, and leave no door open."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from openai_ekm.diagnosis import diagnose, judge, patch
from openai_ekm.diagnosis.diagnose import find_faults
from openai_ekm.proof import prove
from openai_ekm.snapshot import Snapshot
from tests.support.faulty import FAULTS, INCURABLE
from tests.support.healthy import healthy, put

# A key policy that names the role itself needs no identity policy: what is wrong with that one is
# no fault beside it.
CURABLE = sorted(FAULTS.keys() - INCURABLE - {"recreated role"})
ORDER = (
    "assume_role_denied", "invalid_arn", "key_not_found", "wrong_region", "encrypt_denied",
    "decrypt_denied", "key_pending_import", "key_pending_deletion", "key_disabled",
    "key_unavailable", "not_symmetric",
)  # fmt: skip
# With its right ARN the role is the one that the key policy names.
ONE_CAUSE = ("role path left out", "key policy leaves a path out")
# (d) and (e) are about what the organization lets through, which a fault of its own may narrow.
CLOSED = ("a", "b", "c", "f")


def broken(names: list[str]) -> dict[str, Any] | None:
    """Healthy after several faults; None when one takes another's place away."""
    body = healthy()
    for name in names:
        path, value, *_ = FAULTS[name]
        try:
            body = put(body, path, value)
        except (KeyError, IndexError, TypeError):
            return None
    return body


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(CURABLE), min_size=1, max_size=3, unique=True))
# Two in one statement, of which one shows in a call of a later time alone.
@example(["date to come", "another session"])
# Without the condition on the external id the statement is somebody else's.
@example(["another condition instead", "own account root"])
@example(["another condition instead", "a deleted role", "key of another Region"])
@example(["another condition instead", "principal of another account", "no AssumeRole"])
def test_all_fixes_together_cure_and_open_nothing(names: list[str]) -> None:
    """Guards against: printed fixes after which OpenAI is refused, or somebody else is let in."""
    body = broken(names)
    if body is None:
        return
    snapshot = Snapshot.from_json(body)
    found = diagnose(snapshot)
    assert found.outcome == judge(snapshot).outcome
    mended = patch.apply(snapshot, [change for each in found.faults for change in each.fix])
    assert judge(mended).outcome == "ok", names
    open_still = doors(mended)
    if open_still:
        # A statement that is somebody else's: no fix takes it away, and a warning names it beside
        # the faults, with the change that does.
        assert {claim for claim, _ in open_still} <= {claim for claim, _ in doors(snapshot)}, names
        assert found.warnings, names
        closed = mended
        while offer := next((each for each in diagnose(closed).warnings if each.fix), None):
            closed = patch.apply(closed, offer.fix)
        assert judge(closed).outcome == "ok", names
        assert doors(closed) == set(), names
        mended = closed
    # A claim that held stays so: no fix leaves it open to what nobody saw.
    assert left_open(mended) <= left_open(snapshot) | {claim for claim, _ in doors(snapshot)}, names


def doors(snapshot: Snapshot) -> set[tuple[str, str]]:
    """The claims of closedness that fail, each with its counterexample in words."""
    claims = prove(snapshot).claims
    return {(c.id, c.message or "") for c in claims if c.id in CLOSED and c.holds is False}


def left_open(snapshot: Snapshot) -> set[str]:
    """The claims of closedness that something unseen leaves undecided."""
    return {c.id for c in prove(snapshot).claims if c.id in CLOSED and c.holds is None}


def test_two_faults_in_different_documents_are_both_told_in_order() -> None:
    """Guards against: the second fault would only show when the first is repaired.

    `make faults` tries every pair, otherwise it is each third.
    """
    every = 1 if os.environ.get("EKM_FAULTS") == "all" else 3
    for number, first in enumerate(CURABLE):
        path, _, outcome, *told = FAULTS[first]
        for second in CURABLE[number % every :: every]:
            other_path, _, other_outcome, *other_told = FAULTS[second]
            roots = path.split("/")[:2] != other_path.split("/")[:2]
            if not roots or "policy_malformed" in {outcome, other_outcome}:
                continue
            if told[1] == other_told[1] or ORDER.index(outcome) >= ORDER.index(other_outcome):
                continue
            if (first, second) == ONE_CAUSE:
                continue
            body = broken([first, second])
            assert body is not None
            found = find_faults(Snapshot.from_json(body)).faults
            places = [[each.id, each.document] for each in found]
            assert told in places, (first, second, places)
            assert other_told in places, (first, second, places)
            assert places.index(told) < places.index(other_told), (first, second)
