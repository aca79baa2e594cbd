"""Versions on this machine, and of what the caller named."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openai_ekm import terraform
from openai_ekm._version import __version__
from openai_ekm.doctor.checks import Line, State, failed, unseen
from openai_ekm.doctor.facts import Machine
from openai_ekm.errors import BadInput, EkmError

if TYPE_CHECKING:
    from openai_ekm.doctor.facts import Given

__all__ = ["check_named", "check_versions", "read_machine"]


def read_machine(folder: Path) -> Machine:
    """Read the versions of Python, package, module and Terraform.

    Args:
        folder: Where the module is looked for.
    """
    return Machine(
        python=sys.version_info[:3],
        package=__version__,
        module=terraform.find_module_version(folder),
        terraform=_terraform(),
    )


def _terraform() -> tuple[str, str] | BadInput:
    try:
        program, printed = terraform.run_version()
        return program, str(json.loads(printed)["terraform_version"])
    except BadInput as error:
        return error
    except (ValueError, KeyError, TypeError):
        return BadInput(
            "terraform_failed",
            "What Terraform prints for `version -json` cannot be read.",
            at_fault="--terraform",
            remedy="Run `terraform version -json` by hand, or name another program with "
            "--terraform.",
        )


# What pyproject.toml and versions.tf admit, and docs/versions.md says was tried.
_LEAST_PYTHON: Final = (3, 11)
_LAST_PYTHON: Final = (3, 13)
_LEAST_TERRAFORM: Final = (1, 9)
_LAST_TERRAFORM: Final = (1, 15)
_VERSION: Final = re.compile(r"(\d+)\.(\d+)")


def check_versions(machine: Machine) -> list[Line]:
    """Judge Python, Terraform, and package against module."""
    return [_python(machine.python), _judge_terraform(machine), _module(machine)]


def _python(version: tuple[int, int, int]) -> Line:
    shown = f"Python {'.'.join(map(str, version))} runs this package."
    if version[:2] < _LEAST_PYTHON:
        return Line(
            "python_version",
            State.FAILURE,
            f"{shown} It needs 3.11 or newer.",
            "Install the package into an environment of Python 3.11, 3.12 or 3.13.",
        )
    if version[:2] > _LAST_PYTHON:
        return Line(
            "python_version",
            State.WARNING,
            f"{shown} No test runs on a version that new.",
            "Use Python 3.11, 3.12 or 3.13 if something fails (docs/versions.md).",
        )
    return Line("python_version", State.OK, shown)


def _judge_terraform(machine: Machine) -> Line:
    if isinstance(machine.terraform, EkmError):
        # A machine that runs ekm alone needs no Terraform: a pipeline can pipe the outputs.
        error = machine.terraform
        return Line("terraform_version", State.WARNING, error.message, error.remedy)
    program, version = machine.terraform
    name = "OpenTofu" if "tofu" in Path(program).name else "Terraform"
    shown = f"{name} {version} is what runs as {Path(program).name}."
    found = _VERSION.match(version)
    number = (int(found[1]), int(found[2])) if found else None
    if number is None or number < _LEAST_TERRAFORM:
        return Line(
            "terraform_version",
            State.FAILURE,
            f"{shown} The module needs 1.9 or newer.",
            "Install Terraform 1.9 or newer, or name another program with --terraform.",
        )
    if name == "OpenTofu":
        return Line(
            "terraform_version",
            State.WARNING,
            f"{shown} The module was not tried with OpenTofu.",
            "Plan with it first and read the plan, or use Terraform (docs/versions.md).",
        )
    if number > _LAST_TERRAFORM:
        shown += " It is newer than every version that was tried."
    return Line("terraform_version", State.OK, shown)


def _module(machine: Machine) -> Line:
    if machine.module is None:
        return unseen(
            "module_version",
            f"The package is {machine.package}; no module was found in this folder.",
            "Run it in the folder of your root module after terraform init, or give "
            "--from-terraform DIR.",
        )
    if machine.module != machine.package:
        return Line(
            "module_version",
            State.WARNING,
            f"The package is {machine.package} and the module is {machine.module}.",
            f"Install the package of the module: pip install openai-ekm-aws=={machine.module}.",
        )
    return Line("module_version", State.OK, f"Package and module are both {machine.package}.")


def check_named(given: Given) -> Line:
    """Judge whether role, key, external id and record are known."""
    if given.unread is not None:
        return failed("named", given.unread)
    members = {
        "role": given.role_arn,
        "key": given.kms_arn,
        "external id": given.external_id,
        "record": ":".join(given.record) if given.record else None,
    }
    missing = [name for name, value in members.items() if value is None]
    if len(missing) == len(members):
        why = (
            "Terraform has no outputs of the module yet" if given.unapplied else "Nothing is named"
        )
        return unseen(
            "named",
            f"{why}: the checks below look at what there is before the first apply.",
            "After an apply, give --from-terraform DIR.",
        )
    known = "; ".join(f"{name} {value}" for name, value in members.items() if value is not None)
    lacking = f". Not named: {', '.join(missing)}" if missing else ""
    return Line("named", State.OK, f"What is looked at is {known}{lacking}.")
