"""What to believe after an answer was lost: look until a list must show what was made.

Whether OpenAI's lists and reads follow a create at once is not public. So nothing is created a
second time before lists have been looked at for `LIST_LAG` seconds; and what was created after
a doubt is itself looked for, since a list that shows the second one shows the first one too.

Source: wire contract 3.1 (no idempotency), 6 (consistency right after create or delete).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import Conflict, EkmError, NotReachable
from ekm.registrar import matching
from ekm.registrar.listing import listed_keys
from ekm.registrar.steps import Age, DeleteKey, FetchKey, Say, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekm.admin_api.objects import ExternalKey
    from ekm.registrar.intent import Intent
    from ekm.registrar.record import Record
    from ekm.registrar.steps import Protocol

__all__ = [
    "LIST_LAG",
    "MOST_UNCLEAR",
    "check_in_doubt",
    "deleted",
    "kept_of_two",
    "lag_error",
    "lag_left",
    "look_delays",
    "looked_for",
]

T = TypeVar("T")

LIST_LAG: Final = 75.0  # seconds by which a list may lag behind a create: an assumption
DOUBT_LASTS: Final = 3600.0  # seconds; no list is taken to lag for longer
LONGEST_PAUSE: Final = 30.0  # seconds between two looks
PAUSE_STEP: Final = 5.0  # seconds by which each pause is longer than the one before
MOST_UNCLEAR: Final = 3  # times that an unclear call is followed by looking and sending it again


def look_delays(lag: float) -> tuple[float, ...]:
    """Seconds before each look: one at once, the last one `lag` seconds later. Pure.

    Args:
        lag: Seconds; 0 or less is one look.
    """
    delays = [0.0]
    left = lag
    while left > 0:
        pause = min(left, PAUSE_STEP * len(delays), LONGEST_PAUSE)
        delays.append(pause)
        left -= pause
    return tuple(delays)


def lag_left(age: float | None, lag: float) -> float:
    """Seconds for which something of that age may still be missing from a list. Pure.

    Args:
        age: Seconds, None when the time is not known; below 0 when a clock was set back.
        lag: As `LIST_LAG`.
    """
    return 0.0 if age is None else max(0.0, min(lag - age, lag))


def looked_for(
    ask: Callable[[], Protocol[Any]],
    choose: Callable[[Any], T | None],
    delays: tuple[float, ...],
    why: str,
) -> Protocol[T | None]:
    """Look until something is chosen, None when the last look shows nothing.

    Args:
        ask: The list.
        choose: Picks from its outcome; None looks again.
        delays: Seconds before each look.
        why: What happened, in a sentence.
    """
    for number, delay in enumerate(delays):
        if delay:
            left = sum(delays[number:])
            yield Wait(
                delay,
                f"{why if number <= 1 else ''} It is not in the list yet; looking again in "
                f"{delay:.0f} s, for up to {left:.0f} s.".lstrip(),
            )
        found = choose((yield from ask()))
        if found is not None:
            return found
    return None


def lag_error(place: str, made: str, lag: float) -> NotReachable:
    """The end of certainty: what was made after a doubt is not listed within the bound."""
    return NotReachable(
        "lists_lag",
        f"{made} was created after another create had remained unanswered, and OpenAI's list "
        f"does not show it after {lag:.0f} s: whether the first one exists too is not known. "
        f"The record {place} names it.",
        at_fault="EKM_LIST_LAG_SECONDS",
        remedy="Run the same command again in some minutes: it looks again, and settles which "
        "one stays.",
    )


def kept_of_two(
    intent: Intent, made: ExternalKey, record: Record, lag: float, place: str
) -> Protocol[ExternalKey]:
    """Look until the list shows what was made after a doubt; of two, delete the newer one.

    What is deleted was made by this record's own run, moments ago, and has no project. The
    other one is what the unanswered create made, or a registrar with another record.

    Raises:
        NotReachable: The list shows neither within `lag` seconds.
        Conflict: There are more than two, or the newer one is in use already.
    """

    def others(keys: tuple[ExternalKey, ...]) -> list[ExternalKey]:
        return [key for key in keys if key.id != made.id and matching.matches(intent, key)]

    def telling(keys: tuple[ExternalKey, ...]) -> tuple[ExternalKey, ...] | None:
        return keys if others(keys) or any(key.id == made.id for key in keys) else None

    listed = yield from looked_for(
        lambda: listed_keys(intent),
        telling,
        look_delays(lag),
        f"{made.id} was created after a create that was not answered.",
    )
    if listed is None:
        raise lag_error(place, made.id, lag)
    found = others(listed)
    if not found:
        return made
    ids = ", ".join(key.id for key in found)
    if len(found) > 1 or made.api_project_ids or record.projects:
        raise Conflict(
            "several_matches",
            f"An unclear create was carried out after all: {ids} matches as well as {made.id}, "
            "which the record names.",
            at_fault="external_keys",
            remedy=f"Delete what has no projects of {ids} and {made.id}, then run again.",
        )
    yield Say(f"The unanswered create had made {ids} after all; deleting {made.id} again.")
    yield from deleted(made.id)
    return found[0]


def check_in_doubt(record: Record, place: str, lag: float) -> Protocol[None]:
    """Create and retire nothing while what a record in doubt names cannot be seen.

    It was made, and nobody is known to have deleted it: reads lag for longer than was assumed.

    Raises:
        NotReachable: It was made less than an hour ago.
    """
    if record.in_doubt and record.live_id:
        age: float | None = yield Age(record.registered_at)
        if age is None or age < DOUBT_LASTS:
            raise lag_error(place, record.live_id, lag)


def deleted(id: str) -> Protocol[None]:
    """Delete a registration; an unclear answer is settled by looking."""
    unclear = 0
    while True:
        try:
            yield DeleteKey(id)
        except EkmError as failure:
            kind = kind_of(failure)
            if kind is Kind.GONE:
                return
            if kind is not Kind.AMBIGUOUS:
                raise
            unclear += 1
            if (yield from _is_gone(id)):
                return
            if unclear >= MOST_UNCLEAR:
                raise
        else:
            return


def _is_gone(id: str) -> Protocol[bool]:
    try:
        yield FetchKey(id)
    except EkmError as failure:
        if kind_of(failure) is Kind.GONE:
            return True
        raise
    return False
