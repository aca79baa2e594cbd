"""Find out what was made after an answer was lost: list until a list must show it.

OpenAI does not publish whether lists and reads show a created object at once. A run therefore lists
for `LIST_LAG` seconds before it creates a second time. It also looks for an object that it created
after an unclear answer, because a list that shows the second one shows the first one too.

Sources: docs/reference/openai-api.md#external-keys (no idempotency),
docs/reference/openai-api.md#not-public (consistency right after a create),
docs/reliability.md#how-it-is-decided
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from openai_ekm.errors import Conflict, EkmError, NotReachable
from openai_ekm.openai_api import Kind, kind_of
from openai_ekm.registration import matching
from openai_ekm.registration.protocol import (
    Age,
    DeleteKey,
    FetchKey,
    ListKeys,
    ListProjects,
    Organization,
    Say,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_ekm.openai_api.objects import ExternalKey, Project
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.protocol import Procedure
    from openai_ekm.registration.record import Record

__all__ = [
    "LIST_LAG",
    "MOST_UNCLEAR",
    "check_same_host",
    "complete_keys",
    "delete_key",
    "find_recorded_key",
    "lag_error",
    "lag_left",
    "list_keys",
    "list_projects",
    "look_delays",
    "require_created_key",
    "resolve_duplicate",
    "wait_until_listed",
]

# Lists whose items are whole where it matters: one published form leaves `external_id` out.
#
# Without it a registration of the same role, key and name under another external id, somebody
# else's, cannot be told from one's own. What a list shows by half is asked for by its id; where
# that leaves it out too, there is nothing to tell them apart by, and the other members decide.
#
# See docs/reference/openai-api.md#published-forms-that-differ


def list_keys(*intents: Intent, without: str | None = None) -> Procedure[tuple[ExternalKey, ...]]:
    """Return every registration; what may be one of these intents is whole.

    Args:
        intents: Whose registrations matter.
        without: Id of one that was deleted for certain, which a list that lags still shows.

    Raises:
        OpenAIRefused: The list shows one by half, and it is not found: reads lag, or lists do.
    """
    keys: list[ExternalKey] = []
    for key in (yield ListKeys()):
        if key.id == without:
            continue
        half = key.external_id is None and any(matching.matches(one, key) for one in intents)
        keys.append((yield FetchKey(key.id)) if half else key)
    return tuple(keys)


def list_projects() -> Procedure[tuple[Project, ...]]:
    """Return every active project."""
    found: tuple[Project, ...] = yield ListProjects()
    return found


def complete_keys(
    keys: Iterable[ExternalKey],
    matters: Callable[[ExternalKey], bool],
    fetch: Callable[[str], ExternalKey],
) -> tuple[ExternalKey, ...]:
    """Return registrations, each whole that may be meant; for use outside a procedure.

    Args:
        keys: As a list shows them.
        matters: Whether one may be meant, as far as its other members tell.
        fetch: Returns a registration by its id.
    """
    return tuple(fetch(key.id) if key.external_id is None and matters(key) else key for key in keys)


T = TypeVar("T")

LIST_LAG: Final = 75.0  # seconds by which a list may lag behind a create: an assumption
DOUBT_LASTS: Final = 3600.0  # seconds; no list is taken to lag for longer
LONGEST_PAUSE: Final = 30.0  # seconds between two looks
PAUSE_STEP: Final = 5.0  # seconds by which each pause is longer than the one before
MOST_UNCLEAR: Final = 3  # times that an unclear call is followed by looking and sending it again


def look_delays(lag: float) -> tuple[float, ...]:
    """Return the seconds before each look: one at once, the last one `lag` seconds later. Pure.

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
    """Return the seconds for which something of that age may still be missing from a list. Pure.

    Args:
        age: Seconds, None when the time is not known; below 0 when a clock was set back.
        lag: As `LIST_LAG`.
    """
    return 0.0 if age is None else max(0.0, min(lag - age, lag))


def wait_until_listed(
    ask: Callable[[], Procedure[Any]],
    choose: Callable[[Any], T | None],
    delays: tuple[float, ...],
    why: str,
) -> Procedure[T | None]:
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
    """Return the error for what was made after an unclear answer and is not listed in time."""
    return NotReachable(
        "lists_lag",
        f"{made} was created after another create had remained unanswered, and OpenAI's list "
        f"does not show it after {lag:.0f} s: whether the first one exists too is not known. "
        f"The record {place} names it.",
        at_fault="EKM_LIST_LAG_SECONDS",
        remedy="Run the same command again in some minutes: it looks again, and settles which "
        "one stays.",
    )


def resolve_duplicate(
    intent: Intent, made: ExternalKey, record: Record, lag: float, place: str
) -> Procedure[ExternalKey]:
    """Look until the list shows what was made after a doubt; of two, delete the newer one.

    The deleted one was made by this record's own run, moments ago, and has no project. The
    other one is what the unanswered create made, or a registrar with another record.

    Raises:
        NotReachable: The list shows neither within `lag` seconds.
        Conflict: There are more than two, or the newer one is in use already.
    """

    def others(keys: tuple[ExternalKey, ...]) -> list[ExternalKey]:
        return [key for key in keys if key.id != made.id and matching.matches(intent, key)]

    def telling(keys: tuple[ExternalKey, ...]) -> tuple[ExternalKey, ...] | None:
        return keys if others(keys) or any(key.id == made.id for key in keys) else None

    listed = yield from wait_until_listed(
        lambda: list_keys(intent),
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
    yield from delete_key(made.id)
    return found[0]


def require_created_key(record: Record, place: str, lag: float) -> Procedure[None]:
    """Create and retire nothing while what a record in doubt names cannot be seen.

    It was made, and nobody is known to have deleted it: reads lag for longer than was assumed.

    Raises:
        NotReachable: It was made less than an hour ago.
    """
    if record.in_doubt and record.live_id:
        age: float | None = yield Age(record.registered_at)
        if age is None or age < DOUBT_LASTS:
            raise lag_error(place, record.live_id, lag)


def delete_key(id: str) -> Procedure[None]:
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


def _is_gone(id: str) -> Procedure[bool]:
    try:
        yield FetchKey(id)
    except EkmError as failure:
        if kind_of(failure) is Kind.GONE:
            return True
        raise
    return False


# The registration that the record names: there, or gone, or not visible yet.


def find_recorded_key(
    record: Record, external_key_id: str, lag: float
) -> Procedure[ExternalKey | None]:
    """Fetch the registration of a record; None only when OpenAI says that it is gone.

    Within `lag` seconds of a create, "not found" may only mean "not yet": that reads follow a
    create at once is not public, so a young registration is looked for again.

    Args:
        record: As read.
        external_key_id: The record's.
        lag: Seconds by which reads may lag behind a create.

    Raises:
        OpenAIRefused, NotReachable: Anything but the exact texts of "gone".
        Conflict: The admin key is of another organization: there it never was.
    """
    delays: list[float] | None = None
    while True:
        try:
            key: ExternalKey = yield FetchKey(external_key_id)
        except EkmError as failure:
            if kind_of(failure) is not Kind.GONE:
                raise
            _check_organization(record, external_key_id, (yield Organization()))
            age: float | None = yield Age(record.registered_at)
            if delays is None:
                delays = list(look_delays(lag_left(age, lag))[1:])
            if not delays:
                return None
            delay = delays.pop(0)
            yield Wait(
                delay,
                f"OpenAI does not find {external_key_id}, which was registered "
                f"{max(age or 0.0, 0.0):.0f} s ago; looking again in {delay:.0f} s.",
            )
        else:
            return key


def check_same_host(record: Record, base_url: str, place: str) -> None:
    """Refuse to take a registration for gone that another host may have."""
    if record.base_url != base_url:
        raise Conflict(
            "record_of_another_host",
            f"The record {place} was made at {record.base_url}, and {base_url} does not know "
            f"{record.external_key_id}.",
            at_fault="OPENAI_BASE_URL",
            remedy=f"Set OPENAI_BASE_URL={record.base_url}, or name another record.",
        )


def _check_organization(record: Record, external_key_id: str, asked: str | None) -> None:
    if record.organization and asked and record.organization != asked:
        raise Conflict(
            "record_of_another_organization",
            f"The record was made in the organization {record.organization}, and the admin key is "
            f"of {asked}, which does not know {external_key_id}. Nothing was changed.",
            at_fault="the admin key",
            remedy=f"Give an admin key of {record.organization}. If it only has another name now, "
            "take the member `organization` out of the record.",
        )
