"""IAM that settles late: what OpenAI's calls see, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from openai_ekm.emulator.iam_propagation import IamPropagation
from openai_ekm.emulator.store import Store
from openai_ekm.snapshot import Snapshot
from tests.support.emulated import Clock

LIVE = Snapshot.from_json(
    {
        "registration": {
            "role_arn": "arn:aws:iam::111122223333:role/r",
            "kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/k",
            "external_id": "org-abc",
        },
        "role": {
            "arn": "arn:aws:iam::111122223333:role/r",
            "trust_policy": {"version": 1},
            "permission_policies": [{"name": "use", "document": {"a": 1}}],
            "permissions_boundary": None,
        },
        "keys": [
            {
                "arn": "arn:aws:kms:eu-west-1:111122223333:key/k",
                "state": "Enabled",
                "policy": '{"p": 1}',
            }
        ],
        "aliases": [],
        "grants": [],
    }
)


def with_trust(document: Any) -> Snapshot:
    """The snapshot with another trust policy."""
    assert LIVE.role
    return replace(LIVE, role=replace(LIVE.role, trust_policy=document))


def test_without_a_delay_everything_is_visible_at_once() -> None:
    """Every rehearsal would wait for nothing."""
    store = Store()
    assert IamPropagation(store, seconds=0, clock=Clock()).visible(LIVE) is LIVE
    store.close()


def test_a_new_role_is_not_there_until_it_has_settled() -> None:
    """A registrar that does not wait would not be found out."""
    store, clock = Store(), Clock()
    settling = IamPropagation(store, seconds=10, clock=clock)
    assert settling.visible(LIVE).role is None
    clock.now += 9.9
    assert settling.visible(LIVE).role is None
    clock.now += 0.1
    assert settling.visible(LIVE) == LIVE
    store.close()


def test_a_change_settles_late_too() -> None:
    """A revocation would be seen at once, as it never is."""
    store, clock = Store(), Clock()
    settling = IamPropagation(store, seconds=10, clock=clock)
    settling.visible(LIVE)
    clock.now += 20
    changed = with_trust({"version": 2})
    assert settling.visible(changed) == LIVE
    clock.now += 5
    assert settling.visible(changed) == LIVE
    clock.now += 5
    assert settling.visible(changed) == changed
    store.close()


def test_going_back_settles_late_too() -> None:
    """A document seen long ago would be visible at once when it comes back."""
    store, clock = Store(), Clock()
    settling = IamPropagation(store, seconds=10, clock=clock)
    changed = with_trust({"version": 2})
    for snapshot in (LIVE, changed):
        settling.visible(snapshot)
        clock.now += 10
    assert settling.visible(LIVE) == changed
    clock.now += 10
    assert settling.visible(LIVE) == LIVE
    store.close()


def test_a_key_state_is_visible_at_once() -> None:
    """A disabled key would go on working."""
    store, clock = Store(), Clock()
    settling = IamPropagation(store, seconds=10, clock=clock)
    settling.visible(LIVE)
    clock.now += 10
    assert LIVE.keys
    disabled = replace(LIVE, keys=(replace(LIVE.keys[0], state="Disabled"),))
    assert settling.visible(disabled) == disabled
    store.close()


def test_a_key_policy_settles_late_too() -> None:
    """A change of the key policy would be seen at once, as it never is."""
    store, clock = Store(), Clock()
    settling = IamPropagation(store, seconds=10, clock=clock)
    settling.visible(LIVE)
    clock.now += 10
    assert LIVE.keys
    changed = replace(LIVE, keys=(replace(LIVE.keys[0], policy='{"p": 2}'),))
    assert settling.visible(changed) == LIVE
    clock.now += 10
    assert settling.visible(changed) == changed
    store.close()


def test_what_settled_before_a_restart_has_settled() -> None:
    """A restarted emulator would refuse registrations that worked for long."""
    store, clock = Store(), Clock()
    IamPropagation(store, seconds=10, clock=clock).visible(LIVE)
    clock.now += 10
    assert IamPropagation(store, seconds=10, clock=clock).visible(LIVE) == LIVE
    store.close()
