"""The diagnosis of a snapshot's JSON, and whether its fixes cure it one by one."""

from __future__ import annotations

import functools
from typing import Any

from openai_ekm.diagnosis import Diagnosis, diagnose, judge, patch
from openai_ekm.snapshot import Snapshot
from tests.support.faulty import FAULTS
from tests.support.healthy import healthy, put


def diagnosed(body: dict[str, Any]) -> Diagnosis:
    """The diagnosis of a snapshot's JSON."""
    return diagnose(Snapshot.from_json(body))


@functools.cache
def diagnosed_fault(name: str) -> tuple[Snapshot, Diagnosis]:
    """The snapshot with one fault of the table, and its diagnosis: made once, as many need it."""
    path, value, *_ = FAULTS[name]
    snapshot = Snapshot.from_json(put(healthy(), path, value))
    return snapshot, diagnose(snapshot)


def cured(snapshot: Snapshot, found: Diagnosis) -> None:
    """Apply first fixes until nothing is at fault, each time with one fault less."""
    while found.faults and found.faults[0].fix:
        rest = found.faults[1:]
        snapshot = patch.apply(snapshot, found.faults[0].fix)
        found = diagnose(snapshot)
        assert [each.id for each in found.faults] == [each.id for each in rest]
    assert judge(snapshot).outcome == found.outcome
    assert (found.outcome == "ok") is not bool(found.faults)
