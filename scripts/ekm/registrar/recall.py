"""The registration that the record names: there, or gone, or not visible yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import EkmError
from ekm.registrar.steps import Age, FetchKey, Wait

if TYPE_CHECKING:
    from ekm.admin_api.objects import ExternalKey
    from ekm.registrar.record import Record
    from ekm.registrar.steps import Protocol

__all__ = ["recalled"]

# Seconds after a create within which OpenAI's "not found" may only mean "not yet": that reads
# follow a create at once is not public, so a young registration is looked for again.
YOUNG: Final = 15.0
LOOK_AGAIN: Final = 5.0  # seconds between two looks; each is a call, and calls are few


def recalled(record: Record, external_key_id: str) -> Protocol[ExternalKey | None]:
    """Fetch the registration of a record; None only when OpenAI says that it is gone.

    Args:
        record: As read.
        external_key_id: The record's.

    Raises:
        OpenAIRefused, NotReachable: Anything but the exact texts of "gone".
    """
    while True:
        try:
            key: ExternalKey = yield FetchKey(external_key_id)
        except EkmError as failure:
            if kind_of(failure) is not Kind.GONE:
                raise
            age: float | None = yield Age(record.registered_at)
            if age is None or not 0 <= age < YOUNG:
                return None
            yield Wait(
                min(LOOK_AGAIN, YOUNG - age),
                f"OpenAI does not find {external_key_id}, which was registered {age:.0f} s ago; "
                "looking again.",
            )
        else:
            return key
