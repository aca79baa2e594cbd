"""The registration protocol: lease, look, create or adopt, validate, projects, record.

Source: docs/registration.md#the-steps-of-ekm-register
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from openai_ekm.errors import Conflict, EkmError
from openai_ekm.openai_api import Kind, kind_of
from openai_ekm.openai_api.constants import CALLS_PER_MINUTE
from openai_ekm.registration import matching
from openai_ekm.registration.consistency import (
    LIST_LAG,
    MOST_UNCLEAR,
    check_same_host,
    find_recorded_key,
    list_keys,
    look_delays,
    require_created_key,
    resolve_duplicate,
    wait_until_listed,
)
from openai_ekm.registration.iam_wait import DEFAULT_WAIT, IamWait, take_claim
from openai_ekm.registration.projects import ProjectOutcome, ensure_projects
from openai_ekm.registration.protocol import (
    CreateKey,
    DeleteRecord,
    FetchKey,
    ReadRecord,
    Say,
    ValidateKey,
    WriteRecord,
)
from openai_ekm.registration.record import Record, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.openai_api.objects import ExternalKey
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.protocol import Procedure

__all__ = ["RegisterRequest", "Registered", "register"]


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """The options of a run of `register`.

    Args:
        intent: The registration.
        projects: Names, each to be one active project on the key.
        place: Where the record is, for messages.
        base_url: Where OpenAI is.
        adopt: Id of the registration to take when several match.
        wait: Seconds to wait for IAM, and for a lease that another run holds.
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
    """The result of a run of `register`.

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
        """Return the registration's id."""
        return self.record.external_key_id or ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A registration; `in_doubt` when another one may have been created before it."""

    key: ExternalKey
    how: str
    notices: tuple[str, ...] = ()
    in_doubt: bool = False


def register(request: RegisterRequest) -> Procedure[Registered]:
    """Bring about one registration of the intent and one project a name, and record it.

    Raises:
        Conflict: The record or OpenAI has something else, several match, or the lease is held.
        OpenAIRefused, NotReachable: As the client, and when waiting for IAM did not help.
    """
    claim: int = yield from take_claim(request.place, request.wait)
    old: Record | None = yield ReadRecord()
    iam_wait = IamWait(request.intent, request.wait, request.calls_per_minute)
    found = yield from _find_registration(request, old)
    record = _begin_record(request, old, claim, found)
    if found is None:
        record = yield WriteRecord(record)
        found = yield from _create_key(request, iam_wait, old, claim)
        record = replace(record, external_key_id=found.key.id, in_doubt=found.in_doubt)
    if old is None or old.live_id != found.key.id:
        record = yield WriteRecord(record)  # at once: from here on a crash loses nothing
    _check_match(request, found.key)
    if record.in_doubt:
        found, record = yield from _ensure_single_key(request, found, record)
    yield from _validate(found.key.id, iam_wait)
    record, projects, notices = yield from ensure_projects(
        request.projects,
        found.key,
        record,
        iam_wait,
        fresh=found.how == "created",
        lag=request.list_lag,
    )
    record = replace(record, state=State.REGISTERED)
    record = yield WriteRecord(record, validated=True)
    return Registered(record, found.how, projects, (*found.notices, *notices))


def _begin_record(
    request: RegisterRequest, old: Record | None, claim: int, found: _Found | None
) -> Record:
    """Return the record that this run goes on from, without another registration's members."""
    if old is not None and found is not None and old.live_id == found.key.id:
        return replace(old, claim=claim, intent=request.intent, base_url=request.base_url)
    return Record(
        state=State.REGISTERING,
        claim=claim,
        intent=request.intent,
        base_url=request.base_url,
        external_key_id=found.key.id if found else None,
        projects=MappingProxyType({}),
    )


def _find_registration(request: RegisterRequest, old: Record | None) -> Procedure[_Found | None]:
    """Find the registration that exists: by the record's id, --external-key, or the list."""
    recorded = old.live_id if old else None
    if old and recorded:
        remembered = yield from find_recorded_key(old, recorded, request.list_lag)
        if remembered:
            _check_match(request, remembered)
            if request.adopt not in {None, remembered.id}:
                raise _adopts_another(request, remembered.id)
            return _Found(remembered, "unchanged")
        check_same_host(old, request.base_url, request.place)
        yield Say(f"The registration {recorded} of the record is gone; looking for another.")
    if request.adopt:
        key: ExternalKey = yield FetchKey(request.adopt)
        _check_match(request, key)
        return _Found(key, "adopted")
    intents = (request.intent, old.intent) if old else (request.intent,)
    deleted = old.external_key_id if old and old.state is State.RETIRED else None
    keys = yield from list_keys(*intents, without=deleted)
    if old and old.state is State.REGISTERING and old.intent != request.intent:
        unfinished = matching.choose_key(old.intent, keys)
        if unfinished:
            _check_match(request, unfinished)
    match = matching.choose_key(request.intent, keys)
    if match is None and old is not None:
        yield from require_created_key(old, request.place, request.list_lag)
    notices = tuple(
        f"{key.id} ({key.name!r}) is registered for the same role and key; it was left alone."
        for key in matching.lookalikes(request.intent, keys)
    )
    for notice in notices:
        yield Say(notice)
    return _Found(match, "adopted", notices) if match else None


def _create_key(
    request: RegisterRequest, iam_wait: IamWait, old: Record | None, claim: int
) -> Procedure[_Found]:
    """Create the registration; wait for IAM; after an unclear answer look before creating."""
    unclear = 0
    delays = look_delays(request.list_lag)
    if _may_have_created(request, old):
        unclear += 1
        why = "An earlier run ended before OpenAI had answered its create."
        match = yield from wait_until_listed(_list(request), _choose(request), delays[1:], why)
        if match:
            return _Found(match, "adopted")
    # What OpenAI did not find, now or when it was retired, may be there all the same, if reads lag.
    unfound = old is not None and (
        old.live_id is not None or (old.state is State.RETIRED and old.external_key_id is None)
    )
    while True:
        try:
            key: ExternalKey = yield CreateKey(request.intent)
        except EkmError as failure:
            if kind_of(failure) is not Kind.AMBIGUOUS:
                yield from _wait_for_iam(failure, iam_wait, old, claim, in_doubt=unclear > 0)
                continue
            unclear += 1
            match = yield from wait_until_listed(
                _list(request), _choose(request), delays, failure.message
            )
            if match:
                return _Found(match, "adopted")
            if unclear >= MOST_UNCLEAR:
                raise
        else:
            return _Found(key, "created", in_doubt=unclear > 0 or unfound)


def _list(request: RegisterRequest) -> Callable[[], Procedure[tuple[ExternalKey, ...]]]:
    return lambda: list_keys(request.intent)


def _choose(request: RegisterRequest) -> Callable[[tuple[ExternalKey, ...]], ExternalKey | None]:
    return lambda keys: matching.choose_key(request.intent, keys)


def _may_have_created(request: RegisterRequest, old: Record | None) -> bool:
    """Return whether an earlier run may have created this registration without learning of it."""
    return (
        old is not None
        and old.state is State.REGISTERING
        and old.external_key_id is None
        and old.intent == request.intent
    )


def _wait_for_iam(
    failure: EkmError, iam_wait: IamWait, old: Record | None, claim: int, *, in_doubt: bool
) -> Procedure[None]:
    """Wait for IAM, or end with the record as it was: a refused create leaves no mark."""
    try:
        yield from iam_wait.retry(failure)
    except EkmError:
        if not in_doubt and old is None:
            yield DeleteRecord()
        elif not in_doubt and old is not None:
            yield WriteRecord(replace(old, claim=claim))
        raise


def _ensure_single_key(
    request: RegisterRequest, made: _Found, record: Record
) -> Procedure[tuple[_Found, Record]]:
    """Make sure that there is one after an unclear answer; of two, the first one stays."""
    found = yield from resolve_duplicate(
        request.intent, made.key, record, request.list_lag, request.place
    )
    record = replace(record, in_doubt=False, external_key_id=found.id)
    if found.id == made.key.id:
        return replace(made, key=found), record
    record = yield WriteRecord(replace(record, registered_at=None))
    return _Found(found, "adopted", made.notices), record


def _validate(id: str, iam_wait: IamWait) -> Procedure[None]:
    while True:
        try:
            yield ValidateKey(id)
        except EkmError as failure:
            yield from iam_wait.retry(failure)
        else:
            return


def _check_match(request: RegisterRequest, key: ExternalKey) -> None:
    differing = matching.differences(request.intent, key)
    if not differing and (matching.is_ours(key) or key.workspace_id):
        return
    words = "; ".join(str(difference) for difference in differing) or "it is not an EKM key"
    raise Conflict(
        "registration_differs",
        f"{key.id} at OpenAI is another registration than asked for: {words}.",
        at_fault=request.place,
        remedy="A registration cannot be changed. Keep its values, or use another record (a "
        "second module instance), move to new projects there, then `ekm retire` this one.",
    )


def _adopts_another(request: RegisterRequest, recorded: str) -> EkmError:
    return Conflict(
        "adopts_another",
        f"The record {request.place} has {recorded}, which exists; --external-key names "
        f"{request.adopt}.",
        at_fault="--external-key",
        remedy="Leave --external-key out to keep the record's, or name another record.",
    )
