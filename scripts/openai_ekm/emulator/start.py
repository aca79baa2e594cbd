"""Make an emulator from its parts, and run it."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openai_ekm.emulator.accounts import Accounts
from openai_ekm.emulator.app import create_app
from openai_ekm.emulator.auth import AdminKeys
from openai_ekm.emulator.aws_check import AwsCheck
from openai_ekm.emulator.faults import Faults, parse_fault
from openai_ekm.emulator.iam_propagation import IamPropagation
from openai_ekm.emulator.server import Connections, base_address, bind, serve
from openai_ekm.emulator.settings import Settings, parse_assignments
from openai_ekm.emulator.state import Emulator
from openai_ekm.emulator.store import Store
from openai_ekm.emulator.trail import Trail
from openai_ekm.emulator.trail.bus import EventBus, check_takes_events
from openai_ekm.emulator.trail.files import TrailFolder
from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["run"]


def run(
    *,
    host: str,
    port: int,
    database: str,
    settle: float,
    faults: Sequence[str],
    settings: Sequence[str],
    trail: Path | None,
    events: bool,
    environment: Mapping[str, str],
    ready: Callable[[dict[str, Any]], None],
) -> None:
    """Run the emulator until it is told to stop.

    Args:
        host: Loopback address.
        port: TCP port; 0 takes a free one.
        database: SQLite file, or `:memory:`.
        settle: Seconds that IAM takes to settle.
        faults: Faults to begin with, as `parse_fault` reads them.
        settings: `NAME=VALUE` words.
        trail: Folder for CloudTrail's log files of what the emulator does in AWS.
        events: Whether the same goes to EventBridge, too.
        environment: `AWS_ENDPOINT_URL`, `OPENAI_ADMIN_KEY`, `EKM_EMULATOR_KEYS`.
        ready: Called with the addresses once connections are accepted.

    Raises:
        BadInput: An option or a variable is wrong; nothing was started.
    """
    behaviour = Settings().changed(parse_assignments(settings))
    switched = Faults(parse_fault(text) for text in faults)
    keys = AdminKeys.from_environment(environment)
    endpoint = _endpoint(environment)
    accounts = Accounts(endpoint)
    if events:
        check_takes_events(endpoint)
    with ExitStack() as opened:
        listener = opened.enter_context(bind(host, port))
        store = opened.enter_context(closing(Store(database)))
        delivered = Trail(
            time.time,
            folder=None if trail is None else TrailFolder(trail),
            bus=EventBus(accounts.client) if events else None,
        )
        emulator = Emulator(
            store=store,
            keys=keys,
            cloud=AwsCheck(
                accounts,
                IamPropagation(store, seconds=settle, clock=time.time),
                trail=delivered,
            ),
            clock=time.time,
            settings=behaviour,
            faults=switched,
        )
        connections = Connections()
        address = base_address(listener)
        where = {
            "base_url": f"{address}/v1",
            "control_url": f"{address}/_emulator",
            "pid": os.getpid(),
        }
        app = create_app(emulator, hang_up=connections.hang_up, sleep=connections.sleep)
        serve(app, listener, connections, lambda: ready(where))


def _endpoint(environment: Mapping[str, str]) -> str:
    """Return the AWS that the emulator checks keys in; never the real one by default."""
    endpoint = environment.get("AWS_ENDPOINT_URL", "").strip()
    if not endpoint:
        raise BadInput(
            "emulator_aws_endpoint_missing",
            "AWS_ENDPOINT_URL is not set: the emulator checks keys in the AWS that it names.",
            at_fault="AWS_ENDPOINT_URL",
            remedy="Start LocalStack and export AWS_ENDPOINT_URL=http://127.0.0.1:4566.",
        )
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInput(
            "emulator_aws_endpoint",
            f"AWS_ENDPOINT_URL is {endpoint!r}, which is not the URL of an endpoint.",
            at_fault="AWS_ENDPOINT_URL",
            remedy="For example: export AWS_ENDPOINT_URL=http://127.0.0.1:4566.",
        )
    return endpoint
