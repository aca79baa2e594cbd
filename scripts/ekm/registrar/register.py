"""The registration protocol: claim, look, create or adopt, validate, projects, record.

Source: design section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ekm.admin_api.constants import CALLS_PER_MINUTE
from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import Conflict, EkmError
from ekm.registrar import matching
from ekm.registrar.doubt import (
    LIST_LAG,
    MOST_UNCLEAR,
    check_in_doubt,
    kept_of_two,
    look_delays,
    looked_for,
)
from ekm.registrar.listing import listed_keys
from ekm.registrar.patience import DEFAULT_WAIT, Patience, claimed
from ekm.registrar.projects import ProjectOutcome, settled_projects
from ekm.registrar.recall import recalled
from ekm.registrar.record import Record, State
from ekm.registrar.steps import (
    CreateKey,
    DeleteRecord,
    FetchKey,
    ReadRecord,
    Say,
    ValidateKey,
    WriteRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekm.admin_api.objects import ExternalKey
    from ekm.registrar.intent import Intent
    from ekm.registrar.steps import Protocol

__all__ = ["Registered", "Wanted", "register"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run of `register` is asked for.

    Args:
        intent: The registration.
        projects: Names, each to be one active project on the key.
        place: Where the record is, for messages.
        base_url: Where OpenAI is.
        adopt: Id of the registration to take when several match.
        wait: Seconds to wait for IAM, and for a claim that another run holds.
        list_lag: Seconds by which OpenAI's lists and reads may lag behind a create.
        calls_per_minute: What the pacing lets through to one endpoint; 0 is no pacing.
    """

    intent: Intent
    projects: tuple[str, ...]
    place: str
    base_url: str
    adopt: str | None = None
    wait: float = DEFAULT_WAIT
    list_lag: float = LIST_LAG
    calls_per_minute: int = CALLS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class Registered:
    """What a run of `register` ended in.

    Args:
        how: `created`, `adopted` or `unchanged`.
        notices: What a person should know, in sentences.
    """

    record: Record
    how: str
    projects: tuple[ProjectOutcome, ...]
    notices: tuple[str, ...]

    @property
    def external_key_id(self) -> str:
        """The registration's id."""
        return self.record.external_key_id or ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A registration; `in_doubt` when another one may have been created before it."""

    key: ExternalKey
    how: str
    notices: tuple[str, ...] = ()
    in_doubt: bool = False


def register(wanted: Wanted) -> Protocol[Registered]:
    """Bring about one registration of the intent and one project a name, and record it.

    Raises:
        Conflict: The record or OpenAI has something else, several match, or the claim is held.
        OpenAIRefused, NotReachable: As the client, and when waiting for IAM did not help.
    """
    claim: int = yield from claimed(wanted.place, wanted.wait)
    old: Record | None = yield ReadRecord()
    patience = Patience(wanted.intent, wanted.wait, wanted.calls_per_minute)
    found = yield from _found(wanted, old)
    record = _begun(wanted, old, claim, found)
    if found is None:
        record = yield WriteRecord(record)
        found = yield from _created(wanted, patience, old, claim)
        record = replace(record, external_key_id=found.key.id, in_doubt=found.in_doubt)
    if old is None or old.live_id != found.key.id:
        record = yield WriteRecord(record)  # at once: from here on a crash loses nothing
    _check_match(wanted, found.key)
    if record.in_doubt:
        found, record = yield from _settled(wanted, found, record)
    yield from _validated(found.key.id, patience)
    record, projects, notices = yield from settled_projects(
        wanted.projects,
        found.key,
        record,
        patience,
        fresh=found.how == "created",
        lag=wanted.list_lag,
    )
    record = replace(record, state=State.REGISTERED)
    record = yield WriteRecord(record, validated=True)
    return Registered(record, found.how, projects, (*found.notices, *notices))


def _begun(wanted: Wanted, old: Record | None, claim: int, found: _Found | None) -> Record:
    """The record that this run goes on from; what belonged to another registration is left."""
    if old is not None and found is not None and old.live_id == found.key.id:
        return replace(old, claim=claim, intent=wanted.intent, base_url=wanted.base_url)
    return Record(
        state=State.REGISTERING,
        claim=claim,
        intent=wanted.intent,
        base_url=wanted.base_url,
        external_key_id=found.key.id if found else None,
        projects=MappingProxyType({}),
    )


def _found(wanted: Wanted, old: Record | None) -> Protocol[_Found | None]:
    """The registration that is there already: by the record's id, by --adopt, by the list."""
    recorded = old.live_id if old else None
    if old and recorded:
        remembered = yield from recalled(old, recorded, wanted.list_lag)
        if remembered:
            _check_match(wanted, remembered)
            if wanted.adopt not in {None, remembered.id}:
                raise _adopts_another(wanted, remembered.id)
            return _Found(remembered, "unchanged")
        _check_same_host(wanted, old)
        yield Say(f"The registration {recorded} of the record is gone; looking for another.")
    if wanted.adopt:
        key: ExternalKey = yield FetchKey(wanted.adopt)
        _check_match(wanted, key)
        return _Found(key, "adopted")
    intents = (wanted.intent, old.intent) if old else (wanted.intent,)
    deleted = old.external_key_id if old and old.state is State.RETIRED else None
    keys = yield from listed_keys(*intents, without=deleted)
    if old and old.state is State.REGISTERING and old.intent != wanted.intent:
        unfinished = matching.choose_key(old.intent, keys)
        if unfinished:
            _check_match(wanted, unfinished)
    match = matching.choose_key(wanted.intent, keys)
    if match is None and old is not None:
        yield from check_in_doubt(old, wanted.place, wanted.list_lag)
    notices = tuple(
        f"{key.id} ({key.name!r}) is registered for the same role and key; it was left alone."
        for key in matching.lookalikes(wanted.intent, keys)
    )
    for notice in notices:
        yield Say(notice)
    return _Found(match, "adopted", notices) if match else None


def _created(
    wanted: Wanted, patience: Patience, old: Record | None, claim: int
) -> Protocol[_Found]:
    """Create the registration; wait for IAM; after an unclear answer look before creating."""
    unclear = 0
    delays = look_delays(wanted.list_lag)
    if _ended_in_doubt(wanted, old):
        unclear += 1
        why = "An earlier run ended before OpenAI had answered its create."
        match = yield from looked_for(_list(wanted), _choose(wanted), delays[1:], why)
        if match:
            return _Found(match, "adopted")
    # What OpenAI did not find, now or when it was retired, may be there all the same, if reads lag.
    unfound = old is not None and (
        old.live_id is not None or (old.state is State.RETIRED and old.external_key_id is None)
    )
    while True:
        try:
            key: ExternalKey = yield CreateKey(wanted.intent)
        except EkmError as failure:
            if kind_of(failure) is not Kind.AMBIGUOUS:
                yield from _endured(failure, patience, old, claim, in_doubt=unclear > 0)
                continue
            unclear += 1
            match = yield from looked_for(_list(wanted), _choose(wanted), delays, failure.message)
            if match:
                return _Found(match, "adopted")
            if unclear >= MOST_UNCLEAR:
                raise
        else:
            return _Found(key, "created", in_doubt=unclear > 0 or unfound)


def _list(wanted: Wanted) -> Callable[[], Protocol[tuple[ExternalKey, ...]]]:
    return lambda: listed_keys(wanted.intent)


def _choose(wanted: Wanted) -> Callable[[tuple[ExternalKey, ...]], ExternalKey | None]:
    return lambda keys: matching.choose_key(wanted.intent, keys)


def _ended_in_doubt(wanted: Wanted, old: Record | None) -> bool:
    """Whether an earlier run may have created this registration without learning of it."""
    return (
        old is not None
        and old.state is State.REGISTERING
        and old.external_key_id is None
        and old.intent == wanted.intent
    )


def _endured(
    failure: EkmError, patience: Patience, old: Record | None, claim: int, *, in_doubt: bool
) -> Protocol[None]:
    """Wait for IAM, or end with the record as it was: a refused create leaves no mark."""
    try:
        yield from patience.endure(failure)
    except EkmError:
        if not in_doubt and old is None:
            yield DeleteRecord()
        elif not in_doubt and old is not None:
            yield WriteRecord(replace(old, claim=claim))
        raise


def _settled(wanted: Wanted, made: _Found, record: Record) -> Protocol[tuple[_Found, Record]]:
    """After a doubt, make sure that there is one; of two, the one that was there first stays."""
    found = yield from kept_of_two(wanted.intent, made.key, record, wanted.list_lag, wanted.place)
    record = replace(record, in_doubt=False, external_key_id=found.id)
    if found.id == made.key.id:
        return replace(made, key=found), record
    record = yield WriteRecord(replace(record, registered_at=None))
    return _Found(found, "adopted", made.notices), record


def _validated(id: str, patience: Patience) -> Protocol[None]:
    while True:
        try:
            yield ValidateKey(id)
        except EkmError as failure:
            yield from patience.endure(failure)
        else:
            return


def _check_match(wanted: Wanted, key: ExternalKey) -> None:
    differing = matching.differences(wanted.intent, key)
    if not differing and (matching.is_ours(key) or key.workspace_id):
        return
    words = "; ".join(str(difference) for difference in differing) or "it is not an EKM key"
    raise Conflict(
        "registration_differs",
        f"{key.id} at OpenAI is another registration than asked for: {words}.",
        at_fault=wanted.place,
        remedy="A registration cannot be changed. Keep its values, or use another record (a "
        "second module instance), move to new projects there, then `ekm retire` this one.",
    )


def _check_same_host(wanted: Wanted, old: Record) -> None:
    if old.base_url != wanted.base_url:
        raise Conflict(
            "record_of_another_host",
            f"The record {wanted.place} was made at {old.base_url}, and {wanted.base_url} does "
            f"not know {old.external_key_id}.",
            at_fault="OPENAI_BASE_URL",
            remedy=f"Set OPENAI_BASE_URL={old.base_url}, or name another record.",
        )


def _adopts_another(wanted: Wanted, recorded: str) -> EkmError:
    return Conflict(
        "adopts_another",
        f"The record {wanted.place} has {recorded}, which exists; --adopt names {wanted.adopt}.",
        at_fault="--adopt",
        remedy="Leave --adopt out to keep the record's, or name another record.",
    )
