"""What is kept between decisions: bounded in number and in size."""

from __future__ import annotations

from ekm.evaluation import Policies, Request, decide
from ekm.policy.arn import parse_arn
from ekm.policy.kept import LONGEST_KEPT, kept_by_text
from ekm.policy.pattern import compile_pattern
from ekm.policy.principal import parse_principals
from ekm.policy.statement import parse_actions, parse_resources

ARN = "arn:aws:kms:eu-west-1:111122223333:key/"


def test_short_texts_are_kept_and_long_ones_are_not() -> None:
    """A stream of long texts fills the memory, or a short text is read again each time."""
    made: list[str] = []

    @kept_by_text(maxsize=2)
    def length(text: str) -> int:
        made.append(text)
        return len(text)

    long = "x" * (LONGEST_KEPT + 1)
    assert [length("a"), length("a"), length(long), length(long)] == [1, 1, len(long), len(long)]
    assert made == ["a", long, long]


def test_a_case_of_long_texts_leaves_nothing_behind() -> None:
    """Some cache keeps the long texts of a document or a request."""
    long = "x" * LONGEST_KEPT
    statement = {
        "Sid": long * 2,
        "Effect": "Allow",
        "Principal": {"Service": f"{long}.amazonaws.com"},
        "Action": [f"kms:{long}*", "kms:*"],
        "Resource": [f"{ARN}{long}*", "*"],
        "Condition": {"StringLike": {"aws:x": f"{long}*"}, "ArnLike": {"aws:y": f"{ARN}{long}*"}},
    }
    before = [each.cache_info().currsize for each in (parse_actions, parse_resources)]
    before.append(parse_principals.cache_info().currsize)
    patterns = compile_pattern.kept.cache_info().currsize  # type: ignore[attr-defined]
    arns = parse_arn.kept.cache_info().currsize  # type: ignore[attr-defined]
    context = {"aws:x": f"{long}y", "aws:y": f"{ARN}{long}y"}
    key = {"Version": "2012-10-17", "Statement": statement}
    request = Request(f"{long}.amazonaws.com", "kms:Encrypt", f"{ARN}{long}", None, context)
    assert not decide(request, Policies(resource=key)).allowed
    request = Request("ec2.amazonaws.com", "kms:Encrypt", f"{ARN}1", None, context)
    assert not decide(request, Policies(resource=key)).allowed
    after = [each.cache_info().currsize for each in (parse_actions, parse_resources)]
    after.append(parse_principals.cache_info().currsize)
    assert after == before
    # The segments of an ARN before its resource are short, and may be kept.
    assert compile_pattern.kept.cache_info().currsize <= patterns + 5  # type: ignore[attr-defined]
    assert parse_arn.kept.cache_info().currsize <= arns + 2  # type: ignore[attr-defined]


def test_a_principal_of_endless_length_is_not_judged() -> None:
    """A request's texts may be of any length, and each is kept."""
    long = "x" * (LONGEST_KEPT + 1)
    user = "arn:aws:iam::111122223333:user/a"
    for request in (
        Request(f"arn:aws:iam::111122223333:user/{long}", "kms:Encrypt", f"{ARN}1"),
        Request(user, f"kms:{long}", f"{ARN}1"),
        Request(user, "kms:Encrypt", f"{ARN}{long}"),
    ):
        decision = decide(request, Policies())
        assert not decision.allowed
        assert decision.message
