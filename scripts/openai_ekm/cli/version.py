"""`ekm version`: what is installed here, as a report of a fault needs it."""

from __future__ import annotations

import contextlib
import json
import platform
import re
import subprocess  # nosec B404 # each call says below why it is safe
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from openai_ekm import terraform
from openai_ekm._version import __version__
from openai_ekm.cli import render
from openai_ekm.errors import BadInput
from openai_ekm.terraform import find_module_version

__all__ = ["run"]

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_TOP: Final = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionOptions:
    """Options of `ekm version`."""

    as_json: bool


def run(options: VersionOptions) -> None:
    """Run `ekm version`."""
    facts: dict[str, Any] = {
        "package": __version__,
        "commit": find_commit(),
        "module": find_module_version(Path.cwd()),
        "terraform": _ask_terraform(),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    if options.as_json:
        render.document(facts)
        return
    for name, value in facts.items():
        nothing = "none in this folder" if name == "module" else "not found"
        shown = value if value is not None else nothing
        if isinstance(value, dict):
            shown = f"{value['program']} {value['version']}"
        render.result(f"{name:<10} {shown}")


def find_commit() -> str | None:
    """Return the commit that this package was installed from, where that is known.

    It is known of an installation from a repository
    (https://packaging.python.org/en/latest/specifications/direct-url/), and of a checkout.
    """
    with contextlib.suppress(PackageNotFoundError, ValueError, KeyError, TypeError):
        written = json.loads(distribution("openai-ekm-aws").read_text("direct_url.json") or "{}")
        commit = str(written["vcs_info"]["commit_id"])
        if _COMMIT.fullmatch(commit):
            return commit
    if not (_TOP / ".git").exists():
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # nosec B603, B607 # the git on PATH, fixed words
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - the git on PATH
            cwd=_TOP,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        if _COMMIT.fullmatch(done.stdout.strip()):
            return done.stdout.strip()
    return None


def _ask_terraform() -> dict[str, Any] | None:
    """Return the program and its version; None where there is none that runs."""
    try:
        program, content = terraform.run_version()
        return {"program": program, "version": str(json.loads(content)["terraform_version"])}
    except (BadInput, ValueError, KeyError, TypeError):
        return None
