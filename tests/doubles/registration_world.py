"""A registrar's world in memory: OpenAI, a record with claims, a clock that only waits move."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from openai_ekm.openai_api.client import AdminApi
from openai_ekm.registration.intent import Intent
from openai_ekm.registration.record import Held, Record, State
from openai_ekm.registration.register import Registered, RegisterRequest, register
from openai_ekm.registration.retire import Retired, RetireRequest, retire
from openai_ekm.registration.runner import Heartbeat, Runner
from tests.doubles.openai import Fault, OpenAI, Wire

if TYPE_CHECKING:
    from openai_ekm.registration.protocol import Procedure

T = TypeVar("T")

PLACE = "memory:prod"
BASE_URL = "https://api.openai.com/v1"
INTENT = Intent(
    role_arn="arn:aws:iam::111122223333:role/openai-ekm",
    kms_arn="arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
    external_id="org-abc123",
    name="prod",
)
WANTED = RegisterRequest(intent=INTENT, projects=("prod",), place=PLACE, base_url=BASE_URL)

KEY = {
    "type": "aws",
    "purpose": "ekm",
    "name": "prod",
    "role_arn": INTENT.role_arn,
    "kms_arn": INTENT.kms_arn,
    "external_id": INTENT.external_id,
    "workspace_id": "",
}


@dataclass
class Shelf:
    """What runs share: the record, and claims by number -> token of the run."""

    record: Record | None = None
    claims: dict[int, int] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    tokens: itertools.count[int] = field(default_factory=itertools.count)


class MemoryStore:
    """The claim rules of the SSM store; a claim lapses when its run is dead."""

    def __init__(self, shelf: Shelf) -> None:
        self.place = PLACE
        self.shelf = shelf
        self.token = next(shelf.tokens)
        self.number: int | None = None

    def read(self) -> Record | None:
        """Return the record."""
        return self.shelf.record

    def try_claim(self) -> int | Held:
        """Claim the next number, unless the highest one's run lives."""
        written = self.shelf.record.claim if self.shelf.record else 0
        top = max(self.shelf.claims, default=0)
        if top and top >= written and self.shelf.claims[top] not in self.shelf.dead:
            return Held("another run", 90.0)
        self.number = max(top, written) + 1
        self.shelf.claims[self.number] = self.token
        return self.number

    def still_held(self) -> bool:
        """Whether this run has the highest claim."""
        top = max(self.shelf.claims, default=0)
        return self.number == top and self.shelf.claims.get(top) == self.token

    def renew(self) -> None:
        """Nothing lapses here while its run lives."""

    def write(self, record: Record) -> None:
        """Replace the record."""
        self.shelf.record = record

    def delete(self) -> None:
        """Delete the record."""
        self.shelf.record = None

    def release(self) -> None:
        """Give the claim back."""
        if self.number is not None and self.shelf.claims.get(self.number) == self.token:
            del self.shelf.claims[self.number]
        self.number = None


@dataclass
class Clock:
    """Seconds that pass only when somebody sleeps."""

    seconds: float = 0.0

    def __call__(self) -> float:
        """Read it."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@dataclass
class World:
    """OpenAI and a record, over any number of runs."""

    openai: OpenAI = field(default_factory=OpenAI)
    shelf: Shelf = field(default_factory=Shelf)
    clock: Clock = field(default_factory=Clock)
    lines: list[str] = field(default_factory=list)

    def runner(self, faults: dict[int, Fault] | None = None) -> tuple[Runner, MemoryStore]:
        """A run's own runner, with faults by the number of its call."""
        store = MemoryStore(self.shelf)
        heartbeat = Heartbeat(store, clock=self.clock, sleep=self.clock.sleep)
        api = AdminApi(
            Wire(self.openai, faults or {}),
            sleep=heartbeat.sleep,
            progress=self.lines.append,
            chance=lambda: 0.0,
        )
        runner = Runner(
            api,
            store,
            heartbeat=heartbeat,
            progress=self.lines.append,
            clock=self.clock,
            now=lambda: datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=self.clock()),
        )
        return runner, store

    def run(self, protocol: Procedure[T], faults: dict[int, Fault] | None = None) -> T:
        """Run a protocol to its end."""
        return self.runner(faults)[0].run(protocol)

    def register(
        self, wanted: RegisterRequest = WANTED, faults: dict[int, Fault] | None = None
    ) -> Registered:
        """Register."""
        return self.run(register(wanted), faults)

    def retire(
        self, unwanted: RetireRequest | None = None, faults: dict[int, Fault] | None = None
    ) -> Retired:
        """Retire."""
        return self.run(retire(unwanted or RetireRequest(PLACE, BASE_URL, INTENT)), faults)

    def check(self, projects: tuple[str, ...] = ("prod",)) -> None:
        """One registration, one active project a name, and a record that says so."""
        assert len(self.openai.matching("prod")) == 1, self.openai.keys
        record = self.shelf.record
        assert record is not None
        assert record.state is State.REGISTERED
        assert record.external_key_id == self.openai.matching("prod")[0]
        assert set(record.projects) == set(projects)
        for name in projects:
            assert self.openai.active(name) == [record.projects[name]]
        assert self.openai.projects.keys() == set(record.projects.values())


def with_keys(*keys: dict[str, Any]) -> World:
    """A world in which OpenAI has registrations, and nobody has a record."""
    world = World()
    for key in keys:
        world.openai.keys[key["id"]] = {**KEY, **key}
    return world


def with_project(world: World, name: str, key: str, id: str = "proj_1") -> World:
    """The world with a project."""
    world.openai.projects[id] = {
        "id": id,
        "name": name,
        "external_key_id": key,
        "status": "active",
    }
    return world
