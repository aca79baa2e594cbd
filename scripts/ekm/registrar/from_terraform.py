"""What an apply made: the module's outputs, as `terraform output -json` prints them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Outputs", "parse", "run_terraform"]

TIMEOUT: Final = 120  # seconds; reading outputs may go through a remote backend
_TEXTS: Final = ("role_arn", "kms_arn", "external_id", "name", "record")


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs that a registration is made of; what is not there is None."""

    role_arn: str | None = None
    kms_arn: str | None = None
    external_id: str | None = None
    name: str | None = None
    record: str | None = None
    projects: tuple[str, ...] | None = None


def run_terraform(folder: Path, terraform: str = "terraform") -> str:
    """Return what `terraform output -json` prints in a folder.

    Raises:
        BadInput: No folder, no Terraform, or it fails.
    """
    if not folder.is_dir():
        raise BadInput(
            "terraform_folder_missing",
            f"--from-terraform {str(folder)!r} is not a folder.",
            at_fault="--from-terraform",
            remedy="Give the folder that you run terraform apply in, or - for standard input.",
        )
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the folder is no argument of it
            [terraform, "output", "-json", "-no-color"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env={name: value for name, value in os.environ.items() if name != "OPENAI_ADMIN_KEY"},
            check=False,
        )
    except FileNotFoundError:
        raise BadInput(
            "terraform_missing",
            f"--from-terraform needs {terraform} on PATH, and it is not there.",
            at_fault="--from-terraform",
            remedy="Install Terraform, or pipe: terraform output -json | ekm register "
            "--from-terraform -",
        ) from None
    except subprocess.TimeoutExpired:
        raise BadInput(
            "terraform_failed",
            f"terraform output in {str(folder)!r} did not end within {TIMEOUT} s.",
            at_fault="--from-terraform",
            remedy="Run it by hand and see what it waits for.",
        ) from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise BadInput(
            "terraform_failed",
            f"terraform output in {str(folder)!r} failed: {said[:500]}",
            at_fault="--from-terraform",
            remedy="Run terraform init and terraform apply there first.",
        )
    return done.stdout


def parse(text: str, source: str) -> Outputs:
    """Read the outputs of a root that is the module, or has it in one output `ekm`.

    Args:
        text: JSON of `terraform output -json`.
        source: Where it came from, for messages.

    Raises:
        BadInput: Not such JSON, or none of the module's outputs is in it.
    """
    try:
        value = json.loads(text)
    except ValueError:
        raise _bad(source, "is not JSON") from None
    if not isinstance(value, dict):
        raise _bad(source, "is not a JSON object")
    outputs = {
        name: output["value"]
        for name, output in value.items()
        if isinstance(output, dict) and "value" in output
    }
    inner = outputs.get("ekm")
    found: Mapping[str, Any] = inner if isinstance(inner, dict) else outputs
    if found is inner and found and all(isinstance(one, dict) for one in found.values()):
        raise BadInput(
            "terraform_outputs_fleet",
            f"{source} has an output ekm of {len(found)} registrations: "
            f"{', '.join(list(found)[:5])}{' …' if len(found) > 5 else ''}; this needs one.",  # noqa: PLR2004 - a few names
            at_fault="--from-terraform",
            remedy="`ekm register` takes a fleet; for one of it, give --record and the ARNs, as in "
            "terraform output -json | jq '{ekm: {value: .ekm.value.NAME}}' | ekm status "
            "--from-terraform -",
        )
    if not found.get("role_arn") and not found.get("kms_arn"):
        raise BadInput(
            "terraform_outputs_missing",
            f"{source} has neither role_arn nor kms_arn, nor an output ekm that has them.",
            at_fault="--from-terraform",
            remedy='Apply first; a root that calls the module needs: output "ekm" { value = '
            "module.ekm }",
        )
    texts = {name: _text(found, name, source) for name in _TEXTS}
    return Outputs(**texts, projects=_projects(found.get("projects"), source))


def _text(found: Mapping[str, Any], name: str, source: str) -> str | None:
    value = found.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _bad(source, f"has the output {name} that is not text")
    return value


def _projects(value: object, source: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = list(value) if isinstance(value, list | dict) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise _bad(source, "has the output projects that is no list of names")
    return tuple(names)


def _bad(source: str, wrong: str) -> BadInput:
    return BadInput(
        "terraform_outputs_malformed",
        f"{source} {wrong}.",
        at_fault="--from-terraform",
        remedy="Give what `terraform output -json` prints, whole.",
    )
