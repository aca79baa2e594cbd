"""The version of the Terraform module in a folder."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["find_module_version"]

_VERSION: Final = re.compile(r'^__version__ = "([0-9][^"\s]{0,40})"$', re.MULTILINE)
_VERSION_FILE: Final = "scripts/openai_ekm/_version.py"  # the module carries its registrar


def find_module_version(folder: Path) -> str | None:
    """Return the version of the module that a folder holds or calls.

    Args:
        folder: The module itself, or a root that calls it and was initialized.
    """
    roots = [folder]
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        listed = json.loads((folder / ".terraform/modules/modules.json").read_text("utf-8"))
        roots += [folder / entry["Dir"] for entry in listed["Modules"]]
    for root in roots:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found = _VERSION.search((root / _VERSION_FILE).read_text("utf-8"))
            if found:
                return found[1]
    return None
