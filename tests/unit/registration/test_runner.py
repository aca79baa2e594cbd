"""The claim is kept alive through every wait, and given back in any case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.errors import AwsRefused
from openai_ekm.registration.protocol import Say, Step, TryClaim
from openai_ekm.registration.record import LEASE, RENEW_AFTER
from openai_ekm.registration.runner import Heartbeat, Runner

if TYPE_CHECKING:
    from collections.abc import Generator


class Store:
    """A record store that only remembers what was asked of its claim."""

    place = "memory:x"

    def __init__(self) -> None:
        self.renewed = 0
        self.released = 0
        self.failure: Exception | None = None

    def try_claim(self) -> int:
        """Claim."""
        return 1

    def renew(self) -> None:
        """Renew."""
        self.renewed += 1

    def release(self) -> None:
        """Give back, or fail."""
        self.released += 1
        if self.failure:
            raise self.failure


class Time:
    """Seconds that only a sleep moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Read it."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


def runner(store: Any, lines: list[str]) -> Runner:
    """A runner that never calls OpenAI."""
    api: Any = None
    return Runner(api, store, progress=lines.append)


def protocol(failure: BaseException | None = None) -> Generator[Step, Any, str]:
    """Claims, then ends well or not."""
    yield TryClaim()
    if failure:
        raise failure
    yield Say("done")
    return "result"


def test_long_wait_renews_the_claim() -> None:
    """A run that waits for IAM for minutes is given up for dead by others."""
    store, time = Store(), Time()
    kept: Any = store
    heartbeat = Heartbeat(kept, clock=time, sleep=time.sleep)
    heartbeat.sleep(100.0)
    assert store.renewed == 0
    heartbeat.start()
    heartbeat.sleep(100.0)
    assert time.now == 200.0
    assert store.renewed == 5
    assert RENEW_AFTER * 2 < LEASE


@pytest.mark.parametrize("failure", [None, ValueError("x"), KeyboardInterrupt()])
def test_claim_is_given_back_however_the_run_ends(failure: BaseException | None) -> None:
    """A failed or interrupted run blocks the record until its claim lapses."""
    store = Store()
    if failure is None:
        assert runner(store, []).run(protocol()) == "result"
    else:
        with pytest.raises(type(failure)):
            runner(store, []).run(protocol(failure))
    assert store.released == 1


def test_claim_that_cannot_be_given_back_does_not_hide_the_result() -> None:
    """A registration that was made is reported as failed."""
    store, lines = Store(), list[str]()
    store.failure = AwsRefused("aws_refused", "no")
    assert runner(store, lines).run(protocol()) == "result"
    assert "will lapse" in lines[-1]
