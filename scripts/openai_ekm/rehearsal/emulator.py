"""OpenAI's side of a rehearsal: `ekm emulate` as a process, and its control surface."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from openai_ekm.errors import NotReachable
from openai_ekm.rehearsal.environment import clean
from openai_ekm.rehearsal.localstack import OPENAI_ACCOUNT, REGION
from openai_ekm.rehearsal.process import GuardedProcess, Server

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.rehearsal.localstack import LocalStack

__all__ = ["EmulatorProcess", "new_admin_key"]

READY_SECONDS = 120.0  # 1 s as a rule
CONTROL_SECONDS = 120.0  # one answer of the control surface
RUN_EKM = (
    "-P",
    "-c",
    "from openai_ekm.cli.main import main; main()",
)  # `ekm`, with this very Python


def new_admin_key() -> str:
    """Return an admin key of OpenAI's form, made for one run."""
    return f"sk-admin-{secrets.token_urlsafe(30)}"


class EmulatorProcess(Server):
    """A running `ekm emulate`; use it as a context manager, or call `stop`.

    Attributes:
        base_url: What `OPENAI_BASE_URL` is to be, for example `http://127.0.0.1:40123/v1`.
        control_url: Its control surface, which is no part of OpenAI's API.
        admin_key: The key it accepts; it travels by environment alone.
        database: The SQLite file with its state.

    Example:
        >>> with LocalStack.start() as aws, EmulatorProcess.start(aws) as openai:  # doctest: +SKIP
        ...     print(openai.base_url)
    """

    def __init__(
        self,
        *,
        base_url: str,
        control_url: str,
        admin_key: str,
        database: Path,
        process: GuardedProcess,
        resources: ExitStack,
    ) -> None:
        super().__init__(process, resources)
        self.base_url = base_url
        self.control_url = control_url
        self.admin_key = admin_key
        self.database = database

    def __repr__(self) -> str:
        """Return the address alone: never the key."""
        return f"EmulatorProcess({self.base_url!r})"

    @classmethod
    def start(
        cls,
        aws: LocalStack,
        *,
        settle: float = 0,
        faults: Iterable[str] = (),
        settings: Mapping[str, Any] | None = None,
        trail: Path | None = None,
        events: bool = False,
        database: Path | None = None,
        folder: Path | None = None,
        port: int = 0,
        admin_key: str | None = None,
        environment: Mapping[str, str] | None = None,
        ready_seconds: float = READY_SECONDS,
    ) -> Self:
        """Start one on a free loopback port and wait until it says that it listens.

        Args:
            aws: Where the customer's role and key are.
            settle: Seconds that IAM takes to settle after a change.
            faults: Faults to begin with, as on the command line.
            settings: What is not publicly known about OpenAI, by name.
            trail: Folder for CloudTrail's log files of what it does in AWS; none when absent.
            events: Whether the same events go to EventBridge.
            database: SQLite file for its state; one in the folder when absent.
            folder: Where its logs go, for one that is to outlive this process; a temporary one
                when absent.
            port: TCP port; 0 for a free one.
            admin_key: The key to accept; a new one when absent.
            environment: Further variables, for example keys with fewer scopes.
            ready_seconds: Deadline for the start.

        Raises:
            NotReachable: It did not start; the error carries its last lines.
        """
        key = admin_key or new_admin_key()
        extra = settings or {}
        with ExitStack() as resources:
            if folder is None:
                folder = Path(resources.enter_context(TemporaryDirectory(prefix="ekm-openai-")))
            folder.mkdir(parents=True, exist_ok=True)
            state = database or folder / "openai.sqlite3"
            process = GuardedProcess(
                [
                    sys.executable,
                    *RUN_EKM,
                    "emulate",
                    "--json",
                    f"--port={port}",
                    f"--database={state}",
                    f"--settle={settle:g}",
                    *(f"--fault={fault}" for fault in faults),
                    *(f"--setting={name}={_plain(value)}" for name, value in extra.items()),
                    *(() if trail is None else (f"--trail={trail}",)),
                    *(("--events",) if events else ()),
                ],
                environment=clean(
                    aws.environment(OPENAI_ACCOUNT, REGION),
                    {"OPENAI_ADMIN_KEY": key},
                    environment or {},
                ),
                folder=folder,
            )
            resources.callback(process.stop)
            process.wait_until(
                lambda: _ready_line(process.output) is not None,
                what="The OpenAI emulator",
                seconds=ready_seconds,
            )
            ready = _ready_line(process.output) or {}
            return cls(
                base_url=ready["base_url"],
                control_url=ready["control_url"],
                admin_key=key,
                database=state,
                process=process,
                resources=resources.pop_all(),
            )
        raise AssertionError  # pragma: no cover - the with block returns or raises

    def environment(self) -> dict[str, str]:
        """Return the variables that point the registrar here, unpaced.

        After an unclear create it looks for seconds alone: lists here follow at once, unless
        `eventual-lists` makes them lag.
        """
        return {
            "OPENAI_BASE_URL": self.base_url,
            "OPENAI_ADMIN_KEY": self.admin_key,
            "EKM_CALLS_PER_MINUTE": "0",
            "EKM_LIST_LAG_SECONDS": "2",
        }

    def requests(self) -> list[dict[str, Any]]:
        """Return the log of API calls since the start, or since `forget_requests`."""
        found: list[dict[str, Any]] = self.control("GET", "requests")["requests"]
        return found

    def calls(self) -> list[str]:
        """Return the same log as lines such as `POST /v1/organization/external_keys 200`."""
        return [f"{call['method']} {call['path']} {call['status']}" for call in self.requests()]

    def forget_requests(self) -> None:
        """Empty the log of API calls."""
        self.control("DELETE", "requests")

    def set_faults(self, *faults: str, **by_name: Any) -> None:
        """Switch on exactly these faults; without arguments, none.

        Args:
            faults: As on the command line: `lost-after-commit`, `server-error=2,on=POST /…`.
            by_name: The same with names of Python: `server_error={"times": 2, "status": 503}`, a
                number of times, or True.
        """
        named = [
            {"name": name, **(value if isinstance(value, Mapping) else {"times": value})}
            for name, value in by_name.items()
            if value is not True
        ]
        always = [name for name, value in by_name.items() if value is True]
        self.control("PUT", "faults", [*faults, *always, *named])

    def set_settings(self, **values: Any) -> None:
        """Change what is not publicly known about OpenAI, by name.

        Args:
            values: Settings and their new values.
        """
        self.control("PATCH", "settings", values)

    def settings(self) -> dict[str, Any]:
        """Return every setting by name."""
        found: dict[str, Any] = self.control("GET", "settings")["settings"]
        return found

    def control(self, method: str, what: str, body: object = None) -> Any:
        """Call the control surface.

        Args:
            method: HTTP method.
            what: `requests`, `faults`, `settings` or `health`.
            body: JSON to send.

        Raises:
            NotReachable: It refused, or gave no answer.
        """
        return _call(method, f"{self.control_url}/{what}", body, {})

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Call OpenAI's API as the holder of the admin key, as a test or a person would with curl.

        Args:
            method: HTTP method.
            path: What follows the base URL, for example `/organization/external_keys`.
            body: JSON to send.

        Returns:
            The answer's JSON.

        Raises:
            NotReachable: A status of 400 or above, or no answer.
        """
        headers = {"Authorization": f"Bearer {self.admin_key}"}
        return _call(method, f"{self.base_url}{path}", body, headers)


def _ready_line(output: str) -> dict[str, str] | None:
    """Return the line that says where it listens; an error document has no such line."""
    first, newline, _ = output.partition("\n")
    if not newline or '"base_url"' not in first:
        return None
    ready: dict[str, str] = json.loads(first)
    return ready


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _call(method: str, url: str, body: object, headers: Mapping[str, str]) -> Any:
    import requests  # noqa: PLC0415 - importing the plugin must stay cheap

    with requests.Session() as session:
        session.trust_env = False  # a proxy knows nothing of this machine's loopback
        try:
            answer = session.request(
                method, url, json=body, headers=dict(headers), timeout=CONTROL_SECONDS
            )
        except requests.RequestException as error:
            raise NotReachable(
                "emulator_no_answer", f"{method} {url} got no answer: {type(error).__name__}."
            ) from error
    if not answer.ok:
        raise NotReachable(
            "emulator_refused", f"{method} {url} was answered {answer.status_code}: {answer.text}"
        )
    return answer.json() if answer.content else None
