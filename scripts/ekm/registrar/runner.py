"""Carries a protocol's steps out: OpenAI, the record, the clock. No decision is made here."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ekm.errors import Conflict, EkmError
from ekm.registrar import steps
from ekm.registrar.record import Record, moment, timestamp
from ekm.registrar.store import RENEW_AFTER, RecordStore
from ekm.registrar.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekm.admin_api.client import AdminApi
    from ekm.registrar.intent import Intent
    from ekm.registrar.steps import Explanation, Protocol, Step

__all__ = ["Heartbeat", "Runner"]

T = TypeVar("T")
# Steps in which OpenAI calls AWS, or which change something: each may take seconds.
_ANNOUNCED: Final[dict[type, str]] = {
    steps.CreateKey: "Registering the key with OpenAI, which tries it.",
    steps.ValidateKey: "Asking OpenAI to use the key.",
    steps.CreateProject: "Creating the project.",
    steps.DeleteKey: "Deleting the registration at OpenAI.",
}
TELL_AFTER = 2.0  # seconds; a shorter wait is not worth a line


class Heartbeat:
    """A sleep that renews the claim while it lasts; pacing and retries sleep by it too.

    Args:
        store: Whose claim to renew.
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
        """The claim was just made."""
        self.claimed = True
        self._renewed = self._clock()

    def beat(self) -> None:
        """Renew the claim when it is due."""
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
        """Calls to OpenAI so far, repeats included."""
        return self._api.calls

    def run(self, protocol: Protocol[T]) -> T:
        """Carry the protocol out to its result; the claim is given back in any case.

        Raises:
            EkmError: As the protocol does.
        """
        walk = Walk(protocol)
        try:
            for step in walk:
                try:
                    walk.outcome = self.carry_out(step)
                except Exception as raised:  # noqa: BLE001 - the protocol decides what it means
                    walk.failure = raised
            return walk.result
        finally:
            walk.close()
            self.release()

    def carry_out(self, step: Step) -> Any:  # noqa: C901, PLR0911, PLR0912 - one line a step
        """Carry one step out and return its outcome.

        Raises:
            Conflict: A write was due, and the claim was lost to another run.
        """
        self._heartbeat.beat()
        if isinstance(step, steps.WRITES) and not self._store.still_held():
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
            case steps.TryClaim():
                claim = self._store.try_claim()
                if isinstance(claim, int):
                    self._heartbeat.start()
                return claim
            case steps.ReadRecord():
                return self._store.read()
            case steps.WriteRecord(record, validated):
                return self._write(record, validated=validated)
            case steps.DeleteRecord():
                return self._store.delete()
            case steps.FetchKey(id):
                return self._api.get_external_key(id)
            case steps.ListKeys():
                return self._api.list_external_keys()
            case steps.CreateKey(intent):
                return self._api.create_external_key(
                    name=intent.name,
                    role_arn=intent.role_arn,
                    kms_arn=intent.kms_arn,
                    external_id=intent.external_id,
                )
            case steps.ValidateKey(id):
                return self._api.validate_external_key(id)
            case steps.DeleteKey(id):
                return self._api.delete_external_key(id)
            case steps.ListProjects():
                return self._api.list_projects()
            case steps.CreateProject(name, external_key_id):
                return self._api.create_project(name=name, external_key_id=external_key_id)
            case steps.ArchiveProject(id):
                return self._api.archive_project(id)
            case steps.Wait(seconds, reason):
                if seconds >= TELL_AFTER:
                    self._progress(reason)
                return self._heartbeat.sleep(seconds)
            case steps.Elapsed():
                return self._clock() - self._api.pacer.waited
            case steps.Age(since):
                return (self._now() - moment(since)).total_seconds() if since else None
            case steps.Organization():
                return self._api.organization
            case steps.Explain(intent):
                return self._explain(intent) if self._explain else None
            case steps.Say(text):
                return self._progress(text)

    def release(self) -> None:
        """Give the claim back; one that cannot be given back is told, and lapses."""
        self._heartbeat.claimed = False
        try:
            self._store.release()
        except EkmError as failure:  # what was done is done: it must not end in this error
            self._progress(
                f"The claim on {self._store.place} could not be given back and will lapse: "
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
