"""Carries a drill's steps out, and keeps interruptions away from what gives access back."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from openai_ekm.drill import steps
from openai_ekm.errors import Conflict
from openai_ekm.registration.protocol import ProtocolDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai_ekm.drill.aws import Aws
    from openai_ekm.drill.note_store import NoteStore
    from openai_ekm.drill.steps import Procedure
    from openai_ekm.registration.record import RecordStore
    from openai_ekm.registration.runner import Runner

__all__ = ["DrillRunner", "Signals"]

T = TypeVar("T")
SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
# Reads, questions and waits: an interruption may cut each short, and nothing is lost by it.
INTERRUPTIBLE: Final = (
    steps.FetchKey,
    steps.ListKeys,
    steps.ListProjects,
    steps.ReadAws,
    steps.ReadPolicy,
    steps.ReadRecord,
    steps.ReadState,
    steps.ValidateKey,
    steps.Wait,
)


class Signals:
    """Turns SIGINT, SIGTERM and SIGHUP into `Interrupted`, where that may be raised.

    A signal that was ignored when the run began stays ignored: a run in the background, or under
    nohup, was started so on purpose.

    Args:
        progress: Takes a line for stderr.
        stops: When a run stops that cannot be interrupted now.
    """

    def __init__(
        self,
        progress: Callable[[str], None] = lambda _line: None,
        *,
        stops: str = "as soon as access is back",
    ) -> None:
        self._progress = progress
        self._stops = stops
        self._open = False
        self.pending: str | None = None

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Handle them; only the main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {}
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._receive)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Let an interruption be raised in this block, one that is pending at once."""
        try:
            self._open = True
            if self.pending is not None:
                raise self._taken()
            yield
        finally:
            self._open = False

    def _receive(self, number: int, _frame: object) -> None:
        self.pending = signal.Signals(number).name
        if self._open:
            raise self._taken()
        with contextlib.suppress(Exception):
            self._progress(f"{self.pending}: will stop {self._stops}.")

    def _taken(self) -> steps.Interrupted:
        self._open = False
        name, self.pending = self.pending or "signal", None
        return steps.Interrupted(name)


class DrillRunner:
    """One run of a drill's protocol.

    Args:
        base: Carries out the registrar's steps, and gives the lease back.
        store: The record, for its lease.
        notes: Where the note is.
        aws: The key's account.
        signals: What interrupts.
        progress: Takes a line for stderr.
        clock: Seconds, monotonic.
        now: Current time.
        sleep: Takes seconds; used while access is being given back.
    """

    def __init__(
        self,
        base: Runner,
        store: RecordStore,
        notes: NoteStore,
        aws: Aws,
        *,
        signals: Signals | None = None,
        progress: Callable[[str], None] = lambda _line: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = base
        self._store = store
        self._notes = notes
        self._aws = aws
        self._signals = signals or Signals(progress)
        self._progress = progress
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._shielded = False

    def run(self, protocol: Procedure[T]) -> T:
        """Carry the protocol out to its result; the lease is given back in any case.

        Raises:
            EkmError, Interrupted: As the protocol does.
        """
        procedure = ProtocolDriver(protocol)
        with self._signals.handled():
            try:
                for step in procedure:
                    try:
                        procedure.outcome = self._attempt(step)
                    except (Exception, KeyboardInterrupt) as raised:  # noqa: BLE001 - the protocol decides
                        procedure.failure = raised
                return procedure.result
            finally:
                procedure.close()
                self._base.release()

    def _attempt(self, step: steps.Step) -> Any:
        ends_shield = isinstance(step, steps.DeferInterrupts) and not step.on
        if isinstance(step, steps.DeferInterrupts):
            self._shielded = step.on
        if ends_shield or (isinstance(step, INTERRUPTIBLE) and not self._shielded):
            with self._signals.opened():
                return self.carry_out(step)
        return self.carry_out(step)

    def carry_out(self, step: steps.Step) -> Any:  # noqa: C901, PLR0911, PLR0912 - a line a step
        """Carry one step out and return its outcome.

        Raises:
            Conflict: Access was about to be cut, and the lease was lost to another run.
        """
        if steps.cuts(step) and not self._store.still_held():
            raise Conflict(
                "claim_lost",
                f"Another run took over the record {self._store.place}: this one had not been "
                "heard of for too long. Nothing was cut.",
                at_fault=self._store.place,
                remedy="Wait for the other run to end, then run again.",
            )
        match step:
            case steps.Now():
                at = self._now().astimezone(UTC).isoformat(timespec="milliseconds")
                return steps.Moment(at.replace("+00:00", "Z"), self._clock())
            case steps.DeferInterrupts():
                return None
            case steps.Elapsed():
                return self._clock()
            case steps.Say(text):
                return self._say(text)
            case steps.Wait(seconds, reason) if self._shielded:
                # The lease is left alone here: to renew it may fail, and this must not.
                self._say(reason)
                return self._sleep(seconds)
            case steps.ReadAws(intent):
                return self._aws.look(intent)
            case steps.ReadNote():
                return self._notes.read()
            case steps.WriteNote(note):
                return self._notes.write(note)
            case steps.DeleteNote(id):
                return self._notes.delete(id)
            case steps.ReadPolicy(key_arn):
                return self._aws.policy(key_arn)
            case steps.PutPolicy(key_arn, text):
                return self._aws.put_policy(key_arn, text)
            case steps.ReadState(key_arn):
                return self._aws.state(key_arn)
            case steps.DisableKey(key_arn):
                return self._aws.disable(key_arn)
            case steps.EnableKey(key_arn):
                return self._aws.enable(key_arn)
            case _:
                return self._base.carry_out(step)

    def _say(self, text: str) -> None:
        # A terminal that is gone must not keep access from being given back.
        with contextlib.suppress(OSError, ValueError):
            self._progress(text)
