"""Breakages by chance: the diagnosis leads back to a set-up that works, one fix after another."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from openai_ekm.diagnosis import diagnose, judge, patch
from openai_ekm.snapshot import Snapshot
from tests.support.healthy import ALIAS, KEY, OPENAI, ROLE, healthy, put


# A leaf or a member of any document, and what becomes of it.
def _places(value: Any, path: str = "") -> list[str]:
    found: list[str] = [path] if path else []
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in members:
        place = f"{path}/{name}" if path else str(name)
        found += _places(member, place) if isinstance(member, dict | list) else [place]
    return found


PLACES = [
    f"{root}/{place}"
    for root in ("role/trust_policy", "role/permission_policies/0/document", "keys/0/policy")
    for body in [healthy()]
    for place in _places(
        body["keys"][0]["policy"]
        if root.startswith("keys")
        else body["role"]["trust_policy"]
        if "trust" in root
        else body["role"]["permission_policies"][0]["document"]
    )
]
VALUES = [..., "*", "x", [], {}, "Deny", "kms:*", ROLE, KEY, OPENAI, ALIAS, None, 7, "org-ABC"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([("role/permission_policies/0/document/Statement/0/Resource", {})])
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(VALUES)), min_size=1, max_size=2)
)
def test_every_breakage_is_cured_step_by_step_or_said_to_be_incurable(
    breakages: list[tuple[str, Any]],
) -> None:
    """Guards against: a fix that does not work, or an `ok` of what AWS refuses."""
    body = healthy()
    for path, value in breakages:
        try:
            body = put(body, path, value)
        except (KeyError, IndexError, TypeError):
            continue  # the first breakage took the second one's place away
    snapshot = Snapshot.from_json(body)
    found = diagnose(snapshot)
    assert found.outcome == judge(snapshot).outcome
    assert bool(found.faults) is (found.outcome != "ok")
    for _ in range(12):
        if not found.faults or not found.faults[0].fix:
            break
        before = [each.as_json() for each in found.faults]
        snapshot = patch.apply(snapshot, found.faults[0].fix)
        found = diagnose(snapshot)
        assert [each.as_json() for each in found.faults][:1] != before[:1]
    assert found.outcome == "ok" or not found.faults[0].fix
