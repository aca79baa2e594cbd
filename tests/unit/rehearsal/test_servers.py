"""How LocalStack and the emulator are started: loopback only, secrets by environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.rehearsal import emulator as emulator_module
from openai_ekm.rehearsal.emulator import EmulatorProcess, new_admin_key
from openai_ekm.rehearsal.localstack import LocalStack, _cache_slot, _check_installed, settings


def test_localstack_listens_on_loopback_with_the_server_that_heeds_it() -> None:
    """The default server ignores the host and listens on every interface."""
    found = settings(4711, Path("/cache"), "kms")
    assert found["GATEWAY_LISTEN"] == "127.0.0.1:4711"
    assert found["GATEWAY_SERVER"] == "hypercorn"


def test_localstack_neither_calls_out_nor_serves_dns() -> None:
    """A rehearsal that is offline by promise would call home."""
    found = settings(4711, Path("/cache"), "kms")
    assert (found["SKIP_SSL_CERT_DOWNLOAD"], found["DISABLE_EVENTS"]) == ("1", "1")
    assert found["DNS_ADDRESS"] == "0"


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 14)])
def test_another_python_is_refused_in_words(version: tuple[int, int]) -> None:
    """Terraform would retry KMS's 500s for minutes before it says anything."""
    with pytest.raises(BadInput, match=rf"needs Python 3\.13; this is Python 3\.{version[1]}"):
        _check_installed(version)


def test_a_missing_localstack_is_refused_with_the_command_that_installs_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user would read about a process that ended, or install one that does not start."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(BadInput) as caught:
        _check_installed((3, 13))
    assert caught.value.id == "localstack_missing"
    command = "pip install 'openai-ekm-aws[demo]'"
    assert command in str(caught.value.remedy)
    assert command in (repository / "README.md").read_text(encoding="utf-8")


def test_two_at_once_have_caches_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two test processes would write into one cache, or a later one would not reuse it."""
    monkeypatch.setenv("EKM_CACHE_DIR", str(tmp_path))
    with _cache_slot() as first, _cache_slot() as second:
        assert first != second
    with _cache_slot() as third:
        assert third == first


def test_an_endpoint_that_runs_already_is_left_alone() -> None:
    """The rehearsal would stop a LocalStack that it did not start."""
    with LocalStack.at("http://127.0.0.1:4566") as aws:
        assert aws.environment("444455556666")["AWS_ACCESS_KEY_ID"] == "444455556666"
    with pytest.raises(BadInput):
        _ = aws.pid


def test_a_client_reads_nothing_of_the_users_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile in the environment would break the rehearsal, or lead it to a real account."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    client = LocalStack.at("http://127.0.0.1:1").client("kms", "444455556666")
    credentials = client._request_signer._credentials
    assert (credentials.access_key, credentials.token) == ("444455556666", None)
    assert client.meta.endpoint_url == "http://127.0.0.1:1"


def test_a_session_leads_its_clients_here() -> None:
    """A test that makes its own client from the session would reach the real AWS."""
    session = LocalStack.at("http://127.0.0.1:1").session("444455556666")
    assert session.client("iam").meta.endpoint_url == "http://127.0.0.1:1"


class Recorded:
    """Stands for the emulator's process; keeps how it would have been started."""

    def __init__(self, command: list[str], **kwargs: Any) -> None:
        self.command = command
        self.environment = kwargs["environment"]
        self.output = '{"base_url": "http://127.0.0.1:1/v1", "control_url": "http://c", "pid": 1}\n'
        Recorded.last = self

    last: Recorded

    def wait_until(self, condition: Any, **_: Any) -> None:
        """Hold already."""
        assert condition()

    def stop(self) -> None:
        """Nothing to stop."""


def test_the_admin_key_travels_by_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody on the machine could read it from the list of processes."""
    monkeypatch.setattr(emulator_module, "GuardedProcess", Recorded)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "the user's own")
    with EmulatorProcess.start(LocalStack.at("http://127.0.0.1:2")) as openai:
        assert Recorded.last.environment["OPENAI_ADMIN_KEY"] == openai.admin_key
        assert openai.admin_key not in " ".join(Recorded.last.command)
        assert openai.admin_key not in repr(openai)
        assert openai.environment()["OPENAI_BASE_URL"] == "http://127.0.0.1:1/v1"
        assert Recorded.last.environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:2"


def test_faults_and_settings_become_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that a test asks for would not be switched on, and the test pass for nothing."""
    monkeypatch.setattr(emulator_module, "GuardedProcess", Recorded)
    aws = LocalStack.at("http://127.0.0.1:2")
    with EmulatorProcess.start(aws, settle=2.5, faults=["slow=3", "lost"], settings={"page": "x"}):
        words = Recorded.last.command
    assert {"--settle=2.5", "--fault=slow=3", "--fault=lost", "--setting=page=x"} < set(words)


def test_every_run_has_an_admin_key_of_its_own() -> None:
    """A key that a test leaks would be the key of every other run."""
    assert new_admin_key() != new_admin_key()
    assert new_admin_key().startswith("sk-admin-")


@pytest.mark.parametrize(
    ("output", "ready"),
    [
        ('{"base_url": "http://127.0.0.1:1/v1", "pid": 1}\n', True),
        ('{"base_url": "http://127.0.0.1:1/v1", "pi', False),
        ('{\n  "error": {"id": "database_locked"}\n}\n', False),
        ("", False),
    ],
)
def test_only_the_ready_line_says_that_it_is_ready(output: str, *, ready: bool) -> None:
    """An error that the emulator prints would be taken for its address."""
    assert (emulator_module._ready_line(output) is not None) is ready
