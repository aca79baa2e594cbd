"""The ways of the picture, and how the proof sees each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from openai_ekm.evidence.page.access import Kind, State, Way, ways
from openai_ekm.proof import prove
from openai_ekm.snapshot import Snapshot
from tests.support.evidence_page_packs import bad_day, empty, good_day
from tests.support.healthy import ACCOUNT, KEY, OPENAI, TRUST, healthy, put

STRANGER = f"arn:aws:iam::{ACCOUNT}:role/stranger"


def of(body: dict[str, Any]) -> tuple[Way, ...]:
    """The ways of a snapshot, with its own proof."""
    snapshot = Snapshot.from_json({"schema": "ekm-snapshot/1", **body})
    return ways(replace(good_day(), snapshot=snapshot.as_json(), proof=prove(snapshot).as_json()))


def states(found: tuple[Way, ...], kind: Kind) -> list[State]:
    """The states of one kind's ways."""
    return [each.state for each in found if each.kind is kind]


def with_statement(**members: Any) -> dict[str, Any]:
    """The module's snapshot with one more statement in the key policy."""
    body = healthy()
    body["keys"][0]["policy"]["Statement"].append({"Effect": "Allow", "Resource": "*", **members})
    return body


def test_a_good_day_has_three_ways_and_the_account() -> None:
    """Guards against: a picture that leaves out OpenAI, the role, or who may change them."""
    found = ways(good_day())
    assert [each.kind for each in found] == [
        Kind.OPENAI,
        Kind.ROLE,
        Kind.ADMINISTRATOR,
        Kind.IAM,
    ]
    assert [each.number for each in found] == [1, 2, 3, 4]
    assert [each.state for each in found] == [*[State.PROVEN] * 3, State.NOT_SEEN]
    assert {each.document for each in found[1].by} == {
        "permission_policies[0]",
        "keys[0].policy",
    }
    assert found[2].does == "changes the policy, deletes and disables"


def test_a_stranger_who_breaks_a_claim_is_drawn_as_one() -> None:
    """Guards against: a breach that looks like any other line."""
    found = of(with_statement(Principal={"AWS": STRANGER}, Action="kms:Decrypt"))
    (way,) = [each for each in found if each.kind is Kind.STRANGER]
    assert (way.who, way.state, way.claims, way.target) == (STRANGER, State.BREAKS, ("c",), "key")


def test_a_stranger_whom_something_denies_breaks_nothing() -> None:
    """Guards against: a red line where AWS says no."""
    body = with_statement(Principal={"AWS": STRANGER}, Action="kms:Decrypt")
    body["keys"][0]["policy"]["Statement"].append(
        {"Effect": "Deny", "Principal": {"AWS": STRANGER}, "Action": "kms:*", "Resource": "*"}
    )
    assert states(of(body), Kind.STRANGER) == [State.DENIED]


def test_a_grant_of_everything_is_a_stranger_and_an_administrator() -> None:
    """Guards against: `kms:*` drawn as administration alone."""
    found = of(with_statement(Principal={"AWS": STRANGER}, Action="kms:*"))
    kinds = [each.kind for each in found if each.who == STRANGER]
    assert kinds == [Kind.ADMINISTRATOR, Kind.STRANGER]


def test_somebody_else_in_the_trust_policy_reaches_the_role() -> None:
    """Guards against: a second principal of the trust policy that nobody sees."""
    principals = [OPENAI, STRANGER]
    found = of(put(healthy(), f"{TRUST}/Principal/AWS", principals))
    (way,) = [each for each in found if each.kind is Kind.STRANGER]
    assert (way.target, way.state, way.claims) == ("role", State.BREAKS, ("a",))


def test_a_way_that_is_denied_is_not_drawn_as_open() -> None:
    """Guards against: a green line to a key that OpenAI cannot use."""
    body = with_statement(Sid="x", Principal={"AWS": STRANGER}, Action="kms:DescribeKey")
    body["keys"][0]["policy"]["Statement"][-1].update(
        Effect="Deny", Principal="*", Action="kms:Decrypt"
    )
    assert states(of(body), Kind.ROLE) == [State.DENIED]


def test_a_policy_that_was_not_seen_leaves_its_way_undecided() -> None:
    """Guards against: `nothing allows it`, where nobody looked."""
    found = ways(empty())
    assert [each.state for each in found] == [State.UNDECIDED, State.UNDECIDED, State.NOT_SEEN]


def test_a_statement_that_is_missing_is_missing() -> None:
    """Guards against: a broken set-up drawn as undecided."""
    body = put(healthy(), "role/trust_policy/Statement/0/Principal/AWS", STRANGER)
    assert states(of(body), Kind.OPENAI) == [State.MISSING]


def test_a_breach_without_a_statement_of_its_own_is_drawn() -> None:
    """Guards against: a counterexample of (c) that no line stands for."""
    pack = bad_day()
    claims = [
        {**each, "counterexample": {
            "request": {"principal": STRANGER, "action": "kms:Decrypt", "resource": KEY},
            "statements": [{"document": "grants[9]", "statement": 0, "sid": None}],
        }} if each["id"] == "c" else each
        for each in pack.proof["claims"]
    ]  # fmt: skip

    found = ways(replace(pack, proof={**pack.proof, "claims": claims}))
    assert (STRANGER, State.BREAKS) in [(each.who, each.state) for each in found]
