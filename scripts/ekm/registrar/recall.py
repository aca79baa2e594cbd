"""The registration that the record names: there, or gone, or not visible yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import EkmError
from ekm.registrar.doubt import lag_left, look_delays
from ekm.registrar.steps import Age, FetchKey, Wait

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
    """
    delays: list[float] | None = None
    while True:
        try:
            key: ExternalKey = yield FetchKey(external_key_id)
        except EkmError as failure:
            if kind_of(failure) is not Kind.GONE:
                raise
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
