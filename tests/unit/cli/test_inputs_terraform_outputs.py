"""What an apply made, read from its outputs."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.cli.inputs import Outputs, parse_outputs
from openai_ekm.errors import BadInput
from openai_ekm.terraform import select_instance

VALUES: dict[str, Any] = {
    "role_arn": "arn:aws:iam::111122223333:role/openai-ekm",
    "kms_arn": "arn:aws:kms:eu-west-1:111122223333:alias/x",
    "external_id": "org-abc123",
    "name": "prod",
    "record": "ssm:/openai-ekm/prod",
    "projects": ["prod", "test"],
}


def printed(values: dict[str, Any]) -> dict[str, Any]:
    """As `terraform output -json` prints it, decoded."""
    return {
        name: {"sensitive": False, "type": "x", "value": value} for name, value in values.items()
    }


def parse(body: dict[str, Any], source: str) -> Outputs:
    """Read what Terraform printed of one instance."""
    return parse_outputs(select_instance(body, source), source)


def test_root_that_is_the_module() -> None:
    """The outputs of the module as root are not found."""
    assert parse(printed({**VALUES, "more": 1}), "x") == Outputs(
        **{**VALUES, "projects": ("prod", "test")}
    )


def test_root_that_calls_the_module() -> None:
    """The outputs of a user's root are not found under `ekm`."""
    assert parse(printed({"other": 1, "ekm": VALUES}), "x").name == "prod"


def test_module_without_registration() -> None:
    """A module with `registration = null` cannot be registered afterwards."""
    values = {**VALUES, "name": None, "record": None, "projects": []}
    found = parse(printed(values), "x")
    assert (found.name, found.record, found.projects) == (None, None, ())


def test_projects_by_name() -> None:
    """A map of projects is taken for something else."""
    assert parse(printed({**VALUES, "projects": {"prod": "proj_1"}}), "x").projects == ("prod",)


@pytest.mark.parametrize(
    ("given", "id"),
    [
        ({}, "terraform_outputs_missing"),
        ({"role_arn": "x"}, "terraform_outputs_missing"),
        (printed({"name": "prod"}), "terraform_outputs_missing"),
        (printed({**VALUES, "name": 3}), "terraform_outputs_malformed"),
        (printed({**VALUES, "projects": "prod"}), "terraform_outputs_malformed"),
        (printed({**VALUES, "projects": [1]}), "terraform_outputs_malformed"),
    ],
)
def test_anything_else_is_refused(given: dict[str, Any], id: str) -> None:
    """Outputs of another root are registered, or end in a traceback."""
    with pytest.raises(BadInput) as raised:
        parse(given, "standard input")
    assert raised.value.id == id
    assert "standard input" in raised.value.message
