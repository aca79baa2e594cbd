"""A protocol gets each answer once, errors where they belong, and its result comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.registration.protocol import ProtocolDriver

if TYPE_CHECKING:
    from collections.abc import Generator


def protocol(heard: list[Any]) -> Generator[str, Any, str]:
    """Three steps; what is answered is kept."""
    for step in ("first", "second", "third"):
        try:
            heard.append((yield step))
        except KeyError as failure:
            heard.append(failure)
    return "result"


def test_every_step_gets_its_own_answer() -> None:
    """An answer reaches the step after the one it was given for, or is given twice."""
    heard: list[Any] = []
    lost = KeyError("lost")
    walk = ProtocolDriver(protocol(heard))
    for step in walk:
        if step == "first":
            walk.outcome = 1
        if step == "second":
            walk.failure = lost
    assert heard == [1, lost, None]
    assert walk.result == "result"


def test_failure_that_the_protocol_lets_out_ends_the_loop() -> None:
    """A failure that a protocol does not know what to make of is lost."""
    walk = ProtocolDriver(protocol([]))
    assert next(walk) == "first"
    walk.failure = ValueError("unknown")
    with pytest.raises(ValueError, match="unknown"):
        next(walk)
    assert list(walk) == []


def test_closed_walk_lets_the_protocol_clean_up_and_asks_for_nothing_more() -> None:
    """A run that stops in the middle leaves its protocol hanging."""
    ended: list[str] = []

    def open_ended() -> Generator[str, Any, None]:
        try:
            yield "step"
        finally:
            ended.append("closed")

    walk = ProtocolDriver(open_ended())
    assert next(walk) == "step"
    walk.close()
    assert ended == ["closed"]
    assert list(walk) == []
