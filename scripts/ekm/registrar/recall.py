"""The registration that the record names: there, or gone, or not visible yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import Conflict, EkmError
from ekm.registrar.doubt import lag_left, look_delays
from ekm.registrar.steps import Age, FetchKey, Organization, Wait

if TYPE_CHECKING:
    from ekm.admin_api.objects import ExternalKey
    from ekm.registrar.record import Record
    from ekm.registrar.steps import Protocol

__all__ = ["recalled"]


def recalled(record: Record, external_key_id: str, lag: float) -> Protocol[ExternalKey | None]:
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
