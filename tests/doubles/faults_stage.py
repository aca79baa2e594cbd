"""The registrar against the emulator in one process: every exchange is a point for a mishap.

Real are the registrar, its client down to requests, the emulator's application, the store of
the record and botocore's errors. The network, the clock, SSM and the customer's AWS are doubles
that keep to what the real ones promise.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch
from urllib.parse import urlsplit

import anyio.to_thread
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import NewConnectionError
from urllib3.response import HTTPResponse as RawResponse

from openai_ekm.diagnosis import judge
from openai_ekm.emulator import aws_check
from openai_ekm.emulator.app import create_app
from openai_ekm.emulator.auth import ALL_SCOPES, AdminKeys
from openai_ekm.emulator.settings import Settings
from openai_ekm.emulator.state import Emulator
from openai_ekm.emulator.store import ExternalKeyRow, ProjectRow, Store
from openai_ekm.errors import EkmError
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.deadline import request_begins
from openai_ekm.openai_api.redaction import AdminKey
from openai_ekm.openai_api.transport import RequestsTransport
from openai_ekm.registration.intent import Intent
from openai_ekm.registration.record import Record, State, as_json
from openai_ekm.registration.register import RegisterRequest, register
from openai_ekm.registration.retire import RetireRequest, retire
from openai_ekm.registration.runner import Heartbeat, Runner
from openai_ekm.registration.ssm_store import SsmStore
from openai_ekm.snapshot import Snapshot
from tests.doubles.fault_points import Killed, Mishap, Outcome, Run, Wire
from tests.doubles.record_stores import PREFIX, Parameters, PointedFile, SsmClient, flushed
from tests.support.healthy import healthy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from openai_ekm.emulator.errors import ApiError
    from openai_ekm.emulator.store import Event
    from openai_ekm.registration.protocol import Procedure
    from openai_ekm.registration.record import RecordStore

T = TypeVar("T")

SECRET = "sk-admin-Schedule0123456789"
BASE_URL = "http://127.0.0.1:9/v1"  # nothing listens there: the adapter is the network
INTENT = Intent(
    role_arn="arn:aws:iam::111122223333:role/openai-ekm",
    kms_arn="arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
    external_id="org-abc",
    name="prod",
)
BEGIN = 1_795_000_000.0


class _Network(BaseAdapter):
    """What requests sends goes into the emulator's application, unless a mishap is due."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._shape = HTTPAdapter()

    def send(self, request: requests.PreparedRequest, **_given: Any) -> requests.Response:  # type: ignore[override]
        """Make the exchange."""
        path = urlsplit(request.url or "").path
        words = ["{id}" if w.startswith(("extkey_", "proj_")) else w for w in path.split("/")[3:]]
        label = f"{request.method} {'/'.join(words)}"
        try:
            wire: Wire = self._run.at(
                "http", label, lambda: self._run.stage.exchange(request), request
            )
        except requests.exceptions.ConnectTimeout:
            raise
        except requests.RequestException as failure:
            if not isinstance(failure.args[0], NewConnectionError):
                request_begins()
            raise
        request_begins()
        stream: Any = io.BytesIO(wire.body[: len(wire.body) // 2] if wire.cut else wire.body)
        length = {"content-length": str(len(wire.body))}
        raw = RawResponse(
            body=stream,
            headers={**wire.headers, **length},
            status=wire.status,
            preload_content=False,
            enforce_content_length=True,
            request_method=request.method,
        )
        return self._shape.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


class TrueCloud:
    """The customer's AWS: the module's role and key, judged as the emulator judges live ones."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._judged: dict[tuple[str, str, str], ApiError | None] = {}
        self.denies_until = 0.0

    def check(self, row: ExternalKeyRow, settings: Settings) -> None:
        """Refuse in AWS's words what the policies do not allow."""
        settled = self._now() >= self.denies_until
        registered = (row.role_arn, row.kms_arn, row.external_id if settled else "org-unsettled")
        if registered not in self._judged:
            names = ("role_arn", "kms_arn", "external_id")
            body = {**healthy(), "registration": dict(zip(names, registered, strict=True))}
            found = judge(Snapshot.from_json(body)).error
            self._judged[registered] = aws_check._as_openai(found, settings) if found else None
        if refused := self._judged[registered]:
            raise refused


@functools.cache
def _application() -> tuple[Emulator, Any, asyncio.AbstractEventLoop]:
    """The emulator's application, made once: each stage puts its own state into it."""
    keys = AdminKeys.of({SECRET: ALL_SCOPES})
    emulator = Emulator(Store(), keys, TrueCloud(lambda: BEGIN), lambda: BEGIN)
    app = create_app(emulator, hang_up=lambda _scope: None)
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return emulator, app, loop


def _made(events: Iterable[Event]) -> set[str]:
    return {each.resource_id for each in events if each.type == "external_key.registered"}


async def _run_here(function: Callable[..., T], *arguments: Any, **_given: Any) -> T:
    """Run a handler in this thread: a stage has one caller at a time, and threads cost the most."""
    return function(*arguments)


class Stage:
    """OpenAI, a record, a clock, and what belongs to others; any number of processes, in turn.

    Args:
        folder: For a file record; None keeps the record in SSM.
        planted: Put registrations and projects of others beside the intent's.
    """

    def __init__(self, folder: Path | None = None, *, planted: bool = True) -> None:
        self.now = BEGIN
        self.skew = 0.0
        self._file = folder / "record.json" if folder else None
        self.place = f"file:{self._file}" if self._file else f"ssm:{PREFIX}"
        self.parameters = Parameters(self.monotonic)
        self.cloud = TrueCloud(self.monotonic)
        self.store = Store()
        self.emulator, self._app, self._loop = _application()
        self.emulator.store.close()
        self.emulator.store = self.store
        self.emulator.cloud = self.cloud
        self.emulator.clock = self.monotonic
        self.emulator.settings = Settings()
        self.emulator.requests.clear()
        self.emulator.__post_init__()  # the default project
        if planted:
            self._plant()
        self._others = self._foreign()
        self.runs: list[Run] = []

    def close(self) -> None:
        """Give the organization back."""
        self.store.close()

    # Time

    def monotonic(self) -> float:
        """Seconds that pass only when somebody waits."""
        return self.now

    def wall(self) -> datetime:
        """What this machine believes the time to be."""
        return datetime.fromtimestamp(self.now + self.skew, UTC)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    # OpenAI

    def exchange(self, request: requests.PreparedRequest) -> Wire:
        """Let the emulator's application answer."""
        parts = urlsplit(request.url or "")
        body = request.body or b""
        scope = {
            "type": "http",
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
            "method": request.method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [
                (b"host", parts.netloc.encode()),
                *((k.lower().encode(), v.encode()) for k, v in request.headers.items()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 9),
        }
        answered: dict[str, Any] = {"body": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answered["status"] = message["status"]
                answered["headers"] = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answered["body"] += message.get("body", b"")

        with patch.object(anyio.to_thread, "run_sync", _run_here):
            self._loop.run_until_complete(self._app(scope, receive, send))
        return Wire(answered["status"], answered["headers"], answered["body"])

    def _plant(self) -> None:
        """Put what looks like the intent's and is not into the organization."""
        same: dict[str, Any] = {
            "type": "aws",
            "purpose": "ekm",
            "name": INTENT.name,
            "role_arn": INTENT.role_arn,
            "kms_arn": INTENT.kms_arn,
            "external_id": INTENT.external_id,
            "workspace_id": "",
            "created_at": BEGIN - 1000,
        }
        for number, change in enumerate(
            (
                {"name": "prod2"},
                {"external_id": "org-other"},
                {"role_arn": f"{INTENT.role_arn}-2"},
                {"kms_arn": INTENT.kms_arn.replace("/1", "/2")},
                {"purpose": "psp_decryption"},
                {"workspace_id": "ws_1"},
            )
        ):
            self.store.add_external_key(ExternalKeyRow(id=f"extkey_o{number}", **(same | change)))
        for number, key in enumerate((None, "extkey_o0", "extkey_o5")):
            self.store.add_project(
                ProjectRow(f"proj_o{number}", "prod", BEGIN - 900, external_key_id=key)
            )

    def made(self) -> set[str]:
        """Ids of every registration that was ever made here, deleted ones too."""
        return _made(self.store.events())

    def _foreign(self, mine: Collection[str] = ()) -> list[Any]:
        """Everything but these registrations and their projects."""
        projects = self.store.projects(include_archived=True)
        return [
            *(key for key in self.store.external_keys() if key.id not in mine),
            *(project for project in projects if project.external_key_id not in mine),
        ]

    def registrations(self) -> list[ExternalKeyRow]:
        """What is registered for the intent."""
        wanted = (INTENT.name, INTENT.role_arn, INTENT.kms_arn, INTENT.external_id, "ekm", "")
        return [
            row
            for row in self.store.external_keys()
            if (row.name, row.role_arn, row.kms_arn, row.external_id, row.purpose, row.workspace_id)
            == wanted
        ]

    def projects(self) -> list[ProjectRow]:
        """Active projects on registrations made here."""
        mine = self.made()
        return [p for p in self.store.projects() if p.external_key_id in mine]

    # Processes

    def process(self, make: Callable[[], Procedure[T]], mishaps: Mapping[int, Mishap]) -> Outcome:
        """Run a protocol as one process would."""
        run = Run(self, mishaps)
        self.runs.append(run)
        store = self._record(run)
        heartbeat = Heartbeat(store, clock=self.monotonic, sleep=self.sleep)
        key = AdminKey(SECRET, origin="OPENAI_ADMIN_KEY")
        transport = RequestsTransport(BASE_URL, key, adapter=_Network(run), clock=self.monotonic)
        api = AdminApi(
            transport,
            sleep=heartbeat.sleep,
            progress=run.lines.append,
            chance=lambda: 0.0,
            now=self.wall,
        )
        runner = Runner(
            api,
            store,
            heartbeat=heartbeat,
            progress=run.lines.append,
            clock=self.monotonic,
            now=self.wall,
        )
        with flushed(run):
            try:
                outcome = Outcome(0, result=runner.run(make()))
            except Killed:
                outcome = Outcome("killed")
            except EkmError as failure:
                outcome = Outcome(failure.exit_code, failure.id, failure.message, failure.remedy)
        if isinstance(store, PointedFile):
            store._lock.release(force=True)  # as the operating system does for a dead process
        self.check_always(run, outcome)
        return outcome

    def register(
        self, mishaps: Mapping[int, Mishap] | None = None, projects: tuple[str, ...] = ("prod",)
    ) -> Outcome:
        """Run `ekm register`."""
        wanted = RegisterRequest(INTENT, projects, self.place, BASE_URL)
        return self.process(lambda: register(wanted), mishaps or {})

    def retire(
        self, mishaps: Mapping[int, Mishap] | None = None, *, delete_record: bool = False
    ) -> Outcome:
        """Run `ekm retire`, with the word that lets it archive."""
        known = self.record()
        confirm = known.external_key_id if known else None
        found = confirm or next((key.id for key in self.registrations()), None)
        unwanted = RetireRequest(
            self.place, BASE_URL, INTENT, confirm=found, delete_record=delete_record
        )
        return self.process(lambda: retire(unwanted), mishaps or {})

    def _record(self, run: Run) -> RecordStore:
        if self._file:
            return PointedFile(self._file, run)
        store = SsmStore(SsmClient(self.parameters, run), PREFIX)
        store._me = {**store._me, "host": f"host-{len(self.runs)}"}  # each on its own machine
        return store

    def record(self) -> Record | None:
        """The record, read past every mishap."""
        reader = Run(self)
        store = (
            PointedFile(self._file, reader)
            if self._file
            else SsmStore(SsmClient(self.parameters, reader), PREFIX)
        )
        return store.read()

    def lose_record(self) -> None:
        """Let somebody clean up what they should not have."""
        self.parameters.values.clear()
        if self._file:
            self._file.unlink()

    # What must hold

    def check_always(self, run: Run, outcome: Outcome) -> None:
        """After every process, however it ended: nothing of others, no secret, no false record."""
        events = self.store.events()
        made = _made(events)
        assert self._foreign(made) == self._others, "something of others was touched"
        shown = [*run.lines, outcome.message, outcome.remedy or "", repr(outcome.result)]
        shown += [value for value, _ in self.parameters.values.values()]
        shown += [json.dumps(list(self.emulator.requests))]
        shown += [e.type + json.dumps(e.details) for e in events]
        record = self.record()
        shown += [json.dumps(as_json(record)) if record else ""]
        assert not any(SECRET in text for text in shown), "the admin key is in what is shown"
        if outcome.code not in {0, "killed"}:
            assert outcome.message
            assert outcome.remedy, outcome
        if record is not None and record.external_key_id:
            assert record.external_key_id in made, "the record names what never was"
            for project in record.projects.values():
                found = self.store.project(project)
                assert found is not None, "the record names a project that never was"
                assert found.external_key_id == record.external_key_id

    def check_registered(self, projects: tuple[str, ...] = ("prod",)) -> None:
        """One registration, one active project a name, and a record at rest that says so."""
        assert len(self.registrations()) == 1, self.registrations()
        record = self.record()
        assert record is not None
        assert record.state is State.REGISTERED
        assert not record.in_doubt
        assert record.creating is None
        assert record.external_key_id == self.registrations()[0].id
        assert {p.name: p.id for p in self.projects()} == dict(record.projects)
        assert sorted(p.name for p in self.projects()) == sorted(projects)
        assert self._claims() == []

    def check_retired(self, *, record_deleted: bool = False) -> None:
        """Nothing of the intent is left, and the record says so."""
        assert self.registrations() == []
        assert self.projects() == []
        record = self.record()
        if record_deleted:
            assert record is None
        else:
            assert record is None or record.state is State.RETIRED
        assert self._claims() == []

    def _claims(self) -> list[str]:
        return [name for name in self.parameters.values if "claim" in name]

    def set(self, **settings: Any) -> None:
        """Change how OpenAI behaves."""
        self.emulator.settings = self.emulator.settings.changed(settings)

    def sighted(self) -> None:
        """Let lists and reads follow at once again."""
        self.set(list_delay_seconds=0, read_delay_seconds=0)
