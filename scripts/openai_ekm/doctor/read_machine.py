"""Read versions on this machine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from openai_ekm import terraform
from openai_ekm._version import __version__
from openai_ekm.doctor.facts import Machine
from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_machine"]


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
