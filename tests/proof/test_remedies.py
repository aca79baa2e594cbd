"""Every remedy is held to what a fix is held to: applied, judged, nobody locked out or let in."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

import pytest

from openai_ekm.diagnosis import diagnose, judge, patch
from openai_ekm.evaluation import Policies, Request, decide
from openai_ekm.proof import prove
from openai_ekm.snapshot import Snapshot
from tests.support.faulty import FAULTS, INCURABLE, WARNINGS
from tests.support.healthy import ACCOUNT, KEY, KEY_USE, ROLE, ROOT, healthy, put

# What no change of a statement mends.
NO_CHANGE = {"not_proven", "organization_unknown", "trust_policy_large", "key_policy_locked"}
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ADMINISTER = ["kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*",
              "kms:Revoke*", "kms:Disable*", "kms:Get*", "kms:Delete*", "kms:ScheduleKeyDeletion",
              "kms:CancelKeyDeletion"]  # fmt: skip
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
WHO = [ROOT, ADMIN, ALICE, [ADMIN, ALICE], [ROOT, ALICE], "*"]
WHAT: list[Any] = ["kms:*", "*", ADMINISTER, USE, ["kms:CreateGrant", "kms:ListGrants"],
                   "kms:Decrypt",
                   ["kms:PutKeyPolicy", "kms:Encrypt"], ["kms:Replicate*", "kms:Get*"]]  # fmt: skip
WHEN: list[Any] = [None, {"Bool": {"aws:SecureTransport": "true"}},
                   {"Bool": {"kms:GrantIsForAWSResource": "true"}}]  # fmt: skip
OTHERS = [ADMIN, ALICE, f"arn:aws:iam::{ACCOUNT}:role/somebody", ROOT,
          "arn:aws:iam::999988887777:role/stranger"]  # fmt: skip
ASKED = ["kms:Encrypt", "kms:Decrypt", "kms:CreateGrant", "kms:ReplicateKey", "kms:PutKeyPolicy",
         "kms:ScheduleKeyDeletion", "kms:DescribeKey", "kms:GenerateDataKey"]  # fmt: skip
MOST_ROUNDS = 12
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def console(who: Any, what: Any, when: Any) -> dict[str, Any]:
    """A statement as consoles and guides write them."""
    statement = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": who}, "Action": what,
                 "Resource": "*"}  # fmt: skip
    return {**statement, "Condition": when} if when else statement


def let_through(snapshot: Snapshot) -> set[tuple[str, str]]:
    """What others may do with the key, as far as its policy decides."""
    key = snapshot.registered_key
    if key is None or not isinstance(key.policy, dict):
        return set()
    policies = Policies(identity=(ALL,), resource=key.policy).prepare(ASKED[0])
    contexts = {"aws:SecureTransport": "true", "kms:GrantIsForAWSResource": "true"}
    return {
        (who, action)
        for who, action in itertools.product(OTHERS, ASKED)
        if decide(Request(who, action, key.arn, context=contexts), policies).allowed
    }


def broken(snapshot: Snapshot) -> set[str]:
    """The claims that do not hold."""
    return {claim.id for claim in prove(snapshot).claims if claim.holds is not True}


def hold(body: dict[str, Any]) -> Snapshot:
    """Apply remedies one after another until none is offered; return what is left."""
    current = Snapshot.from_json(body)
    found, claims, rounds = diagnose(current), broken(current), 0
    for warned in found.warnings:
        if not warned.fix and warned.id not in NO_CHANGE:
            assert "give the role" in warned.remedy or warned.statement is None, warned
    while (offer := next((each for each in found.warnings if each.fix), None)) is not None:
        after = patch.apply(current, offer.fix)
        again, left = diagnose(after), broken(after)
        # Nobody is let in, nobody locked out, OpenAI is where it was, and AWS saves it.
        assert again.outcome in {found.outcome, "ok"}, offer
        if offer.id != "key_policy_locked":
            assert let_through(after) <= let_through(current), offer
        assert left <= claims, (offer, left - claims)
        fixes = [change for each in found.faults for change in each.fix]
        if all(change.op != "remove" for change in fixes):
            both = patch.apply(patch.apply(current, fixes), offer.fix)
            assert judge(both).outcome in {judge(patch.apply(current, fixes)).outcome, "ok"}, offer
        assert not any("AWS does not save" in each.message for each in again.faults)
        current, found, claims, rounds = after, again, left, rounds + 1
        assert rounds < MOST_ROUNDS, offer
    return current


@pytest.mark.parametrize("name", [*WARNINGS])
def test_the_remedy_of_each_warning_can_be_followed(name: str) -> None:
    """A user would follow the words, and lock the key or let somebody in."""
    path, value, *_ = WARNINGS[name]
    hold(put(healthy(), path, value))


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - INCURABLE))
def test_the_remedies_beside_a_fault_can_be_followed(name: str) -> None:
    """A remedy would be tried on a set-up that works alone."""
    path, value, *_ = FAULTS[name]
    hold(put(healthy(), path, value))


@pytest.mark.parametrize(
    "name", ["resource of another Region", "Encrypt missing", "no identity policy", "wrong"]
)
def test_a_remedy_does_not_undo_the_fix_beside_it(name: str) -> None:
    """Fix and remedy would each be right alone, and shut OpenAI out together."""
    path, value, *_ = FAULTS[name]
    root, delegation, *_ = WARNINGS["root delegation"]
    hold(put(put(healthy(), path, value), root, delegation))


CONSOLE = list(itertools.product(range(len(WHO)), range(len(WHAT)), range(len(WHEN))))


@pytest.mark.parametrize("numbers", Random(9).sample(CONSOLE, 12), ids=str)
@pytest.mark.parametrize("instead", [True, False])
def test_the_remedy_of_a_key_policy_locks_nobody_out(
    numbers: tuple[int, int, int], instead: bool
) -> None:
    """`Narrow the statement to the role` would be said of the only administrator."""
    who, what, when = numbers
    statement = console(WHO[who], WHAT[what], WHEN[when])
    if instead:
        hold(put(healthy(), "keys/0/policy/Statement", [statement]))
    else:
        hold(put(healthy(), KEY_USE, statement))


PAIRS = list(itertools.combinations(sorted(WARNINGS), 2))


@pytest.mark.parametrize("pair", Random(4).sample(PAIRS, 8), ids=str)
def test_the_remedies_of_two_warnings_do_not_undo_each_other(pair: tuple[str, str]) -> None:
    """The second remedy would bring back what the first took away."""
    body = healthy()
    for name in pair:
        path, value, *_ = WARNINGS[name]
        try:
            body = put(body, path, value)
        except (KeyError, TypeError):
            return  # one takes the other's place away
    hold(body)


def test_the_default_policy_of_the_console_keeps_its_administrators() -> None:
    """The words led to a key that nobody could administer, and of which all was said to be well."""
    policy = [console(ROOT, "kms:*", None), console(ADMIN, ADMINISTER, None),
              console(ALICE, USE, None), console(ALICE, ["kms:CreateGrant"], WHEN[2])]  # fmt: skip
    body = put(healthy(), "keys/0/policy/Statement",
               [{**each, "Sid": f"S{n}"} for n, each in enumerate(policy)])  # fmt: skip
    found = diagnose(Snapshot.from_json(body))
    assert {each.statement for each in found.warnings} == {0, 1, 2, 3}
    first = next(each for each in found.warnings if each.statement == 0)
    assert "kms:CreateGrant and kms:ReplicateKey out of the statement" in first.remedy
    assert "AllowUseByRole" in first.remedy
    current = Snapshot.from_json(body)
    while (
        offer := next((each for each in diagnose(current).warnings if each.fix), None)
    ) is not None:
        current = patch.apply(current, offer.fix)
    assert diagnose(current).outcome == "ok"
    assert not broken(current) & {"b", "c", "d", "e"}
    assert (ADMIN, "kms:PutKeyPolicy") in let_through(current)
    assert (ROOT, "kms:PutKeyPolicy") in let_through(current)
    assert not {(who, "kms:Decrypt") for who in OTHERS} & let_through(current)


def test_a_key_that_nobody_can_administer_is_given_back_before_it_is_late() -> None:
    """A locked key would be warned of, and the way out not be shown."""
    locked = {**console(ROOT, "kms:*", {"ArnEquals": {"aws:PrincipalArn": ROLE}})}
    body = put(healthy(), "keys/0/policy/Statement", [locked])
    found = diagnose(Snapshot.from_json(body))
    (warned,) = [each for each in found.warnings if each.id == "key_policy_locked"]
    mended = patch.apply(Snapshot.from_json(body), warned.fix)
    assert "e" not in broken(mended)
    assert KEY in str(mended.as_json()["keys"])
