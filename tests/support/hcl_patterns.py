"""The regular expressions of our Terraform files, as Terraform itself reads them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def accepted_by(folder: Path, definitions: str, name: str, texts: Sequence[str]) -> list[bool]:
    """Return which texts a regular expression of Terraform's matches.

    Args:
        folder: An empty one.
        definitions: Blocks `locals` that need nothing else.
        name: The local value that holds the expression.
        texts: What is asked.
    """
    (folder / "main.tf").write_text(
        definitions + '\noutput "accepted" {\n  value = [for text in '
        f'jsondecode(file("${{path.module}}/texts.json")) : can(regex(local.{name}, text))]\n}}\n',
        encoding="utf-8",
    )
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    subprocess.run(["terraform", "apply", "-auto-approve", "-no-color"], cwd=folder, check=True)
    output = subprocess.run(
        ["terraform", "output", "-json", "accepted"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    accepted: list[bool] = json.loads(output.stdout)
    return accepted
