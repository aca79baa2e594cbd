"""Waiting that has a deadline, says what it waits for, and stops when it cannot help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import Conflict, EkmError, NotReachable, OpenAIRefused
from ekm.registrar.steps import Elapsed, Explain, TryClaim, Wait
from ekm.registrar.store import POLL, Held

if TYPE_CHECKING:
    from ekm.registrar.intent import Intent
    from ekm.registrar.steps import Explanation, Protocol

__all__ = ["CURABLE", "DEFAULT_WAIT", "Patience", "claimed"]

DEFAULT_WAIT: Final = 180.0  # seconds; IAM has been seen to need minutes
CURABLE: Final = frozenset({Kind.AWS_DENIED, Kind.AWS_TRANSIENT})
# Seconds before each new attempt; the last one goes on. Short at first, since IAM mostly
# settles within seconds; later no more calls than the pacing lets through.
DELAYS: Final = (2.0, 4.0, 8.0, 12.0, 15.0)


class Patience:
    """One allowance of waiting for IAM, over create, validate and projects of a run.

    Args:
        intent: What is to work.
        allowed: Seconds from the first denial.
    """

    def __init__(self, intent: Intent, allowed: float) -> None:
        self._intent = intent
        self._allowed = allowed
        self._started: float | None = None
        self._attempts = 0
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
        left = self._allowed - (now - self._started)
        if left <= 0:
            raise self._too_late(denial)
        delay = min(left, DELAYS[min(self._attempts, len(DELAYS) - 1)])
        self._attempts += 1
        yield Wait(
            delay,
            f"OpenAI cannot use the key yet: {_sentence(denial.message)} "
            f"IAM may still be settling: trying again in {delay:.0f} s, for up to {left:.0f} s.",
        )

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
