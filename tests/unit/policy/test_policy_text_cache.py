"""What is kept between decisions: bounded in number and in size."""

from __future__ import annotations

from typing import Any

from openai_ekm.evaluation import Policies, Request, decide
from openai_ekm.evaluation.context import REQUESTS
from openai_ekm.evaluation.request import parse_caller
from openai_ekm.policy.arn import parse_arn
from openai_ekm.policy.conditions import CONDITIONS, _lookup
from openai_ekm.policy.elements import ACTIONS, PRINCIPALS, RESOURCES
from openai_ekm.policy.pattern import compile_pattern
from openai_ekm.policy.statement import arn_pattern
from openai_ekm.policy.text_cache import LONGEST_CACHED, CachedByTexts, cached_by_text

USER = "arn:aws:iam::111122223333:user/a"
ARN = "arn:aws:kms:eu-west-1:111122223333:key/"


def test_short_texts_are_kept_and_long_ones_are_not() -> None:
    """A stream of long texts fills the memory, or a short text is read again each time."""
    made: list[str] = []

    @cached_by_text(maxsize=2)
    def length(text: str) -> int:
        made.append(text)
        return len(text)

    long = "x" * (LONGEST_CACHED + 1)
    assert [length("a"), length("a"), length(long), length(long)] == [1, 1, len(long), len(long)]
    assert made == ["a", long, long]


def test_lists_of_texts_are_kept_up_to_a_number_and_a_length() -> None:
    """A stream of ever new lists, or of long ones, fills the memory."""
    kept = CachedByTexts(len, most=2)
    long = ("x" * LONGEST_CACHED, "y")
    for texts in (("a",), long, ("b", "c")):
        assert kept.get(texts) is None
        assert kept.made(texts) == len(texts)
    assert [kept.get(("a",)), kept.get(long), kept.get(("b", "c"))] == [1, None, 2]
    kept.made(("d",))
    assert len(kept) == 1


def _decide(text: str) -> None:
    """Decide two requests with a key policy made of a text."""
    statement = {
        "Sid": text,
        "Effect": "Allow",
        "Principal": {"Service": f"{text}.amazonaws.com"},
        "Action": [f"kms:{text}*", "kms:*"],
        "Resource": [f"{ARN}{text}*", "*"],
        "Condition": {
            "StringLike": {"aws:x": f"{text}*"},
            "ArnLike": {"aws:y": f"{ARN}{text}*"},
            "StringNotEquals": {f"aws:{text}": "y"},
        },
    }
    key = {"Version": "2012-10-17", "Statement": statement}
    context = {"aws:x": f"{text}y", "aws:y": f"{ARN}{text}y"}
    for principal, resource in ((f"{text}.amazonaws.com", f"{ARN}{text}"), (USER, f"{ARN}1")):
        request = Request(principal, "kms:Encrypt", resource, None, context)
        assert decide(request, Policies(resource=key)).outcome != "error"


BY_TEXT: tuple[Any, ...] = (compile_pattern, arn_pattern, parse_arn, parse_caller, _lookup)
CACHES: list[Any] = [each.kept for each in BY_TEXT]
BY_TEXTS: tuple[Any, ...] = (ACTIONS, RESOURCES[True], PRINCIPALS["Service"])
BY_TEXTS += (CONDITIONS[True], REQUESTS)


def _kept() -> list[int]:
    """How many results each cache holds."""
    return [each.cache_info().currsize for each in CACHES] + [len(each) for each in BY_TEXTS]


def test_a_case_of_long_texts_leaves_nothing_behind() -> None:
    """Some cache keeps the long texts of a document or a request."""
    for cache in CACHES:  # one that other tests filled grows no more
        cache.cache_clear()
    _decide("short")
    before = _kept()
    _decide("other")
    assert all(now > then for now, then in zip(_kept(), before, strict=True))
    before = _kept()
    _decide("x" * (LONGEST_CACHED + 1))
    assert _kept() == before


def test_a_principal_of_endless_length_is_not_judged() -> None:
    """A request's texts may be of any length, and each is kept."""
    long = "x" * (LONGEST_CACHED + 1)
    for request in (
        Request(f"arn:aws:iam::111122223333:user/{long}", "kms:Encrypt", f"{ARN}1"),
        Request(USER, f"kms:{long}", f"{ARN}1"),
        Request(USER, "kms:Encrypt", f"{ARN}{long}"),
    ):
        decision = decide(request, Policies())
        assert not decision.allowed
        assert decision.message
