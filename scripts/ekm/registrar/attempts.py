"""When to try again while IAM settles: the least overshoot that the pacing leaves room for. Pure.

Only OpenAI's principal may assume the role, so nothing on the customer's side can see that IAM
has settled: reading policies back or simulating them shows what was saved, not what is in force
where OpenAI asks. Each look is a create at OpenAI, and the pacing lets `L` of them through in
any window of `W` seconds.

Attempts are at t[0] = 0 < t[1] < …; IAM that settles just after t[k] is seen at t[k+1], too late
by the share (t[k+1] - t[k]) / max(t[k], FLOOR). FLOOR says from when a share counts: before it,
seconds do. The moments are those whose worst share is the least there is:

- With a worst share c, t[k] can be at most g[k], where g[0] = 0 and
  g[k+1] = g[k] + c * max(g[k], FLOOR). The pacing asks for t[L] >= W, so g[L] >= W: the least c
  is the one with g[L] = W. It is enough too, since the gaps of g grow, and with them the span of
  any L of them.
- After that the same in each window: from m * W to (m + 1) * W in L equal shares,
  ((m + 1) / m) ** (1 / L) - 1. Any L of them span W or more, since a weighted geometric mean is
  superadditive. No schedule that keeps to the first window's moments does better in the next.
- No share under TARGET is aimed at: the calls would buy nothing that was asked for.

With 7 calls in 62 seconds the first minute's worst share is 60 %, the second minute's 10.4 %,
and 10 % from the third on; 10 % throughout takes 37 calls a window.

Source: design section 5 (waiting and pacing); docs/decisions/0007-when-to-try-again.md.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from ekm.admin_api.window import SPAN

__all__ = ["FLOOR", "TARGET", "first_share", "next_moment"]

TARGET: Final = 0.10  # share of the time that IAM took; a closer look is not aimed at
FLOOR: Final = 5.0  # seconds; IAM that settles earlier is measured against these


def next_moment(moment: float, calls_in_a_window: int) -> float:
    """Seconds from the first attempt to the one after that at `moment`.

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
    """The least worst share with which so many attempts reach past the first window."""
    low, high = 0.0, SPAN / FLOOR
    for _ in range(60):
        middle = (low + high) / 2
        moment = 0.0
        for _ in range(calls_in_a_window):
            moment += middle * max(moment, FLOOR)
        low, high = (low, middle) if moment >= SPAN else (middle, high)
    return high
