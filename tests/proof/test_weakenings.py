"""Every weakening of the module's documents breaks a claim, or is shown to change nothing."""

from __future__ import annotations

import os
from typing import Any

from proof_sample import KEY, NOW, OPENAI, failing, snapshot
from weakenings import weakenings

from ekm.proof.administrators import administrators, is_administrator
from ekm.proof.difference import difference
from ekm.proof.materials import read
from ekm.snapshot import Snapshot

# `make fuzz` tries every action; `make test` every eleventh of the administrators'.
STEP = 1 if int(os.environ.get("EKM_FUZZ_EXAMPLES", "0")) else 11
OPENAI_ACCOUNT = "790389265272"


def _explained(before: Any, after: Any) -> str | None:
    """Why a change that breaks no claim is harmless; None when nothing says so."""
    old, new = read(Snapshot.from_json(before)), read(Snapshot.from_json(after))
    gained = difference(old, new, OPENAI, OPENAI_ACCOUNT, NOW.isoformat())
    if not gained:
        return "equivalent"
    named = administrators(old)
    inside = all(
        each.request.resource == KEY and is_administrator(each.scene.asker, named, old)
        for each in gained
    )
    # Administrators change the key policy by right, so they gain nothing that they lacked.
    return "within the administrators" if inside else None


def test_every_weakening_breaks_a_claim_or_is_explained() -> None:
    """A weakened policy passes for the module's own."""
    before = snapshot()
    tried = list(weakenings(before))
    many = [each for each in tried if each[0].startswith("keys[0].policy statement 0: action")]
    left_out = {name for index, (name, _) in enumerate(many) if index % STEP}
    unexplained: list[str] = []
    harmless: dict[str, list[str]] = {}
    for name, after in tried:
        if name in left_out or failing(after):
            continue
        reason = _explained(before, after)
        if reason is None:
            unexplained.append(name)
        else:
            harmless.setdefault(reason, []).append(name)
    assert unexplained == []
    assert harmless["equivalent"] == EQUIVALENT
    assert all(each.startswith("keys[0].policy") for each in harmless["within the administrators"])


def test_a_dropped_deny_gains_what_it_denied_and_nothing_else() -> None:
    """The difference of two snapshots misses what a change lets through, or invents more."""
    before, after = snapshot(), snapshot()
    after["keys"][0]["policy"]["Statement"].pop()
    old, new = read(Snapshot.from_json(before)), read(Snapshot.from_json(after))
    gained = difference(old, new, OPENAI, OPENAI_ACCOUNT, NOW.isoformat())
    assert {each.request.action for each in gained} == {"kms:ScheduleKeyDeletion"}
    assert difference(new, old, OPENAI, OPENAI_ACCOUNT, NOW.isoformat()) == []


# No request tells these from the documents they were made from: the other policy of the two that
# must allow still names two actions and one role.
EQUIVALENT = [
    "trust_policy statement 0: StringEquals sts:ExternalId made StringLike",
    "permission_policies[0] statement 0: action kms:Decrypt* added",
    "permission_policies[0] statement 0: action kms:Encrypt* added",
    "keys[0].policy statement 0: principal {'AWS': 'arn:aws:iam::111122223333:root'}",
    "keys[0].policy statement 1: action kms:* added",
    "keys[0].policy statement 1: action kms:Decrypt* added",
    "keys[0].policy statement 1: action kms:Encrypt* added",
    "keys[0].policy statement 1: principal {'AWS': 'arn:aws:iam::111122223333:root'}",
    "keys[0].policy statement 1: principal *",
    "keys[0].policy statement 1: ArnEquals aws:PrincipalArn made ArnLike",
    "keys[0].policy statement 1: ArnEquals aws:PrincipalArn made ArnEqualsIfExists",
    "keys[0].policy statement 1: ArnEquals aws:PrincipalArn made ForAllValues:ArnEquals",
]
