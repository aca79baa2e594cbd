"""What an apply made, read from its outputs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ekm.errors import BadInput
from ekm.registrar.from_terraform import Outputs, parse, run_terraform

if TYPE_CHECKING:
    from pathlib import Path

VALUES: dict[str, Any] = {
    "role_arn": "arn:aws:iam::111122223333:role/openai-ekm",
    "kms_arn": "arn:aws:kms:eu-west-1:111122223333:alias/x",
    "external_id": "org-abc123",
    "name": "prod",
    "record": "ssm:/openai-ekm/prod",
    "projects": ["prod", "test"],
}


def text(values: dict[str, Any]) -> str:
    """As `terraform output -json` prints it."""
    return json.dumps(
        {name: {"sensitive": False, "type": "x", "value": value} for name, value in values.items()}
    )


def test_root_that_is_the_module() -> None:
    """The outputs of the module as root are not found."""
    assert parse(text({**VALUES, "more": 1}), "x") == Outputs(
        **{**VALUES, "projects": ("prod", "test")}
    )


def test_root_that_calls_the_module() -> None:
    """The outputs of a user's root are not found under `ekm`."""
    assert parse(text({"other": 1, "ekm": VALUES}), "x").name == "prod"


def test_module_without_registration() -> None:
    """A module with `registration = null` cannot be registered afterwards."""
    values = {**VALUES, "name": None, "record": None, "projects": []}
    found = parse(text(values), "x")
    assert (found.name, found.record, found.projects) == (None, None, ())


def test_projects_by_name() -> None:
    """A map of projects is taken for something else."""
    assert parse(text({**VALUES, "projects": {"prod": "proj_1"}}), "x").projects == ("prod",)


@pytest.mark.parametrize(
    ("given", "id"),
    [
        ("", "terraform_outputs_malformed"),
        ("[]", "terraform_outputs_malformed"),
        ("{}", "terraform_outputs_missing"),
        ('{"role_arn": "x"}', "terraform_outputs_missing"),
        (text({"name": "prod"}), "terraform_outputs_missing"),
        (text({**VALUES, "name": 3}), "terraform_outputs_malformed"),
        (text({**VALUES, "projects": "prod"}), "terraform_outputs_malformed"),
        (text({**VALUES, "projects": [1]}), "terraform_outputs_malformed"),
    ],
)
def test_anything_else_is_refused(given: str, id: str) -> None:
    """Outputs of another root are registered, or end in a traceback."""
    with pytest.raises(BadInput) as raised:
        parse(given, "standard input")
    assert raised.value.id == id
    assert "standard input" in raised.value.message


def program(folder: Path, script: str) -> str:
    """A program in the place of Terraform."""
    file = folder / "terraform"
    file.write_text(f"#!{sys.executable}\n{script}")
    file.chmod(0o755)
    return str(file)


def test_terraform_is_run_in_the_folder_without_the_admin_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder's outputs are read, or the key is given to a program that needs none."""
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-secret")
    script = "import os, sys; print(os.getcwd(), sys.argv[1:], 'OPENAI_ADMIN_KEY' in os.environ)"
    (tmp_path / "root").mkdir()
    said = run_terraform(tmp_path / "root", program(tmp_path, script))
    assert said == f"{tmp_path / 'root'} ['output', '-json', '-no-color'] False\n"


def test_terraform_that_fails_is_quoted(tmp_path: Path) -> None:
    """The reason why Terraform failed is lost."""
    script = "import sys; sys.exit('Error: Backend\\n initialization required')"
    with pytest.raises(BadInput) as raised:
        run_terraform(tmp_path, program(tmp_path, script))
    assert raised.value.id == "terraform_failed"
    assert "Error: Backend initialization required" in raised.value.message


def test_no_terraform_and_no_folder(tmp_path: Path) -> None:
    """A missing program or folder ends in a traceback."""
    with pytest.raises(BadInput) as raised:
        run_terraform(tmp_path, str(tmp_path / "terraform"))
    assert raised.value.id == "terraform_missing"
    with pytest.raises(BadInput) as raised:
        run_terraform(tmp_path / "no")
    assert raised.value.id == "terraform_folder_missing"
