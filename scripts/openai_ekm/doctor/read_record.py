"""Read the record and who holds its lease; nothing is taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from openai_ekm.aws_session import client
from openai_ekm.doctor.facts import RecordFacts
from openai_ekm.errors import EkmError
from openai_ekm.registration.file_store import FileStore
from openai_ekm.registration.ssm_store import SsmStore

if TYPE_CHECKING:
    import boto3

    from openai_ekm.doctor.facts import Given

__all__ = ["read_record"]

_MEMBERS: Final = ("role_arn", "kms_arn", "external_id")


def read_record(given: Given, session: boto3.Session | None) -> RecordFacts | EkmError | None:
    """Read the record that is named.

    Args:
        given: What is named.
        session: The credentials, for a record in SSM; None where AWS cannot be asked.

    Returns:
        None when no record is named, or AWS cannot be asked for it.
    """
    if given.record is None:
        return None
    kind, path = given.record
    place = f"{kind}:{path}"
    try:
        if kind == "file":
            return _facts(given, place, FileStore(Path(path)))
        if session is None:
            return None
        return _facts(given, place, SsmStore(client(session, "ssm", attempts=2), path))
    except EkmError as error:
        return error


def _facts(given: Given, place: str, store: FileStore | SsmStore) -> RecordFacts:
    record = store.read()
    state = "none"
    differs: tuple[str, ...] = ()
    if record is not None:
        state = record.state.value
        differs = tuple(
            name
            for name in _MEMBERS
            if getattr(given, name) not in {None, getattr(record.intent, name)}
        )
    if isinstance(store, FileStore):
        return RecordFacts(place, state, differs, holder=None)
    held = store.holder()
    if held is None:
        return RecordFacts(place, state, differs)
    return RecordFacts(place, state, differs, held.holder, held.expires_in)
