"""`ekm emulate` as a process: it says when it is ready, ends cleanly, and keeps no secret."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from openapi_spec_validator import validate

from openai_ekm.rehearsal import EmulatorProcess
from openai_ekm.rehearsal.sockets import beyond_loopback, family, listening
from tests.doubles.customer import Customer, Http
from tests.support.schemas import faults_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.rehearsal import LocalStack


class Running:
    """An emulator started by hand, so that its very end can be seen."""

    def __init__(self, environment: dict[str, str], *words: str) -> None:
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "ekm"), "emulate", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline().rstrip("\n")

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; return exit code and what was printed after the first line."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out + err


@pytest.fixture
def environment(ekm_localstack: LocalStack) -> dict[str, str]:
    """What the emulator is started with."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": ekm_localstack.endpoint_url,
        "OPENAI_ADMIN_KEY": "sk-admin-of-this-test",
    }


@pytest.fixture
def started(environment: dict[str, str]) -> Iterator[Any]:
    """Start emulators; what still runs at the end is killed."""
    running: list[Running] = []

    def start(*words: str) -> Running:
        running.append(Running(environment, *words))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


def projects(base_url: str) -> requests.Response:
    """List projects with the admin key of this test."""
    headers = {"Authorization": "Bearer sk-admin-of-this-test"}
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{base_url}/organization/projects", headers=headers, timeout=120)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_line_says_where_and_a_signal_ends_it_cleanly(started: Any, number: int) -> None:
    """The first line says where it listens, and a signal ends it without a traceback."""
    running = started()
    assert running.first_line.startswith("OpenAI emulator listening on http://127.0.0.1:")
    assert projects(running.first_line.rpartition(" ")[2]).status_code == 200
    assert running.end(number) == (0, "")


def test_the_line_in_json_names_everything(started: Any) -> None:
    """The first line in JSON names the control surface and the process."""
    running = started("--json")
    where = json.loads(running.first_line)
    assert not faults_of("emulate", where)
    assert where["pid"] == running.process.pid
    health = requests.get(f"{where['control_url']}/health", timeout=120).json()
    assert health == {"status": "ok", "pid": running.process.pid}


def test_a_slow_answer_does_not_hold_up_the_end(started: Any) -> None:
    """Guards against: a slow answer that keeps the process from ending, so that it is killed."""
    running = started("--fault", "slow,seconds=600")
    base_url = running.first_line.rpartition(" ")[2]
    with pytest.raises(requests.Timeout):
        requests.get(f"{base_url}/organization/projects", timeout=0.5)
    code, printed = running.end(signal.SIGTERM)  # which does not wait for that long
    assert code == 0
    assert "Traceback" not in printed


def test_it_listens_on_loopback_alone_and_once(started: Any) -> None:
    """Guards against: a control surface that others in the network can reach."""
    running = started()
    assert len(listening(running.process.pid)) == 1
    assert beyond_loopback(running.process.pid) == frozenset()


def test_state_survives_a_restart(ekm_localstack: LocalStack, tmp_path: Path) -> None:
    """The registrations are still there after a restart."""
    database, customer = tmp_path / "openai.sqlite3", Customer(ekm_localstack)
    with EmulatorProcess.start(ekm_localstack, database=database) as first:
        key = Http(first).register(customer)
        project = first.api("POST", "/organization/projects", {"name": "p", "external_key_id": key})
    with EmulatorProcess.start(ekm_localstack, database=database) as second:
        found = second.api("GET", f"/organization/external_keys/{key}")
        assert found["api_project_ids"] == [project["id"]]
        assert Http(second).validation(key) == "success"
        events = second.api("GET", "/organization/audit_logs")["data"]
        assert len(events) == 2


def test_the_admin_key_is_nowhere(ekm_localstack: LocalStack, tmp_path: Path) -> None:
    """Guards against: an admin key on the disk, in a log or in the process list."""
    database, key = tmp_path / "openai.sqlite3", "sk-admin-needle-in-every-haystack"
    reader = "sk-admin-needle-of-the-reader"
    environment = {"EKM_EMULATOR_KEYS": json.dumps({reader: ["api.external_keys.read"]})}
    with EmulatorProcess.start(
        ekm_localstack, database=database, admin_key=key, environment=environment
    ) as openai:
        Http(openai).register(Customer(ekm_localstack))
        assert Http(openai, reader)("GET", "external_keys").status_code == 200
        assert Http(openai, f"{reader}-wrong")("GET", "external_keys").status_code == 401
        commands = [process.cmdline() for process in family(openai.pid)]
        assert any("emulate" in command for command in commands)
        haystacks = [
            json.dumps(commands).encode(),
            json.dumps(openai.requests()).encode(),
            json.dumps(openai.control("GET", "settings")).encode(),
            openai.log.encode(),
            ekm_localstack.log.encode(),
        ]
    haystacks += [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(haystacks) > 5
    for haystack in haystacks:
        assert b"needle" not in haystack


def test_the_openapi_document_is_valid(ekm_openai: EmulatorProcess) -> None:
    """Any tool can read the emulator's OpenAPI document."""
    address = ekm_openai.base_url.removesuffix("/v1")
    document = requests.get(f"{address}/openapi.json", timeout=120).json()
    validate(document)
    assert all(path.startswith("/organization/") for path in document["paths"])


def test_a_users_proxy_and_profile_have_no_part_in_it(
    started: Any, environment: dict[str, str], ekm_localstack: LocalStack
) -> None:
    """Guards against: a user's proxy or profile that makes each check fail."""
    environment |= {"HTTP_PROXY": "http://127.0.0.1:9", "AWS_PROFILE": "nobody"}
    environment |= {"http_proxy": "http://127.0.0.1:9", "HOME": "/nowhere"}
    running = started()
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{running.first_line.rpartition(' ')[2]}/organization/external_keys",
            json=Customer(ekm_localstack).body(),
            headers={"Authorization": "Bearer sk-admin-of-this-test"},
            timeout=120,
        )
    assert answer.status_code == 200, answer.text


def test_a_localstack_that_is_gone_is_a_fault_of_the_server(
    started: Any, environment: dict[str, str], ekm_localstack: LocalStack
) -> None:
    """Guards against: a rehearsal that broke and reads as a definite refusal."""
    body = Customer(ekm_localstack).body()
    environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    running = started()
    answer = requests.post(
        f"{running.first_line.rpartition(' ')[2]}/organization/external_keys",
        json=body,
        headers={"Authorization": "Bearer sk-admin-of-this-test"},
        timeout=120,
    )
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "server_error")
