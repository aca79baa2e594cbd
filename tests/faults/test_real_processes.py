"""What the doubles of time and network cannot show: real sockets, real processes, SIGKILL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.doubles.emulator_process import emulator, imported
from tests.doubles.faults_stage import INTENT, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EKM = (sys.executable, "-P", "-c", "from openai_ekm.cli.main import main; main()")
LIST_LAG = "3"  # seconds; the emulator's lists follow at once, and so do its creates when let go
LONGEST_WAIT = 240.0  # seconds until a test gives up
SLOW = {"name": "slow", "seconds": 2 * LONGEST_WAIT}  # until the test lets it go on
GO = "go"
BETWEEN_LOOKS = 0.05  # seconds


@dataclass
class Registrars:
    """Processes that register one intent, and OpenAI over HTTP."""

    address: str
    folder: Path
    session: requests.Session

    def start(
        self, *words: str, record: str = "record.json", list_lag: str = LIST_LAG
    ) -> subprocess.Popen[str]:
        """Start `ekm`."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "OPENAI_BASE_URL": f"{self.address}/v1",
            "OPENAI_ADMIN_KEY": SECRET,
            "EKM_CALLS_PER_MINUTE": "0",
            "EKM_LIST_LAG_SECONDS": list_lag,
            "EKM_ROLE_ARN": INTENT.role_arn,
            "EKM_KMS_ARN": INTENT.kms_arn,
            "EKM_EXTERNAL_ID": INTENT.external_id,
            "EKM_NAME": INTENT.name,
            "EKM_RECORD": f"file:{self.folder / record}",
        }
        return subprocess.Popen(
            [*EKM, *words, "--json"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
        """Exit code, document and stderr."""
        out, err = process.communicate(timeout=LONGEST_WAIT)
        assert SECRET not in out + err
        return process.returncode, json.loads(out), err

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the emulator for what OpenAI would not tell."""
        answer = self.session.request(
            method, f"{self.address}/_emulator/{path}", json=body, timeout=LONGEST_WAIT
        )
        return answer.json()

    def listed(self, path: str) -> list[dict[str, Any]]:
        """A list of OpenAI's."""
        answer = self.session.get(
            f"{self.address}/v1/organization/{path}",
            headers={"Authorization": f"Bearer {SECRET}"},
            timeout=LONGEST_WAIT,
        )
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def until_called(self, method: str, path: str) -> None:
        """Wait until OpenAI is at a call."""
        deadline = time.monotonic() + LONGEST_WAIT
        while True:
            pending = self.control("GET", "faults")["faults"]
            if not any(fault.get("on") == f"{method} {path}" for fault in pending):
                return
            assert time.monotonic() < deadline
            time.sleep(BETWEEN_LOOKS)

    def until_asked(self, process: subprocess.Popen[str], path: str) -> None:
        """Wait until OpenAI has answered a GET since `forget`, or the process has ended."""
        deadline = time.monotonic() + LONGEST_WAIT
        while process.poll() is None:
            calls = self.control("GET", "requests")["requests"]
            if any((call["method"], call["path"]) == ("GET", f"/v1{path}") for call in calls):
                return
            assert time.monotonic() < deadline
            time.sleep(BETWEEN_LOOKS)

    def go_on(self) -> None:
        """Let OpenAI answer what is slow."""
        (self.folder / GO).touch()

    def check(self) -> None:
        """One registration, one project, a record that names them."""
        [key] = self.listed("external_keys")
        [project] = [p for p in self.listed("projects") if p["external_key_id"] == key["id"]]
        record = json.loads((self.folder / "record.json").read_text(encoding="utf-8"))
        assert record["state"] == "registered"
        assert record["external_key_id"] == key["id"]
        assert record["projects"] == {"prod": {"id": project["id"]}}


@pytest.fixture(scope="module")
def emulators() -> Iterator[subprocess.Popen[str]]:
    """What starts an emulator for each test."""
    with imported() as process:
        yield process


@pytest.fixture
def registrars(emulators: subprocess.Popen[str], tmp_path: Path) -> Iterator[Registrars]:
    """OpenAI as a process, and an empty folder."""
    with emulator(emulators, tmp_path / GO) as address, requests.Session() as session:
        session.trust_env = False
        yield Registrars(address, tmp_path, session)


@pytest.mark.parametrize("done", [False, True], ids=["not_done", "done_after_death"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/organization/external_keys"),
        ("POST", "/organization/external_keys"),
        ("POST", "/organization/projects"),
    ],
)
def test_registrar_killed_in_a_call_is_made_good_by_the_next(
    registrars: Registrars, method: str, path: str, *, done: bool
) -> None:
    """Guards against: a second create of what OpenAI carried out after its caller died."""
    on = {"times": 1, "on": f"{method} {path}"}
    faults = [{**SLOW, **on}]
    if not done:
        faults.append({"name": "lost-before-commit", **on})
    registrars.control("PUT", "faults", faults)
    with registrars.start("register", "--project", "prod") as process:
        registrars.until_called(method, path)
        process.send_signal(signal.SIGKILL)
    registrars.control("DELETE", "requests")
    # What OpenAI carries out late is found however late it lets the call go on.
    second = registrars.start("register", "--project", "prod", list_lag="300" if done else LIST_LAG)
    if method == "POST":  # it looks for what was created, which is done only then
        registrars.until_asked(second, path)
    registrars.go_on()
    code, _, err = registrars.finish(second)
    assert code == 0, err
    registrars.check()
    calls = registrars.control("GET", "requests")["requests"]
    assert [call["status"] for call in calls if "slow" in call["faults"]] == [200 if done else None]


def test_retire_killed_in_a_call_is_made_good_by_the_next(registrars: Registrars) -> None:
    """Guards against: a record of a registration that was deleted after its caller died."""
    _, made, _ = registrars.finish(registrars.start("register"))
    path = f"/organization/external_keys/{made['external_key_id']}"
    on = {"times": 1, "on": f"DELETE {path}"}
    registrars.control("PUT", "faults", [{**SLOW, **on}])
    with registrars.start("retire") as process:
        registrars.until_called("DELETE", path)
        process.send_signal(signal.SIGKILL)
    second = registrars.start("retire")
    registrars.go_on()
    code, _, err = registrars.finish(second)
    assert code == 0, err
    assert registrars.listed("external_keys") == []
    assert json.loads((registrars.folder / "record.json").read_text())["state"] == "retired"


@pytest.mark.parametrize(
    "fault",
    [
        "lost-before-commit",
        "lost-after-commit",
        "truncated",
        "proxy-page-after-commit",
        "rate-limited",
    ],
)
def test_fault_over_real_sockets_ends_as_one_registration(
    registrars: Registrars, fault: str
) -> None:
    """Guards against: what the client makes of a broken connection differs from the doubles'."""
    creates = ("/organization/external_keys", "/organization/projects")
    faults = [{"name": fault, "times": 1, "on": f"POST {path}"} for path in creates]
    registrars.control("PUT", "faults", faults)
    code, _, err = registrars.finish(registrars.start("register", "--project", "prod"))
    assert code == 0, err
    registrars.check()


@pytest.mark.parametrize("count", [2, 6])
def test_registrars_at_once_make_one(registrars: Registrars, count: int) -> None:
    """Guards against: a key registered twice by two applies, or by six jobs of one pipeline."""
    started = [registrars.start("register", "--project", "prod") for _ in range(count)]
    ended = [registrars.finish(process) for process in started]
    assert [code for code, _, _ in ended] == [0] * count
    assert sorted(document["result"] for _, document, _ in ended) == [
        "created",
        *["unchanged"] * (count - 1),
    ]
    registrars.check()


def test_registrars_with_different_records_are_told_by_status(registrars: Registrars) -> None:
    """Guards against: two registrations in two records that nobody is told of."""
    path = "/organization/external_keys"
    registrars.control("PUT", "faults", [{**SLOW, "times": 2, "on": f"POST {path}"}])
    started = [registrars.start("register", record=name) for name in ("record.json", "other.json")]
    registrars.until_called("POST", path)  # by both: neither could find the other's
    registrars.go_on()
    assert [registrars.finish(process)[0] for process in started] == [0, 0]
    made = {key["id"] for key in registrars.listed("external_keys")}
    for name in ("record.json", "other.json"):
        code, status, _ = registrars.finish(registrars.start("status", record=name))
        [other] = made - {status["registration"]["id"]}
        assert code == 1
        assert other in status["differences"][0]
