"""Runs the entries of a fleet, some at a time; one that fails holds no other up.

The fleet makes the list once, before it begins any entry; an entry takes its record's lease later.
An entry may use the list for its first look if its record, read under the lease, does not exist:
then no run has begun to register under this record, before the list or after it. The entry reads
each registration that the list shows for it again by its id. In every other case (a record that a
run left unfinished, that was retired, or whose registration is gone) and after a create without an
answer, the entry asks OpenAI for a list of its own.

One case remains: somebody registers the same key under another record, or by hand, while the fleet
runs. Therefore a fleet that took long makes the list once more at its end (`twins`).

How many at a time hardly matters for speed, since the pace is set for all of them together: a
few more than may begin in one window, so that some wait for IAM while others begin.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from openai_ekm.errors import Defect, EkmError, NotReachable
from openai_ekm.openai_api import Kind, kind_of
from openai_ekm.registration import matching, protocol
from openai_ekm.registration.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from openai_ekm.fleet.manifest import Entry
    from openai_ekm.openai_api.client import AdminApi
    from openai_ekm.openai_api.objects import ExternalKey
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.register import Registered

__all__ = [
    "CONCURRENCY",
    "LOOK_AGAIN_AFTER",
    "FleetList",
    "FleetRunner",
    "Outcome",
    "Stop",
    "Watcher",
    "in_threads",
    "run_fleet",
    "twins",
]

LOOK_AGAIN_AFTER: Final = 600.0  # seconds that a list may be old without a second look at the end


class FleetList:
    """The registrations at OpenAI when the fleet was begun, by role and key."""

    def __init__(self, keys: Iterable[ExternalKey]) -> None:
        self._by_arns: dict[tuple[str | None, str | None], list[ExternalKey]] = defaultdict(list)
        for key in keys:
            self._by_arns[key.role_arn, key.kms_arn].append(key)

    def of(self, intent: Intent) -> tuple[ExternalKey, ...]:
        """Return all that bears on an intent: registrations of the same role and key."""
        return tuple(self._by_arns.get((intent.role_arn, intent.kms_arn), ()))


class FleetRunner(Runner):
    """A runner whose first look at OpenAI's registrations the fleet's list may answer.

    Args:
        intent: The entry's.
        listed: The fleet's list, None when there is none.
        api: OpenAI.
        rest: As `Runner` takes it.
    """

    def __init__(
        self, intent: Intent, listed: FleetList | None, api: AdminApi, *rest: Any, **named: Any
    ) -> None:
        super().__init__(api, *rest, **named)
        self._openai = api
        self._intent = intent
        self._listed = listed
        self._serves = False

    def carry_out(self, step: protocol.Step) -> Any:
        """Carry a step out; the first list comes from the fleet when it may."""
        if isinstance(step, protocol.ListKeys) and self._serves and self._listed is not None:
            self._serves = False
            try:
                return tuple(map(self._confirm, self._listed.of(self._intent)))
            except EkmError as failure:
                # Deleted since, or not to be read yet: a list of its own says which.
                if kind_of(failure) is not Kind.GONE:
                    raise
        outcome = super().carry_out(step)
        if isinstance(step, protocol.ReadRecord):
            self._serves = outcome is None
        elif isinstance(step, protocol.WRITES):
            self._serves = False
        return outcome

    def _confirm(self, listed: ExternalKey) -> ExternalKey:
        """Return a registration of the list as it is now."""
        if not matching.matches(self._intent, listed):
            return listed
        return self._openai.get_external_key(listed.id)


def twins(entries: Iterable[Entry], keys: Iterable[ExternalKey]) -> dict[str, tuple[str, ...]]:
    """Return the entries that OpenAI has registered more than once: name -> ids, in their order."""
    listed = FleetList(keys)
    found = {}
    for entry in entries:
        same = [key for key in listed.of(entry.intent) if matching.matches(entry.intent, key)]
        if len(same) > 1:
            found[entry.name] = tuple(sorted(key.id for key in same))
    return found


CONCURRENCY: Final = 16  # entries at a time: two windows of seven, and two that wait for IAM
# What OpenAI refuses whichever entry is asked for: no other one would fare better.
HOPELESS: Final = frozenset(
    {
        "openai_feature_off",
        "openai_invalid_key",
        "openai_redirected",
        "openai_scope_missing",
        "openai_wrong_host",
    }
)
HEARTBEAT: Final = 0.2  # seconds between two looks whether the threads are done, or Ctrl-C came


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one entry: one of the two members is there.

    Args:
        calls: To OpenAI, repeats included.
    """

    entry: Entry
    registered: Registered | None = None
    failure: EkmError | None = None
    calls: int = 0


class Watcher(Protocol):
    """Is told what happens, from several threads."""

    def started(self, entry: Entry) -> None:
        """Tell that an entry is begun."""
        ...

    def said(self, entry: Entry, line: str) -> None:
        """Tell a line of progress of an entry."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """Tell that an entry is done, or has failed."""
        ...


class Stop:
    """Ends a run between two calls: no entry is begun any more, and nobody sleeps on.

    An entry sleeps only between two exchanges, so each entry ends where a crash there would
    have left it, with its lease given back; a rerun goes on.

    Args:
        sleep: Takes seconds, instead of waiting for the stop; for simulations.

    Attributes:
        because: What makes it useless to go on, None while nothing does.
        told: Called when a signal has asked.
    """

    def __init__(self, sleep: Callable[[float], None] | None = None) -> None:
        self._event = threading.Event()
        self._sleep = sleep
        self.because: EkmError | None = None
        self.told: Callable[[], None] = lambda: None

    @property
    def asked(self) -> bool:
        """Return whether the run is to end."""
        return self._event.is_set()

    def ask(self, because: EkmError | None = None) -> None:
        """End the run.

        Args:
            because: What makes it useless to go on; None: a person asked.
        """
        self.because = self.because or because
        self._event.set()

    def sleep(self, seconds: float) -> None:
        """Sleep, unless and until the run is to end.

        Raises:
            NotReachable: It is.
        """
        if self._sleep is None:
            self._event.wait(seconds)
        elif not self.asked:
            self._sleep(seconds)
        if self.asked:
            raise NotReachable(
                "fleet_stopped",
                "It was stopped on the way.",
                remedy="Run the same command again: it does the rest.",
            )


def run_fleet(
    entries: Iterable[Entry],
    work: Callable[[Entry], Outcome],
    *,
    watcher: Watcher,
    stop: Stop,
    concurrency: int = CONCURRENCY,
    spawn: Callable[[Sequence[Callable[[], None]], Stop], None] | None = None,
) -> tuple[Outcome, ...]:
    """Work on every entry, and return the outcomes in the order of the entries.

    Args:
        entries: Begun in this order.
        work: Carries one out; what it raises is that entry's failure.
        watcher: Is told what happens.
        stop: When asked, entries that were not begun have no outcome.
        concurrency: Entries at a time.
        spawn: Runs the workers to their ends; threads unless given.
    """
    waiting = deque(enumerate(entries))
    outcomes: dict[int, Outcome] = {}

    def worker() -> None:
        while not stop.asked:
            try:
                index, entry = waiting.popleft()
            except IndexError:
                return
            watcher.started(entry)
            try:
                outcome = work(entry)
            except EkmError as failure:
                outcome = Outcome(entry, failure=failure)
            except Exception as failure:  # noqa: BLE001 - it must not end the other entries
                words = f"This is a defect in ekm: {type(failure).__name__}: {failure}"
                outcome = Outcome(entry, failure=Defect("defect", words))
            outcomes[index] = outcome
            watcher.ended(outcome)
            if outcome.failure and outcome.failure.id in HOPELESS:
                stop.ask(outcome.failure)

    workers = [worker] * max(1, min(concurrency, len(waiting)))
    (spawn or in_threads)(workers, stop)
    return tuple(outcomes[index] for index in sorted(outcomes))


def in_threads(workers: Sequence[Callable[[], None]], stop: Stop) -> None:
    """Run workers in threads; the first Ctrl-C (or SIGTERM) asks them to stop.

    Raises:
        KeyboardInterrupt: At the second one, which leaves them as they are.
    """
    threads = [threading.Thread(target=worker, daemon=True) for worker in workers]
    with _signals_asking(stop):
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(HEARTBEAT)


@contextlib.contextmanager
def _signals_asking(stop: Stop) -> Iterator[None]:
    """Let signals ask for the stop, instead of an exception wherever the program happens to be."""
    if threading.current_thread() is not threading.main_thread():  # only that one gets signals
        yield
        return

    def ask(_number: int, _frame: object) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.ask()
        stop.told()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
