"""What the registrar itself starts is not given the admin key."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from openai_ekm.cli.main import ekm, run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KEY = "sk-admin-of-a-registrar-with-children"
REFUSED = "http://127.0.0.1:1"  # a port that nothing listens on


def test_a_credential_process_does_not_get_the_admin_key(tmp_path: Path) -> None:
    """Guards against: OpenAI's admin key in the environment of an AWS `credential_process`."""
    told = tmp_path / "told"
    program = tmp_path / "credentials"
    program.write_text(
        f"#!/bin/sh\nenv > '{told}'\n"
        'echo \'{"Version": 1, "AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "example"}\'\n'
    )
    program.chmod(0o755)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = '{program}'\n")
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-c", "from openai_ekm.cli.main import main; main()"),
            *("status", "--record", "ssm:/openai-ekm/any", "--json"),
        ],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "OPENAI_ADMIN_KEY": KEY,
            "OPENAI_BASE_URL": f"{REFUSED}/v1",
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": REFUSED,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert "AWS_CONFIG_FILE" in told.read_text()
    assert KEY not in told.read_text() + done.stdout + done.stderr


def test_the_variable_is_back_when_the_command_has_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a second command in one process that finds no admin key."""
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "no key\n")
    for _ in range(2):
        assert run(ekm, "ekm", ["validate", "--id", "extkey_any"]) == 2
        assert "admin_key_malformed" in capsys.readouterr().err
        assert os.environ["OPENAI_ADMIN_KEY"] == "no key\n"
