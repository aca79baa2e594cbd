"""The rehearsal's two servers: on loopback alone, quick to be there, gone afterwards."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openai_ekm.rehearsal import CUSTOMER_ACCOUNT, OPENAI_ACCOUNT, LocalStack, localstack
from openai_ekm.rehearsal.environment import clean
from openai_ekm.rehearsal.localstack import REGION
from openai_ekm.rehearsal.sockets import beyond_loopback, ended, family, free_port, listening
from tests.doubles.recording_proxy import recording_proxy

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from openai_ekm.rehearsal import EmulatorProcess

# Starts both servers, says their pids, and waits to be killed.
STARTER = """
import sys, time
from openai_ekm.rehearsal import EmulatorProcess, LocalStack
with LocalStack.start() as aws, EmulatorProcess.start(aws) as openai:
    print(aws.pid, openai.pid, flush=True)
    sys.stdin.read()
"""


def test_both_listen_on_loopback_only(
    ekm_localstack: LocalStack, ekm_openai: EmulatorProcess
) -> None:
    """Anybody in the same network could use the rehearsal's keys and read its answers."""
    ekm_localstack.client("kms").list_keys()  # what a service starts at its first call counts too
    assert len(listening(ekm_localstack.pid)) == 1
    assert len(listening(ekm_openai.pid)) == 1
    assert beyond_loopback(ekm_localstack.pid) == frozenset()
    assert beyond_loopback(ekm_openai.pid) == frozenset()


def test_every_service_has_had_its_first_call(ekm_localstack: LocalStack) -> None:
    """Guards against: two first calls to a service at once, of which LocalStack refuses one."""
    assert set(localstack.FIRST_CALLS) == set(localstack.SERVICES.split(","))
    for service, call in localstack.FIRST_CALLS.items():
        answer = getattr(ekm_localstack.client(service), call)()
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_no_client_asks_a_proxy_for_loopback(
    ekm_localstack: LocalStack, ekm_openai: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's suite would fail behind a company's proxy, or show it the rehearsal's keys."""
    with recording_proxy() as (variables, asked):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        client = ekm_localstack.client("sts")
        assert client.get_caller_identity()["Account"] == CUSTOMER_ACCOUNT
        ekm_openai.forget_requests()
        assert ekm_openai.api("GET", "/organization/projects")["object"] == "list"
        role = f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/none"
        key = "key/32d721da-264d-4353-ae27-d515da79aa05"
        done = subprocess.run(
            [
                *(sys.executable, "-P", "-c", "from openai_ekm.cli.main import main; main()"),
                "snapshot",
                f"--role-arn={role}", f"--kms-arn=arn:aws:kms:{REGION}:{CUSTOMER_ACCOUNT}:{key}",
                "--external-id=org-abc",
            ],
            env={**clean(ekm_localstack.environment()), **variables},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert asked == []


def test_accounts_live_side_by_side(ekm_localstack: LocalStack) -> None:
    """OpenAI's calls could not be told from the customer's."""
    for account in (CUSTOMER_ACCOUNT, OPENAI_ACCOUNT):
        identity = ekm_localstack.client("sts", account).get_caller_identity()
        assert identity["Account"] == account


def test_every_service_of_the_module_is_there(ekm_localstack: LocalStack) -> None:
    """The registrar's record, its admin key or the monitoring could not be rehearsed."""
    ekm_localstack.client("events").list_rules()
    ekm_localstack.client("sns").list_topics()
    ekm_localstack.client("sqs").list_queues()
    ekm_localstack.client("cloudwatch").describe_alarms()
    ekm_localstack.client("ssm").describe_parameters()
    ekm_localstack.client("secretsmanager").list_secrets()
    ekm_localstack.client("iam").list_roles()


def test_both_are_gone_when_their_starter_is_killed(tmp_path: Path) -> None:
    """A killed demo or test run would leave two servers behind for each time."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    processes = family(*map(int, starter.stdout.readline().split()))
    assert len(processes) >= 4
    starter.kill()
    starter.communicate()
    assert ended(processes)


def test_an_answer_is_sent_whole(ekm_localstack: LocalStack) -> None:
    """Guards against: an answer whose body the AWS provider loses, so that it asks again."""
    address = urlsplit(ekm_localstack.endpoint_url)
    for _ in range(20):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(b"GET /_localstack/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        length = f"content-length: {len(body)}\r\n".encode()
        assert length in head.lower() + b"\r\n"


def test_a_port_that_was_taken_meanwhile_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """LocalStack waits for ever on a port that another process took while it was starting."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = iter([other.getsockname()[1], free_port()])
        monkeypatch.setattr(localstack, "free_port", lambda: next(ports))
        with LocalStack.start() as aws:
            aws.client("kms").list_keys()
        assert list(ports) == []
