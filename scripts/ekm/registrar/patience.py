"""Waiting that has a deadline, says what it waits for, and stops when it cannot help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ekm.admin_api.constants import CALLS_PER_MINUTE, TELL_AFTER
from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import Conflict, EkmError, NotReachable, OpenAIRefused
from ekm.registrar.attempts import next_moment
from ekm.registrar.steps import Elapsed, Explain, Say, TryClaim, Wait
from ekm.registrar.store import POLL, Held

if TYPE_CHECKING:
    from ekm.registrar.intent import Intent
    from ekm.registrar.steps import Explanation, Protocol

__all__ = ["CURABLE", "DEFAULT_WAIT", "Patience", "claimed"]

DEFAULT_WAIT: Final = 180.0  # seconds; IAM has been seen to need minutes
CURABLE: Final = frozenset({Kind.AWS_DENIED, Kind.AWS_TRANSIENT})
TELL_EVERY: Final = 10.0  # seconds between two lines about waits too short for one of their own


class Patience:
    """One allowance of waiting for IAM, over create, validate and projects of a run.

    Args:
        intent: What is to work.
        allowed: Seconds from the first denial.
        calls_per_minute: What the pacing lets through to one endpoint; 0 is no pacing.
    """

    def __init__(
        self, intent: Intent, allowed: float, calls_per_minute: int = CALLS_PER_MINUTE
    ) -> None:
        self._intent = intent
        self._allowed = allowed
        self._started: float | None = None
        self._calls_per_minute = calls_per_minute
        self._attempt = 0.0  # planned moment of the last attempt, from the first denial
        self._told: float | None = None
        self._explanation: Explanation | None = None

    def endure(self, denial: EkmError) -> Protocol[None]:
        """Wait before the next attempt after a denial of AWS's.

        Raises:
            OpenAIRefused: The policies say that no wait can cure it, or none was asked for.
            NotReachable: The deadline passed.
        """
        if kind_of(denial) not in CURABLE or self._allowed <= 0:
            raise denial
        now: float = yield Elapsed()
        if self._started is None:
            self._started = now
            self._explanation = yield Explain(self._intent)
            if self._explanation and not self._explanation.curable_by_waiting:
                raise _incurable(denial, self._explanation)
        elapsed = now - self._started
        left = self._allowed - elapsed
        if left <= 0:
            raise self._too_late(denial)
        delay = min(left, self._next_attempt(elapsed) - elapsed)
        reason = (
            f"OpenAI cannot use the key yet: {_sentence(denial.message)} "
            f"IAM may still be settling: trying again in {delay:.0f} s, for up to {left:.0f} s."
        )
        if delay < TELL_AFTER and (self._told is None or elapsed - self._told >= TELL_EVERY):
            self._told = elapsed
            yield Say(reason)
        yield Wait(delay, reason)

    def _next_attempt(self, elapsed: float) -> float:
        """The next moment of the plan that is still ahead; calls take time, and that is not added.

        When a call took longer than the plan's next gap, the plan goes on from where it ended.
        """
        self._attempt = next_moment(self._attempt, self._calls_per_minute)
        if self._attempt <= elapsed:
            self._attempt = next_moment(elapsed, self._calls_per_minute)
        return self._attempt

    def _too_late(self, denial: EkmError) -> EkmError:
        explained = self._explanation
        diagnosis = f" Reading the policies: {explained.message}" if explained else ""
        return NotReachable(
            "wait_deadline",
            f"OpenAI could not use the key within {self._allowed:.0f} s. "
            f"{_sentence(denial.message)}{diagnosis}",
            at_fault=explained.at_fault if explained else None,
            remedy=(explained.remedy if explained else None)
            or "Check trust policy, role policy and key policy; then run again (--wait SECONDS).",
            request_id=denial.request_id,
        )


def _incurable(denial: EkmError, explanation: Explanation) -> EkmError:
    return OpenAIRefused(
        "aws_denied",
        f"{_sentence(denial.message)} Waiting cannot cure it: {explanation.message}",
        at_fault=explanation.at_fault,
        remedy=explanation.remedy or denial.remedy,
        request_id=denial.request_id,
    )


def _sentence(text: str) -> str:
    """AWS's words often end without a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def claimed(place: str, allowed: float) -> Protocol[int]:
    """Claim the record, waiting while another run holds it.

    Args:
        place: The record's, for messages.
        allowed: Seconds to wait at most.

    Raises:
        Conflict: It is held to the end of the wait.
    """
    until: float = (yield Elapsed()) + allowed
    while True:
        outcome: int | Held = yield TryClaim()
        if not isinstance(outcome, Held):
            return outcome
        left: float = until - (yield Elapsed())
        if left <= 0:
            raise Conflict(
                "claim_held",
                f"Another run holds the record {place}: {outcome.holder}.",
                at_fault=place,
                remedy="Wait for it to end, then run again"
                + (
                    f"; if it is dead, its claim lapses in {outcome.expires_in:.0f} s."
                    if outcome.expires_in is not None
                    else "."
                ),
            )
        yield Wait(
            min(POLL, left), f"Waiting for {outcome.holder}, which holds the record {place}."
        )
