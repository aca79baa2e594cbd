"""Carry out the steps of a procedure: calls to OpenAI, the record, the clock."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from openai_ekm.errors import Conflict, EkmError
from openai_ekm.openai_api.constants import TELL_AFTER
from openai_ekm.registration import protocol
from openai_ekm.registration.protocol import ProtocolDriver
from openai_ekm.registration.record import RENEW_AFTER, Record, RecordStore, moment, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.openai_api.client import AdminApi
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.protocol import Explanation, Procedure, Step

__all__ = ["Heartbeat", "Runner"]

T = TypeVar("T")
# Steps in which OpenAI calls AWS, or which change something: each may take seconds.
_ANNOUNCED: Final[dict[type, str]] = {
    protocol.CreateKey: "Registering the key with OpenAI, which tries it.",
    protocol.ValidateKey: "Asking OpenAI to use the key.",
    protocol.CreateProject: "Creating the project.",
    protocol.DeleteKey: "Deleting the registration at OpenAI.",
}


class Heartbeat:
    """A sleep that renews the lease while it lasts; pacing and retries sleep by it too.

    Args:
        store: Whose lease to renew.
        clock: Seconds, monotonic.
        sleep: Takes seconds.
    """

    def __init__(
        self,
        store: RecordStore,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._renewed = clock()
        self.claimed = False

    def start(self) -> None:
        """Note that the lease was just taken."""
        self.claimed = True
        self._renewed = self._clock()

    def beat(self) -> None:
        """Renew the lease when it is due."""
        if self.claimed and self._clock() - self._renewed >= RENEW_AFTER:
            self._store.renew()
            self._renewed = self._clock()

    def sleep(self, seconds: float) -> None:
        """Sleep, renewing on the way."""
        while seconds > 0:
            piece = min(seconds, RENEW_AFTER)
            self._sleep(piece)
            seconds -= piece
            self.beat()


class Runner:
    """One run of a protocol.

    Args:
        api: OpenAI.
        store: The record.
        heartbeat: Sleeps; the same that the api sleeps by.
        explain: Reads the policies after a denial, when that may be done.
        progress: Takes a line for stderr.
        clock: Seconds, monotonic.
        now: Current time, for the record.
    """

    def __init__(
        self,
        api: AdminApi,
        store: RecordStore,
        *,
        heartbeat: Heartbeat | None = None,
        explain: Callable[[Intent], Explanation | None] | None = None,
        progress: Callable[[str], None] = lambda _line: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api = api
        self._store = store
        self._heartbeat = heartbeat or Heartbeat(store)
        self._explain = explain
        self._progress = progress
        self._clock = clock
        self._now = now

    @property
    def calls(self) -> int:
        """Return the number of calls to OpenAI so far, repeats included."""
        return self._api.calls

    def run(self, protocol: Procedure[T]) -> T:
        """Carry the protocol out to its result; the lease is given back in any case.

        Raises:
            EkmError: As the protocol does.
        """
        procedure = ProtocolDriver(protocol)
        try:
            for step in procedure:
                try:
                    procedure.outcome = self.carry_out(step)
                except Exception as raised:  # noqa: BLE001 - the protocol decides what it means
                    procedure.failure = raised
            return procedure.result
        finally:
            procedure.close()
            self.release()

    def carry_out(self, step: Step) -> Any:  # noqa: C901, PLR0911, PLR0912 - one line a step
        """Carry one step out and return its outcome.

        Raises:
            Conflict: A write was due, and the lease was lost to another run.
        """
        self._heartbeat.beat()
        if isinstance(step, protocol.WRITES) and not self._store.still_held():
            raise Conflict(
                "claim_lost",
                f"Another run took over the record {self._store.place}: this one had not been "
                "heard of for too long.",
                at_fault=self._store.place,
                remedy="Wait for the other run to end, then run again.",
            )
        if type(step) in _ANNOUNCED:
            self._progress(_ANNOUNCED[type(step)])
        match step:
            case protocol.TryClaim():
                claim = self._store.try_claim()
                if isinstance(claim, int):
                    self._heartbeat.start()
                return claim
            case protocol.ReadRecord():
                return self._store.read()
            case protocol.WriteRecord(record, validated):
                return self._write(record, validated=validated)
            case protocol.DeleteRecord():
                return self._store.delete()
            case protocol.FetchKey(id):
                return self._api.get_external_key(id)
            case protocol.ListKeys():
                return self._api.list_external_keys()
            case protocol.CreateKey(intent):
                return self._api.create_external_key(
                    name=intent.name,
                    role_arn=intent.role_arn,
                    kms_arn=intent.kms_arn,
                    external_id=intent.external_id,
                )
            case protocol.ValidateKey(id):
                return self._api.validate_external_key(id)
            case protocol.DeleteKey(id):
                return self._api.delete_external_key(id)
            case protocol.ListProjects():
                return self._api.list_projects()
            case protocol.CreateProject(name, external_key_id):
                return self._api.create_project(name=name, external_key_id=external_key_id)
            case protocol.ArchiveProject(id):
                return self._api.archive_project(id)
            case protocol.Wait(seconds, reason):
                if seconds >= TELL_AFTER:
                    self._progress(reason)
                return self._heartbeat.sleep(seconds)
            case protocol.Elapsed():
                return self._clock() - self._api.pacer.waited
            case protocol.Age(since):
                return (self._now() - moment(since)).total_seconds() if since else None
            case protocol.Organization():
                return self._api.organization
            case protocol.Explain(intent):
                return self._explain(intent) if self._explain else None
            case protocol.Say(text):
                return self._progress(text)

    def release(self) -> None:
        """Give the lease back; report one that cannot be given back, which lapses."""
        self._heartbeat.claimed = False
        try:
            self._store.release()
        except EkmError as failure:  # what was done is done: it must not end in this error
            self._progress(
                f"The lease on {self._store.place} could not be given back and will lapse: "
                f"{failure.message}"
            )

    def _write(self, record: Record, *, validated: bool) -> Record:
        now = timestamp(self._now())
        record = replace(
            record,
            updated_at=now,
            validated_at=now if validated else record.validated_at,
            registered_at=record.registered_at or (now if record.external_key_id else None),
            organization=record.organization
            or (self._api.organization if record.external_key_id else None),
        )
        self._store.write(record)
        return record
