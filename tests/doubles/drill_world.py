"""A key, its policy, OpenAI's view of it and a drill's note, in memory, with a fault anywhere."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from openai_ekm.drill import key_policy, steps
from openai_ekm.drill.log import DrillLog
from openai_ekm.drill.note import Method, Note
from openai_ekm.drill.preflight import AwsView
from openai_ekm.drill.restore import Asked, restore
from openai_ekm.drill.revoke import Order, Plan, look, revoke
from openai_ekm.drill.runner import DrillRunner, Signals
from openai_ekm.errors import Conflict, NotReachable
from openai_ekm.openai_api.objects import ExternalKey, Project
from openai_ekm.openai_api.refusal_errors import as_error
from openai_ekm.openai_api.refusals import Kind, Refusal
from openai_ekm.registration.intent import Intent
from openai_ekm.registration.record import Held, Record, State
from openai_ekm.snapshot import UNSEEN, Key, Registration, Role, Snapshot
from tests.constants import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.drill.steps import Procedure

__all__ = [
    "CALLER",
    "EXTERNAL_KEY",
    "FORMER",
    "INTENT",
    "KEY_ARN",
    "PLACE",
    "Killed",
    "World",
    "order",
    "plan_of",
]

T = TypeVar("T")
PLACE = "memory:drill"
EXTERNAL_KEY = "extkey_drill"
CALLER = f"arn:aws:iam::{ACCOUNT}:root"
KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
INTENT = Intent(
    role_arn=f"arn:aws:iam::{ACCOUNT}:role/openai-ekm",
    kms_arn=KEY_ARN,
    external_id="org-abc123",
    name="drill",
)
FORMER = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "AllowAdministration", "Effect": "Allow", "Resource": "*",
     "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
     "Action": ["kms:PutKeyPolicy", "kms:EnableKey", "kms:DisableKey"]},
    {"Sid": "AllowUseByRole", "Effect": "Allow", "Resource": "*",
     "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
     "Action": ["kms:Decrypt", "kms:Encrypt"],
     "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/openai-ekm"}}}
  ]
}"""
RECORD = Record(State.REGISTERED, 1, INTENT, "https://api.openai.com/v1", EXTERNAL_KEY)
ORDER = Order(PLACE, Method.KEY_POLICY, "drill-1", "here", EXTERNAL_KEY, (), 0.0, 60.0)


class Killed(BaseException):
    """The process is gone: nothing it would do from here on happens."""


def order(**changes: Any) -> Order:
    """A confirmed drill, with changes."""
    values: dict[str, Any] = {name: getattr(ORDER, name) for name in Order.__slots__}
    return Order(**(values | changes))


@dataclass
class World:
    """All that lasts between runs, and the fault of this run.

    Args:
        lag: Looks at AWS that show what was there before the last change.
        fault: Called before and after each exchange with its number, its step and the moment.
    """

    policy: str = FORMER
    state: str = "Enabled"
    note: Note | None = None
    record: Record | None = RECORD
    projects: tuple[tuple[str, str], ...] = (("proj_1", "ekm-drill"),)
    workspace: str = ""
    others: tuple[ExternalKey, ...] = ()
    caller: str = CALLER
    ignores_cut: bool = False
    lag: int = 0
    stale: dict[str, tuple[str, int]] = field(default_factory=dict)
    also_refused: Refusal | None = None
    meanwhile: Callable[[World, int], None] = lambda _world, _number: None
    fault: Callable[[int, str, str], None] = lambda _number, _step, _when: None
    seconds: float = 0.0
    calls: int = 0
    steps: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    signals: Signals = field(default_factory=Signals)
    dead: bool = False
    holder: object = None

    def revoke(self, wanted: Order = ORDER) -> DrillLog:
        """Run a drill; the log is kept in `log` as well."""
        self.log = DrillLog("revoke", PLACE, held_for=wanted.hold)
        self._run(revoke(wanted, self.log))
        return self.log

    def restore(self, *, validate: bool = True) -> DrillLog:
        """Run a restore, without faults."""
        self.dead = False
        self.fault = lambda _number, _step, _when: None
        self.log = DrillLog("restore", PLACE)
        self._run(restore(Asked(PLACE, 60.0, validate=validate), self.log))
        return self.log

    @property
    def open(self) -> bool:
        """Whether OpenAI can use the key, and the policy says what it said before."""
        return self.state == "Enabled" and key_policy.digest(self.policy) == key_policy.digest(
            FORMER
        )

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.signals._receive(signal.SIGINT, None)

    def change(self, name: str, value: str) -> None:
        """Change `policy` or `state`; KMS may show it late."""
        self.stale[name] = (self.shown(name, looks=0), self.lag)
        setattr(self, name, value)

    def shown(self, name: str, *, looks: int = 1) -> str:
        """What KMS shows of `policy` or `state`."""
        before, left = self.stale.get(name, ("", 0))
        if left <= 0:
            return str(getattr(self, name))
        self.stale[name] = (before, left - looks)
        return before

    def _run(self, protocol: Procedure[T]) -> T:
        self.signals = Signals(self.said.append)
        self.calls = 0
        self.steps = []
        world: Any = _Ends(self)
        runner = DrillRunner(
            world,
            world,
            world,
            world,
            signals=self.signals,
            progress=self.said.append,
            clock=lambda: self.seconds,
            now=lambda: datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=self.seconds),
            sleep=lambda seconds: world.exchange("sleep", lambda: world.pass_time(seconds)),
        )
        return runner.run(protocol)


class _Ends:
    """The other ends of a drill: OpenAI, AWS, record and note."""

    place = PLACE

    def __init__(self, world: World) -> None:
        self.world = world
        self.claimed = False

    def exchange(self, name: str, does: Callable[[], T]) -> T:
        """One exchange, with what goes wrong before and after it."""
        world = self.world
        if world.dead:
            raise Killed
        world.calls += 1
        number = world.calls
        world.steps.append(name)
        world.meanwhile(world, number)
        self._failing(number, name, "before")
        outcome = does()
        self._failing(number, name, "after")
        return outcome

    def _failing(self, number: int, name: str, when: str) -> None:
        try:
            self.world.fault(number, name, when)
        except Killed:
            self.world.dead = True
            raise

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.world.seconds += seconds

    # The registrar's runner.

    def carry_out(self, step: Any) -> Any:  # noqa: PLR0911 - a line a step
        """Carry a step of the registrar's out."""
        world = self.world
        kind = type(step).__name__
        match step:
            case steps.TryClaim():
                return self.exchange(kind, self._claim)
            case steps.ReadRecord():
                return self.exchange(kind, lambda: world.record)
            case steps.FetchKey():
                return self.exchange(kind, self._key)
            case steps.ListKeys():
                return self.exchange(kind, lambda: (self._key(), *world.others))
            case steps.ListProjects():
                listed = [Project(each, name, EXTERNAL_KEY) for each, name in world.projects]
                return self.exchange(kind, lambda: tuple(listed))
            case steps.ValidateKey():
                return self.exchange(kind, self._validate)
            case steps.Wait(seconds, _):
                return self.exchange(kind, lambda: self.pass_time(seconds))
        raise AssertionError(step)

    def _claim(self) -> int | Held:
        if self.world.holder is not None:
            return Held("another run", 1.0)
        self.world.holder = self
        return 2

    def _key(self) -> ExternalKey:
        world = self.world
        return ExternalKey(
            id=EXTERNAL_KEY,
            type="aws",
            purpose="ekm",
            name=INTENT.name,
            role_arn=INTENT.role_arn,
            kms_arn=INTENT.kms_arn,
            external_id=INTENT.external_id,
            api_project_ids=tuple(each for each, _ in world.projects),
            workspace_id=world.workspace,
        )

    def _validate(self) -> None:
        world = self.world
        if world.also_refused is not None:
            raise as_error(world.also_refused, "POST validate")
        if world.ignores_cut:
            return
        if world.state != "Enabled":
            said = f"{KEY_ARN} is disabled."
            raise as_error(Refusal(Kind.AWS_KEY_UNUSABLE, 400, said), "POST validate")
        if key_policy.holds_statement(world.policy):
            said = "User: x is not authorized to perform: kms:Encrypt with an explicit deny"
            raise as_error(Refusal(Kind.AWS_DENIED, 400, said, request_id="req_1"), "POST validate")

    # The record's claim.

    def still_held(self) -> bool:
        """Whether this run holds the record."""
        return self.exchange("still_held", lambda: self.world.holder is self)

    def release(self) -> None:
        """Give the claim back; a dead run's lapses."""
        if self.world.holder is self:
            self.world.holder = None

    # The note.

    def read(self) -> Note | None:
        """Read the note."""
        return self.exchange("ReadNote", lambda: self.world.note)

    def write(self, note: Note) -> None:
        """Make it stand."""

        def stand() -> None:
            if self.world.note is not None:
                raise Conflict("drill_note_stands", "stands")
            self.world.note = note

        self.exchange("WriteNote", stand)

    def delete(self, id: str) -> None:
        """Delete it."""

        def gone() -> None:
            if self.world.note is not None and self.world.note.id == id:
                self.world.note = None

        self.exchange("DeleteNote", gone)

    # AWS.

    def look(self, intent: Intent) -> AwsView:
        """Collect."""

        def collected() -> AwsView:
            world = self.world
            key = Key(KEY_ARN, world.state, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS", None)
            key = Key(
                key.arn, key.state, key.spec, key.usage, key.origin, None, policy=world.policy
            )
            snapshot = Snapshot(
                Registration(intent.role_arn, intent.kms_arn, intent.external_id),
                role=Role(intent.role_arn, permission_policies=()),
                keys=(key,),
                aliases=(),
                grants=(),
            )
            return AwsView(snapshot, world.caller, UNSEEN)

        return self.exchange("LookAtAws", collected)

    def policy(self, key_arn: str) -> str:
        """GetKeyPolicy."""
        assert key_arn == KEY_ARN
        return self.exchange("ReadPolicy", lambda: self.world.shown("policy"))

    def put_policy(self, key_arn: str, text: str) -> None:
        """PutKeyPolicy: no policy is put that would cut without a note."""
        assert key_arn == KEY_ARN

        def put() -> None:
            assert not key_policy.holds_statement(text) or self.world.note is not None
            self.world.change("policy", text)

        self.exchange("PutPolicy", put)

    def state(self, key_arn: str) -> str:
        """DescribeKey."""
        assert key_arn == KEY_ARN
        return self.exchange("ReadState", lambda: self.world.shown("state"))

    def disable(self, key_arn: str) -> None:
        """DisableKey: never without a note."""
        assert key_arn == KEY_ARN

        def disabled() -> None:
            assert self.world.note is not None
            self.world.change("state", "Disabled")

        self.exchange("DisableKey", disabled)

    def enable(self, key_arn: str) -> None:
        """EnableKey."""
        assert key_arn == KEY_ARN

        def enabled() -> None:
            self.world.change("state", "Enabled")

        self.exchange("EnableKey", enabled)


def no_answer() -> NotReachable:
    """What a lost connection is raised as."""
    return NotReachable("aws_not_reachable", "no answer", remedy="Try again.")


def plan_of(world: World, wanted: Order) -> Plan:
    """What a drill would do."""
    found: list[Plan] = []

    def looked() -> Procedure[None]:
        found.append((yield from look(wanted, DrillLog("revoke", PLACE))))

    world._run(looked())
    return found[0]
