"""What is sent again, and after how long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from openai_ekm.openai_api.refusals import Kind, Refusal
from openai_ekm.openai_api.retry import ONCE, SAFE, delay, retry_after, should_retry

NOW = datetime(2026, 11, 24, 6, 0, 0, tzinfo=UTC)


def refusal(kind: Kind, **members: object) -> Refusal:
    """A refusal of a kind."""
    return Refusal(kind, 503, "x", **members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Tue, 24 Nov 2026 06:00:30 GMT"}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 05:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "60"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "60"}, 60.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    """A delay that OpenAI asks for is missed, or a senseless one obeyed."""
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("1", None)])
def test_should_retry_is_read(text: str, value: bool | None) -> None:
    """The server's own word on repeating is not heard."""
    assert should_retry({"x-should-retry": text}) is value


def test_safe_calls_back_off_from_half_a_second_and_stop_after_five() -> None:
    """A GET is hammered, or given up at the first hiccup, or repeated for ever."""
    delays = [delay(SAFE, refusal(Kind.AMBIGUOUS), attempt, 0.0) for attempt in range(1, 6)]
    assert delays == [0.5, 1.0, 2.0, 4.0, None]


def test_unclear_create_is_never_sent_again() -> None:
    """A create whose answer was lost is sent twice, and makes two registrations."""
    assert delay(ONCE, refusal(Kind.AMBIGUOUS), 1, 0.0) is None
    assert delay(ONCE, refusal(Kind.AMBIGUOUS, should_retry=True), 1, 0.0) is None
    assert delay(ONCE, refusal(Kind.AMBIGUOUS, retry_after=1.0), 1, 0.0) is None


@pytest.mark.parametrize("kind", [Kind.RATE_LIMITED, Kind.UNREACHABLE])
def test_create_that_the_server_never_began_is_sent_again(kind: Kind) -> None:
    """A create that was only rate-limited fails the whole apply."""
    assert delay(ONCE, refusal(kind), 1, 0.0) is not None


def test_limit_without_a_time_waits_longer() -> None:
    """A limit by the minute is asked again within a second."""
    assert delay(ONCE, refusal(Kind.RATE_LIMITED), 1, 0.0) == 5.0


def test_retry_after_is_obeyed_up_to_two_minutes() -> None:
    """A short delay is shortened further, or a very long one is sat out in silence."""
    assert delay(SAFE, refusal(Kind.RATE_LIMITED, retry_after=120.0), 1, 0.9) == 120.0
    assert delay(SAFE, refusal(Kind.RATE_LIMITED, retry_after=121.0), 1, 0.0) is None


def test_server_that_says_no_is_not_asked_again() -> None:
    """`x-should-retry: false` is ignored."""
    assert delay(SAFE, refusal(Kind.AMBIGUOUS, should_retry=False), 1, 0.0) is None


def test_jitter_lengthens_by_a_quarter_at_most() -> None:
    """Processes that met the same failure come back in step."""
    assert delay(SAFE, refusal(Kind.AMBIGUOUS), 1, 1.0) == 0.625


@pytest.mark.parametrize("kind", [Kind.REFUSED, Kind.AWS_DENIED, Kind.GONE, Kind.INVALID_KEY])
def test_definite_refusals_are_not_repeated(kind: Kind) -> None:
    """A refusal that cannot change is asked for five times."""
    assert delay(SAFE, refusal(kind), 1, 0.0) is None
