"""A decision as a value: what it lacked is worded on demand, and nothing else shows that."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from openai_ekm.evaluation import Decision, Outcome, Policies, Request, StatementRef, decide

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
USER = "arn:aws:iam::111122223333:user/u"
DENIED = Outcome.IMPLICITLY_DENIED


class Counted:
    """Says the same two sentences, and counts how often."""

    asked = 0

    def sentences(self) -> Iterable[str]:
        """Say them."""
        self.asked += 1
        return ["a", "b"]


def test_words_are_found_when_asked_and_once() -> None:
    """Every decision pays for sentences that nobody reads, or pays twice, or says one twice."""
    lack = Counted()
    decision = Decision(DENIED, missing=("b", lack, "c"))
    assert not decision.allowed
    assert lack.asked == 0
    assert decision.missing == decision.missing == ("b", "a", "c")
    assert lack.asked == 1


def test_equal_by_what_it_says() -> None:
    """Two answers that say the same differ, or two that differ are equal."""
    ref = StatementRef("resource", 0, None, "Allow")
    lazy = Decision(DENIED, missing=(Counted(),))
    assert lazy == Decision(DENIED, missing=("a", "b"))
    assert hash(lazy) == hash(Decision(DENIED, missing=("a", "b")))
    for other in (
        Decision(DENIED, missing=("a",)),
        Decision(DENIED, missing=("a", "b"), message="m"),
        Decision(DENIED, (ref,), ("a", "b")),
        Decision(Outcome.ALLOWED, missing=("a", "b")),
        "ImplicitlyDenied",
    ):
        assert lazy != other


def test_is_not_changed_and_can_be_copied() -> None:
    """An answer can be turned into an allowance, or gets lost on its way to another process."""
    decision = Decision(DENIED, missing=(Counted(),), message="m")
    for name in ("outcome", "decided_by", "missing", "message", "allowed"):
        with pytest.raises(AttributeError):
            setattr(decision, name, Outcome.ALLOWED)
    assert pickle.loads(pickle.dumps(decision)) == copy.copy(decision) == decision
    assert repr(decision).endswith("('a', 'b'), 'm')")


def test_what_was_missing_does_not_follow_a_later_change_of_the_context() -> None:
    """The sentences describe another request than the one that was decided."""
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": USER},
            "Action": "kms:Encrypt",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:x": "wanted"}},
        },
    }
    context = {"aws:x": "found"}
    decision = decide(Request(USER, "kms:Encrypt", KEY, None, context), Policies(resource=policy))
    context["aws:x"] = "changed"
    assert "found 'found', wanted 'wanted'" in decision.missing[-1]


def test_a_statement_has_the_same_name_in_another_document() -> None:
    """Guards against: a statement that is lost, or changed, where its document is renamed."""
    ref = StatementRef("identity[0]", 2, "Sid", "Allow")
    assert ref.at("policy.json") == StatementRef("policy.json", 2, "Sid", "Allow")
