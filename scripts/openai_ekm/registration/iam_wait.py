"""Wait for IAM: until a deadline, with a reason, and only while a wait can help."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from openai_ekm.errors import Conflict, EkmError, NotReachable, OpenAIRefused
from openai_ekm.openai_api import Kind, kind_of
from openai_ekm.openai_api.constants import CALLS_PER_MINUTE, TELL_AFTER
from openai_ekm.openai_api.rate_limit import SPAN
from openai_ekm.registration.intent import unusual_external_id
from openai_ekm.registration.protocol import Elapsed, Explain, Say, TryClaim, Wait
from openai_ekm.registration.record import POLL, Held

if TYPE_CHECKING:
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.protocol import Explanation, Procedure

__all__ = [
    "CURABLE",
    "DEFAULT_WAIT",
    "FLOOR",
    "TARGET",
    "IamWait",
    "first_share",
    "next_moment",
    "take_claim",
]

DEFAULT_WAIT: Final = 180.0  # seconds; IAM has been seen to need minutes
CURABLE: Final = frozenset({Kind.AWS_DENIED, Kind.AWS_TRANSIENT})
TELL_EVERY: Final = 10.0  # seconds between two lines about waits too short for one of their own


class IamWait:
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
        self._last_line_at: float | None = None
        self._explanation: Explanation | None = None
        self._unusual_id: str | None = None  # as it was said

    def retry(self, denial: EkmError) -> Procedure[None]:
        """Wait before the next attempt after a denial of AWS's.

        Raises:
            OpenAIRefused: The policies say that no wait can cure it, or none was asked for.
            NotReachable: The deadline passed.
        """
        if kind_of(denial) not in CURABLE or self._allowed <= 0:
            raise denial
        if self._unusual_id is None and not _passed_the_role(denial):
            self._unusual_id = unusual_external_id(self._intent.external_id)
            if self._unusual_id is not None:
                yield Say(
                    f"{self._unusual_id} If it is a mistake, no wait helps: stop this run, and "
                    "give the right id to the role and to the registration."
                )
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
        when = f"in {delay:.0f} s" if delay >= 1 else "at once"
        reason = (
            f"OpenAI cannot use the key yet: {_sentence(denial.message)} "
            f"IAM may still be settling: trying again {when}, for up to {left:.0f} s."
        )
        if delay < TELL_AFTER and (
            self._last_line_at is None or elapsed - self._last_line_at >= TELL_EVERY
        ):
            self._last_line_at = elapsed
            yield Say(reason)
        yield Wait(delay, reason)

    def _next_attempt(self, elapsed: float) -> float:
        """Return the next moment of the plan that is still ahead; a call's own time is not added.

        When a call took longer than the plan's next gap, the plan goes on from where it ended.
        """
        self._attempt = next_moment(self._attempt, self._calls_per_minute)
        if self._attempt <= elapsed:
            self._attempt = next_moment(elapsed, self._calls_per_minute)
        return self._attempt

    def _too_late(self, denial: EkmError) -> EkmError:
        explained = self._explanation
        diagnosis = f" Reading the policies: {explained.message}" if explained else ""
        diagnosis += f" {self._unusual_id}" if self._unusual_id else ""
        return NotReachable(
            "wait_deadline",
            f"OpenAI could not use the key within {self._allowed:.0f} s. "
            f"{_sentence(denial.message)}{diagnosis}",
            at_fault=explained.at_fault if explained else None,
            remedy=(explained.remedy if explained else None)
            or "`ekm diagnose` with the same role, key and external id names the statement at "
            "fault. Mend it, then run again (--wait SECONDS).",
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


def _passed_the_role(denial: EkmError) -> bool:
    """Return whether a denial is about the key: then the role took the external id."""
    return kind_of(denial) is not Kind.AWS_DENIED or "kms:" in denial.message


def _sentence(text: str) -> str:
    """Return AWS's words with the full stop that they often lack."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def take_claim(place: str, allowed: float) -> Procedure[int]:
    """Take the record's lease, waiting while another run holds it.

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
                    f"; if it is dead, its lease lapses in {outcome.expires_in:.0f} s."
                    if outcome.expires_in is not None
                    else "."
                ),
            )
        yield Wait(
            min(POLL, left), f"Waiting for {outcome.holder}, which holds the record {place}."
        )


# When to try again while IAM settles: the least overshoot that the pacing leaves room for. Pure.
#
# Only OpenAI's principal may assume the role, so nothing on the customer's side can see that IAM
# has settled: reading policies back or simulating them shows what was saved, not what is in force
# where OpenAI asks. Each look is a create at OpenAI, and the pacing lets `L` of them through in
# any window of `W` seconds.
#
# Attempts are at t[0] = 0 < t[1] < …; IAM that settles just after t[k] is seen at t[k+1], too late
# by the share (t[k+1] - t[k]) / max(t[k], FLOOR). FLOOR says from when a share counts: before it,
# seconds do. The moments are those whose worst share is the least there is:
#
# - With a worst share c, t[k] can be at most g[k], where g[0] = 0 and
#   g[k+1] = g[k] + c * max(g[k], FLOOR). The pacing asks for t[L] >= W, so g[L] >= W: the least c
#   is the one with g[L] = W. It is enough too, since the gaps of g grow, and with them the span of
#   any L of them.
# - After that the same in each window: from m * W to (m + 1) * W in L equal shares,
#   ((m + 1) / m) ** (1 / L) - 1. Any L of them span W or more, since a weighted geometric mean is
#   superadditive. No schedule that keeps to the first window's moments does better in the next.
# - No share under TARGET is aimed at: the calls would buy nothing that was asked for.
#
# With 7 calls in 62 seconds the first minute's worst share is 60 %, the second minute's 10.4 %,
# and 10 % from the third on; 10 % throughout takes 37 calls a window.
#
# See docs/registration.md#waiting-and-pacing, docs/decisions/0007-when-to-try-again.md.


TARGET: Final = 0.10  # share of the time that IAM took; a closer look is not aimed at
FLOOR: Final = 5.0  # seconds; IAM that settles earlier is measured against these


def next_moment(moment: float, calls_in_a_window: int) -> float:
    """Return the seconds from the first attempt to the one after that at `moment`.

    Args:
        moment: Of an attempt; 0 is the first.
        calls_in_a_window: What the pacing lets through to one endpoint; 0 is no pacing.
    """
    window = int(moment / SPAN + 1e-9)
    if not calls_in_a_window:
        share = TARGET
    elif window == 0:
        share = max(TARGET, first_share(calls_in_a_window))
    else:
        share = max(TARGET, ((window + 1) / window) ** (1 / calls_in_a_window) - 1)
    return moment + share * max(moment, FLOOR)


@cache
def first_share(calls_in_a_window: int) -> float:
    """Return the least worst share with which so many attempts reach past the first window."""
    low, high = 0.0, SPAN / FLOOR
    for _ in range(60):
        middle = (low + high) / 2
        moment = 0.0
        for _ in range(calls_in_a_window):
            moment += middle * max(moment, FLOOR)
        low, high = (low, middle) if moment >= SPAN else (middle, high)
    return high
