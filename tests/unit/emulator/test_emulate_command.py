"""`ekm emulate`: bad options are refused before anything listens."""

from __future__ import annotations

import json
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.main import ekm, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which the emulator could start."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-x")
    return monkeypatch


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--fault", "lost"], ["fault_unknown", "'lost'", "lost-before-commit"]),
        (["--fault", "slow=never"], ["fault_value", "never"]),
        (["--setting", "colour=red"], ["setting_unknown", "'colour'", "limit_zero"]),
        (["--setting", "limit_zero=all"], ["setting_value", "'all'", "'empty' or 'default'"]),
        (["--setting", "limit_zero"], ["setting_value", "NAME=VALUE"]),
        (["--host", "0.0.0.0"], ["emulator_host", "'0.0.0.0'", "127.0.0.1"]),
        (["--host", "example.com"], ["emulator_host", "'example.com'"]),
        (["--port", "70000"], ["--port", "70000"]),
        (["--port", "x"], ["--port", "'x'"]),
        (["--settle", "-1"], ["--settle", "-1"]),
        (["--settle", "soon"], ["--settle", "'soon'"]),
        (["--colour"], ["--colour"]),
    ],
)
def test_a_wrong_option_names_the_value_and_the_valid_ones(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    parts: list[str],
) -> None:
    """A misspelt option would start an emulator that behaves as if it were not there."""
    assert run(ekm, "ekm", ["emulate", *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert all(part in shown.err for part in parts), shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("AWS_ENDPOINT_URL", "", "emulator_aws_endpoint_missing"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "emulator_aws_endpoint"),
        ("OPENAI_ADMIN_KEY", "", "emulator_admin_key_missing"),
        ("EKM_EMULATOR_KEYS", "sk-admin-secret", "emulator_keys_unreadable"),
    ],
)
def test_a_wrong_environment_is_named(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    id: str,
) -> None:
    """The emulator would start and answer every check with a fault of its own."""
    environment.setenv(name, value)
    assert run(ekm, "ekm", ["emulate", "--json"]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["id"] == id
    assert "secret" not in shown.out + shown.err


def test_events_for_aws_itself_are_refused(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """AWS takes no event in the name of its services."""
    environment.setenv("AWS_ENDPOINT_URL", "https://kms.eu-west-1.amazonaws.com")
    assert run(ekm, "ekm", ["emulate", "--events"]) == 2
    assert "emulator_events_real_aws" in capsys.readouterr().err


def test_a_folder_that_cannot_take_the_trail_is_refused(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The emulator would run without the trail that was asked for."""
    tmp_path.chmod(0o777)
    assert run(ekm, "ekm", ["emulate", "--trail", str(tmp_path)]) == 2
    assert "emulator_trail" in capsys.readouterr().err


def test_a_port_in_use_is_said_so(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user would read a traceback of the server."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(ekm, "ekm", ["emulate", "--port", str(port)]) == 2
    shown = capsys.readouterr().err
    assert "emulator_port" in shown
    assert str(port) in shown


def test_a_database_of_another_program_is_refused(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Somebody's file would be overwritten."""
    path = tmp_path / "file"
    path.write_text("precious" * 100)
    assert run(ekm, "ekm", ["emulate", "--database", str(path)]) == 2
    assert "emulator_database" in capsys.readouterr().err
    assert path.read_text() == "precious" * 100


def test_without_the_extra_it_says_what_to_install(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user of the registrar alone would read a traceback."""
    late = "openai_ekm.cli.emulate", "openai_ekm.emulator", "fastapi"
    for name in [name for name in sys.modules if name.startswith(late)]:
        environment.delitem(sys.modules, name)
    environment.setitem(sys.modules, "fastapi", None)
    environment.delattr("openai_ekm.emulator", raising=False)
    assert run(ekm, "ekm", ["emulate"]) == 2
    shown = capsys.readouterr().err
    assert "fastapi" in shown
    assert "pip install 'openai-ekm-aws[rehearsal]'" in shown


def test_settings_and_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """A reader could not find what can be set."""
    assert run(ekm, "ekm", ["emulate", "--list-settings"]) == 0
    assert 'limit_zero = "empty"  (empty | default)' in capsys.readouterr().out
    assert run(ekm, "ekm", ["emulate", "--list-settings", "--json"]) == 0
    names = {setting["name"] for setting in json.loads(capsys.readouterr().out)["settings"]}
    assert "cloud_refusal_status" in names
    assert run(ekm, "ekm", ["emulate", "--list-faults"]) == 0
    assert "lost-after-commit" in capsys.readouterr().out
    assert run(ekm, "ekm", ["emulate", "--list-faults", "--json"]) == 0
    assert "slow" in json.loads(capsys.readouterr().out)["faults"]
