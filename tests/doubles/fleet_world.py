"""A fleet's world in virtual time: OpenAI with its rate limit, registrars, and no real waiting.

Threads take turns: one runs at a time, and time passes only when all of them sleep. So a fleet
that takes hours is tried in seconds, and ends the same each time.
"""

from __future__ import annotations

import heapq
import json
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from openai_ekm.fleet.manifest import Entry, parse
from openai_ekm.fleet.run import CONCURRENCY, FleetList, FleetRunner, Outcome, Stop, run_fleet
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.connection import SharedLists, SharingApi
from openai_ekm.openai_api.pacing import MemoryBook, WindowPacer
from openai_ekm.openai_api.redaction import AdminKey
from openai_ekm.openai_api.transport import HttpRequest, HttpResponse
from openai_ekm.registration.register import RegisterRequest, register
from openai_ekm.registration.runner import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from openai_ekm.registration.record import Record

BASE_URL = "https://api.openai.com/v1"
PER_MINUTE = 7  # calls to each endpoint that OpenAI lets through
EPOCH = 1_795_000_000.0  # seconds; where virtual time begins


class VirtualTime:
    """A clock that passes when everybody sleeps, and the threads that share it."""

    def __init__(self) -> None:
        self.now = EPOCH
        self._numbers = count()
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._own = threading.local()
        self._over = threading.Event()

    def __call__(self) -> float:
        """Read it."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let others run until that much time has passed."""
        event: threading.Event | None = getattr(self._own, "event", None)
        if event is None:  # the test itself: nobody else runs
            self.now += seconds
            return
        event.clear()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), event))
        self._wake_next()
        event.wait()

    def run(self, workers: Sequence[Callable[[], None]], _stop: Stop | None = None) -> None:
        """Run workers to their ends."""
        self._over.clear()
        threads = []
        for worker in workers:
            event = threading.Event()
            heapq.heappush(self._sleepers, (self.now, next(self._numbers), event))
            threads.append(threading.Thread(target=self._turn, args=(worker, event), daemon=True))
        for thread in threads:
            thread.start()
        self._wake_next()
        self._over.wait()
        for thread in threads:
            thread.join()

    def _turn(self, worker: Callable[[], None], event: threading.Event) -> None:
        self._own.event = event
        event.wait()
        try:
            worker()
        finally:
            self._wake_next()

    def _wake_next(self) -> None:
        if not self._sleepers:
            self._over.set()
            return
        moment, _, event = heapq.heappop(self._sleepers)
        self.now = max(self.now, moment)
        event.set()


@dataclass
class Service:
    """OpenAI's Admin API: a limit for each endpoint over any 60 seconds, pages, latency.

    Args:
        time: When it is.
        per_minute: Calls to each endpoint that pass; others are answered 429.
        settles: Seconds until IAM lets OpenAI use a key, from its first create.
    """

    time: VirtualTime
    per_minute: int = PER_MINUTE
    settles: float = 0.0
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    first_asked: dict[object, float] = field(default_factory=dict)
    _passed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def send(self, request: HttpRequest) -> HttpResponse:
        """The transport: there and back again in half a second and more, as create is slow."""
        self.calls[request.endpoint] += 1
        self.time.sleep(0.1)
        passed = self._passed[request.endpoint]
        passed[:] = [moment for moment in passed if moment > self.time.now - 60.0]
        if len(passed) >= self.per_minute:
            self.refused[request.endpoint] += 1
            return _json({"error": {"message": "Rate limit reached."}}, 429)
        passed.append(self.time.now)
        self.time.sleep(1.4 if request.method == "POST" else 0.4)
        return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:  # noqa: PLR0911 - one an endpoint
        body = dict(request.body or {})
        match request.method, request.path.split("/")[2:]:
            case "GET", ["external_keys"]:
                return self._page(dict(request.query).get("after"))
            case "POST", ["external_keys"]:
                first = self.first_asked.setdefault(body["name"], self.time.now)
                if self.time.now < first + self.settles:
                    return _json({"error": {"message": DENIED}}, 400)
                new = f"extkey_{len(self.keys):06d}"
                self.keys[new] = {**body, "id": new, "workspace_id": "", "api_project_ids": []}
                return _json(self.keys[new])
            case "GET", ["external_keys", found] if found not in self.keys:
                message = f"The external key {found} was not found"
                return _json({"error": {"message": message}}, 404)
            case "GET", ["external_keys", found]:
                return _json(self.keys[found])
            case "GET", ["projects"]:
                return _json({"data": list(self.projects.values()), "has_more": False})
            case "POST", ["external_keys", _, "validate"]:
                return _json({"status": "success"})
            case "POST", ["projects"]:
                new = f"proj_{len(self.projects):06d}"
                self.projects[new] = {**body, "id": new, "status": "active"}
                self.keys[str(body["external_key_id"])]["api_project_ids"].append(new)
                return _json(self.projects[new])
            case _:
                raise AssertionError(request)

    def _page(self, after: str | None) -> HttpResponse:
        ids = list(self.keys)
        start = ids.index(after) + 1 if after else 0
        page = ids[start : start + 100]
        return _json(
            {
                "data": [self.keys[one] for one in page],
                "has_more": start + 100 < len(ids),
                "last_id": page[-1] if page else None,
            }
        )


DENIED = (
    "User: arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service is "
    "not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/x"
)


class Store:
    """One entry's record in memory."""

    place = "memory"

    def __init__(self, records: dict[str, Record], name: str) -> None:
        self._records = records
        self._name = name

    def read(self) -> Record | None:
        """The record."""
        return self._records.get(self._name)

    def try_claim(self) -> int:
        """Nobody else is there."""
        return 1

    def still_held(self) -> bool:
        """Nobody else is there."""
        return True

    def renew(self) -> None:
        """Nothing to do."""

    def write(self, record: Record) -> None:
        """Replace it."""
        self._records[self._name] = record

    def delete(self) -> None:
        """Delete it."""
        self._records.pop(self._name, None)

    def release(self) -> None:
        """Nothing to do."""


class Silent:
    """A watcher that counts."""

    def __init__(self) -> None:
        self.most = 0
        self._running = 0

    def started(self, _entry: Entry) -> None:
        """Count."""
        self._running += 1
        self.most = max(self.most, self._running)

    def said(self, _entry: Entry, _line: str) -> None:
        """Keep nothing."""

    def ended(self, _outcome: Outcome) -> None:
        """Count."""
        self._running -= 1


@dataclass
class FleetWorld:
    """Registrars of one machine and OpenAI.

    Args:
        shared_folder: Where separate processes share lists; None: one process with one list.
        per_minute: What OpenAI lets through.
    """

    shared_folder: Path | None = None
    per_minute: int = PER_MINUTE
    settles: float = 0.0
    records: dict[str, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.time = VirtualTime()
        self.service = Service(self.time, self.per_minute, self.settles)
        self.book = MemoryBook()
        self.watcher = Silent()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self.time.now - EPOCH

    def api(self, sleep: Callable[[float], None]) -> AdminApi:
        """A client, paced with all the others."""
        pacer = WindowPacer(PER_MINUTE, BASE_URL, book=self.book, clock=self.time, sleep=sleep)
        settings: dict[str, Any] = {"pacer": pacer, "sleep": sleep, "chance": lambda: 0.5}
        if self.shared_folder is None:
            return AdminApi(self.service, **settings)
        key = AdminKey("sk-admin-virtual-0123456789", origin="test")
        lists = SharedLists(BASE_URL, key, self.shared_folder, sleep=sleep)
        return SharingApi(lists, self.service, **settings)

    def register(
        self, entries: tuple[Entry, ...], concurrency: int = CONCURRENCY
    ) -> tuple[Outcome, ...]:
        """Register all, as `ekm register --manifest` does, or one process each."""
        listed = None
        if self.shared_folder is None and any(one.name not in self.records for one in entries):
            listed = FleetList(self.api(self.time.sleep).list_external_keys())
        return run_fleet(
            entries,
            lambda entry: self.work(entry, listed),
            watcher=self.watcher,
            stop=Stop(self.time.sleep),
            concurrency=concurrency,
            spawn=self.time.run,
        )

    def work(self, entry: Entry, listed: FleetList | None, stop: Stop | None = None) -> Outcome:
        """Register one entry of a fleet that has listed."""
        store = Store(self.records, entry.name)
        sleep = stop.sleep if stop else self.time.sleep
        heartbeat = Heartbeat(store, clock=self.time, sleep=sleep)
        runner = FleetRunner(
            entry.intent,
            listed,
            self.api(heartbeat.sleep),
            store,
            heartbeat=heartbeat,
            clock=self.time,
            now=lambda: datetime.fromtimestamp(0, UTC) + timedelta(seconds=self.time.now),
        )
        wanted = RegisterRequest(entry.intent, entry.projects, entry.record, BASE_URL)
        return Outcome(entry, runner.run(register(wanted)), calls=runner.calls)


def entries(number: int, projects: int = 1) -> tuple[Entry, ...]:
    """A fleet of so many keys."""
    value = {
        "schema": "ekm-fleet/1",
        "defaults": {"external_id": "org-abc123", "record": "file:{name}.json"},
        "entries": [
            {
                "name": f"key-{index}",
                "role_arn": f"arn:aws:iam::111122223333:role/openai-ekm-{index}",
                "kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/"
                f"{index:08d}-2222-3333-4444-555555555555",
                "projects": [f"key-{index}-{project}" for project in range(projects)],
            }
            for index in range(number)
        ],
    }
    return parse(json.dumps(value), "fleet.json", str)


def least_seconds(number: int, projects: int = 1) -> float:
    """What nothing can beat: the busiest endpoint at 7 calls in any 60 seconds."""
    return (number * max(1, projects) - 1) // PER_MINUTE * 60.0


def _json(value: object, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {}, json.dumps(value).encode())
