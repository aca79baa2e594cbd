"""Every weakening of the module's documents breaks a claim, or is shown to change nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.proof.administrators import administrators, is_administrator
from openai_ekm.proof.claims_forbidden import every_request_class
from openai_ekm.proof.difference import gained
from openai_ekm.proof.documents import Documents, read_documents
from openai_ekm.proof.universe import joint_universes
from openai_ekm.snapshot import Snapshot
from tests.proof.weakenings import MODES, modes, weakenings
from tests.support.proof_sample import NOW, OPENAI, ROLE, failing, snapshot

if TYPE_CHECKING:
    from openai_ekm.proof.witnesses import Witness

# `make fuzz` weakens every mode; `make test` the default one.
EVERY_MODE = int(os.environ.get("EKM_FUZZ_EXAMPLES", "0")) > 0


def _difference(old: Documents, new: Documents) -> list[Witness]:
    """A request for each class in which the new documents allow what the old ones do not."""
    first, second = joint_universes(old, new, NOW.isoformat())
    return gained(first, second, every_request_class(first), every_request_class(second))


def _explained(before: Any, after: Any) -> str | None:
    """Why a change that breaks no claim is harmless; None when nothing says so."""
    old, new = read_documents(Snapshot.from_json(before)), read_documents(Snapshot.from_json(after))
    found = _difference(old, new)
    if not found:
        return "equivalent"
    named = administrators(old)
    key = old.key.arn if old.key is not None else ""
    inside = all(
        each.request.resource == key and is_administrator(each.request_class.principal, named, old)
        for each in found
    )
    # Administrators change the key policy by right, so they gain nothing that they lacked.
    if inside:
        return "within the administrators"
    # Without its expiry the trust policy lets OpenAI in for longer; (a) holds, and forbids no time.
    own = all(
        each.request_class.principal.role_arn == OPENAI and each.request.action == "sts:AssumeRole"
        for each in found
    )
    return "OpenAI's own calls" if own else None


@pytest.mark.parametrize("mode", MODES if EVERY_MODE else ["default"])
def test_every_weakening_breaks_a_claim_or_is_explained(mode: str) -> None:
    """A weakened policy passes for the module's own."""
    before = modes()[mode]
    broken_before = failing(before)
    unexplained: list[str] = []
    harmless: dict[str, list[str]] = {}
    for name, after in weakenings(before):
        if failing(after) - broken_before:
            continue
        reason = _explained(before, after)
        if reason is None:
            unexplained.append(name)
        else:
            harmless.setdefault(reason, []).append(name)
    assert unexplained == []
    assert all(each.startswith("keys[0].policy") for each in harmless["within the administrators"])
    assert all("DateLessThan" in each for each in harmless.get("OpenAI's own calls", ()))
    if mode == "default":
        assert harmless["equivalent"] == EQUIVALENT
        assert len(harmless["within the administrators"]) == WITHIN_ADMINISTRATORS


def test_the_claims_of_every_mode_are_what_its_description_says() -> None:
    """A mode is weakened that was broken before, and every weakening of it passes."""
    broken = {mode: failing(before) for mode, before in modes().items()}
    assert broken == {mode: {"c"} if "delegation" in mode else set() for mode in MODES}


def test_a_dropped_deny_gains_what_it_denied_and_nothing_else() -> None:
    """The difference of two snapshots misses what a change lets through, or invents more."""
    before, after = snapshot(), snapshot()
    after["keys"][0]["policy"]["Statement"].pop()
    old, new = read_documents(Snapshot.from_json(before)), read_documents(Snapshot.from_json(after))
    found = _difference(old, new)
    assert {each.request.action for each in found} == {"kms:ScheduleKeyDeletion"}
    assert _difference(new, old) == []


# Each administration action followed by a star, and the guard against deletion dropped, narrowed to
# the role, or put under a condition.
WITHIN_ADMINISTRATORS = 25
# No request tells these from the documents they were made from: the other policy of the two that
# must allow still names two actions and one role.
_DENY_BUT_THE_ROLE = {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}
EQUIVALENT = [
    "trust_policy statement 0: StringEquals sts:ExternalId made StringLike",
    "permission_policies[0] statement 0: action kms:Decrypt* added",
    "permission_policies[0] statement 0: action kms:Encrypt* added",
    "keys[0].policy statement 0: principal {'AWS': 'arn:aws:iam::111122223333:root'}",
    "keys[0].policy statement 1: action * added",
    "keys[0].policy statement 1: action kms:* added",
    "keys[0].policy statement 1: action kms:Decrypt* added",
    "keys[0].policy statement 1: action kms:Encrypt* added",
    "keys[0].policy statement 1: principal *",
    "keys[0].policy statement 1: ArnEquals aws:PrincipalArn made ArnLike",
    "keys[0].policy statement 1: ArnEquals aws:PrincipalArn made ArnEqualsIfExists",
    "keys[0].policy statement 1: ArnEquals aws:PrincipalArn made ForAllValues:ArnEquals",
    "keys[0].policy statement 2: principal {'AWS': 'arn:aws:iam::111122223333:root'}",
    f"keys[0].policy statement 2: condition {_DENY_BUT_THE_ROLE} added",
]
