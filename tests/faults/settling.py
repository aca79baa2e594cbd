"""A registration while IAM settles: all real but clock, network, SSM and the customer's AWS."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.pacing import MemoryBook, Unpaced, WindowPacer
from openai_ekm.openai_api.redaction import AdminKey
from openai_ekm.openai_api.transport import RequestsTransport
from openai_ekm.registration.register import RegisterRequest, register
from openai_ekm.registration.runner import Heartbeat, Runner
from tests.doubles.fault_points import Run
from tests.doubles.faults_stage import BASE_URL, INTENT, SECRET, Stage, _Network

CREATE = "http POST external_keys"


@dataclass(frozen=True)
class Settled:
    """How a registration went.

    Args:
        settles: Seconds from the first create until IAM has settled.
        seen: Seconds from the first create until OpenAI could use the key.
        creates: How often it was tried.
        held: Seconds for which the pacing held attempts up.
        moments: Seconds of each create, from the first one.
        lines: What was said meanwhile.
    """

    settles: float
    seen: float
    creates: int
    held: float
    moments: tuple[float, ...]
    lines: tuple[str, ...] = field(repr=False)


@dataclass
class _Noting(Run):
    """A process that notes when it creates."""

    moments: list[float] = field(default_factory=list)

    def at(self, kind: str, label: str, *rest: Any) -> Any:
        """Pass a point."""
        if f"{kind} {label}" == CREATE:
            self.moments.append(self.stage.now)
        return super().at(kind, label, *rest)


def settled(seconds: float, calls_per_minute: int, wait: float = 180.0) -> Settled:
    """Register once while IAM settles.

    Args:
        seconds: From the first create until IAM has settled.
        calls_per_minute: The pacing; 0 is none.
        wait: As `--wait`.

    Raises:
        EkmError: It was not registered.
    """
    stage = Stage(planted=False)
    try:
        return _settled(stage, seconds, calls_per_minute, wait)
    finally:
        stage.close()


def _settled(stage: Stage, seconds: float, calls_per_minute: int, wait: float) -> Settled:
    run = _Noting(stage)
    stage.cloud.denies_until = stage.now + seconds
    store = stage._record(run)
    heartbeat = Heartbeat(store, clock=stage.monotonic, sleep=stage.sleep)
    transport = RequestsTransport(
        BASE_URL,
        AdminKey(SECRET, origin="OPENAI_ADMIN_KEY"),
        adapter=_Network(run),
        clock=stage.monotonic,
    )
    pacer = (
        WindowPacer(
            calls_per_minute,
            BASE_URL,
            book=MemoryBook(),
            clock=stage.monotonic,
            sleep=heartbeat.sleep,
            progress=run.lines.append,
        )
        if calls_per_minute
        else Unpaced()
    )
    runner = Runner(
        AdminApi(transport, pacer=pacer, sleep=heartbeat.sleep, chance=lambda: 0.0),
        store,
        heartbeat=heartbeat,
        progress=run.lines.append,
        clock=stage.monotonic,
        now=lambda: datetime.fromtimestamp(stage.now, UTC),
    )
    wanted = RegisterRequest(
        INTENT, (), stage.place, BASE_URL, wait=wait, calls_per_minute=calls_per_minute
    )
    runner.run(register(wanted))
    first = run.moments[0]
    return Settled(
        settles=seconds,
        seen=run.moments[-1] - first,
        creates=len(run.moments),
        held=pacer.waited,
        moments=tuple(moment - first for moment in run.moments),
        lines=tuple(run.lines),
    )
