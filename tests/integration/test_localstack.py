"""The rehearsal's two servers: on loopback alone, quick to be there, gone afterwards."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from ekm.harness import CUSTOMER_ACCOUNT, OPENAI_ACCOUNT, LocalStack, localstack
from ekm.harness.sockets import beyond_loopback, ended, family, free_port, listening

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from ekm.harness import EmulatorProcess

# Starts both servers, says their pids, and waits to be killed.
STARTER = """
import sys, time
from ekm.harness import EmulatorProcess, LocalStack
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


def test_accounts_live_side_by_side(ekm_localstack: LocalStack) -> None:
    """OpenAI's calls could not be told from the customer's."""
    for account in (CUSTOMER_ACCOUNT, OPENAI_ACCOUNT):
        identity = ekm_localstack.client("sts", account).get_caller_identity()
        assert identity["Account"] == account


def test_every_service_of_the_module_is_there(ekm_localstack: LocalStack) -> None:
    """The registrar's record or its admin key could not be rehearsed."""
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


def test_a_port_that_was_taken_meanwhile_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """LocalStack waits for ever on a port that another process took while it was starting."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = iter([other.getsockname()[1], free_port()])
        monkeypatch.setattr(localstack, "free_port", lambda: next(ports))
        with LocalStack.start() as aws:
            aws.client("kms").list_keys()
        assert list(ports) == []
