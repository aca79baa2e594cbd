"""A protocol walked step by step: the one place that knows how a generator of steps is answered.

Whoever walks it carries steps out (`runner`, the drill's runner), or stands between the protocol
and such a runner and asks, notes or refuses (`retire_plan`, `adoption.take_over`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Walk"]

S = TypeVar("S")
T = TypeVar("T")


class Walk(Generic[S, T]):
    """The steps of a protocol, for a `for` loop; each is answered before the next is asked for.

    An answer is `outcome` or `failure`, set in the loop's body; a step without one gets None.
    An error that the protocol lets out, or makes of a failure, leaves the loop.

    Args:
        protocol: One that has not begun.

    Attributes:
        outcome: What comes of the step; sent in.
        failure: What went wrong with it; thrown in, for the protocol to decide what it means.
        result: What the protocol returned; there once the loop has ended.
    """

    result: T

    def __init__(self, protocol: Generator[S, Any, T]) -> None:
        self._protocol = protocol
        self.outcome: Any = None
        self.failure: BaseException | None = None

    def __iter__(self) -> Walk[S, T]:
        return self

    def __next__(self) -> S:
        outcome, failure = self.outcome, self.failure
        self.outcome = self.failure = None
        try:
            if failure is not None:
                return self._protocol.throw(failure)
            return self._protocol.send(outcome)
        except StopIteration as ended:
            self.result = ended.value
            raise

    def close(self) -> None:
        """End the protocol where it stands."""
        self._protocol.close()
