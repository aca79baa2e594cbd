"""Terraform's outputs: from a folder, or from standard input."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from openai_ekm import terraform
from openai_ekm.cli import render
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import read_content

__all__ = ["outputs_source", "read_outputs"]


def outputs_source(source: str) -> str:
    """Return where outputs come from, for messages."""
    return "standard input" if source == "-" else f"terraform output in {source}"


def read_outputs(source: str) -> dict[str, Any]:
    """Return what `terraform output -json` prints, in a folder or on standard input, decoded.

    Raises:
        BadInput: It cannot be read, or is no JSON object.
    """
    if source == "-":
        try:
            content = read_content("-")
        except OSError as failure:
            raise BadInput(
                "terraform_outputs_malformed",
                f"standard input cannot be read: {failure.strerror}.",
                at_fault="--from-terraform",
                remedy="Pipe: terraform output -json | ekm … --from-terraform -",
            ) from None
    else:
        folder = Path(source)
        render.progress(f"Reading Terraform's outputs in {os.path.realpath(folder)}.")
        with render.waiting("Waiting for Terraform"):
            content = terraform.run_output(folder)
    outputs, notice = terraform.read_outputs(content, outputs_source(source))
    if notice is not None:
        render.progress(notice)
    return outputs
