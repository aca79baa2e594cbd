"""Check the formatting of every Terraform file; validate the root, each module and example.

Validation runs in a copy, so that nothing is written beside the sources. What has not changed since
it was found valid is not looked at again (.cache/terraform-valid). A module that asks its caller
for a second provider (`configuration_aliases`) cannot be validated by itself: an example calls it.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from provider_process import attached_provider, provider_of

from openai_ekm.errors import EkmError
from openai_ekm.rehearsal import Workspace
from openai_ekm.rehearsal.module_copy import local_modules
from openai_ekm.rehearsal.process import run_command
from openai_ekm.rehearsal.terraform_environment import find_terraform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
VALID = ROOT / ".cache" / "terraform-valid"
AT_ONCE = 2


def fingerprint(folder: Path) -> str:
    """Return a name for the content of a module and of every module that it reaches."""
    digest = hashlib.sha256()
    for module in sorted(local_modules(folder)):
        for file in sorted(module.glob("*.tf")):
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def validate(folder: Path, provider: Mapping[str, str]) -> str | None:
    """Return what `terraform validate` has against a module, or None."""
    with tempfile.TemporaryDirectory(prefix="ekm-validate-") as copy:
        workspace = Workspace(folder, copy)
        workspace.environment |= provider
        workspace.init()
        run = workspace.run("validate", "-no-color", expected=None)
    return None if run.ok else f"{folder.relative_to(ROOT)}:\n{run.output}"


def validate_all(folders: Sequence[Path]) -> list[str]:
    """Return the faults of modules, which share one provider: to validate configures none."""
    with tempfile.TemporaryDirectory(prefix="ekm-validate-") as copy:
        workspace = Workspace(ROOT, copy)
        workspace.init()
        with (
            attached_provider(provider_of(workspace.path), workspace.environment) as provider,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            answers = list(pool.map(lambda folder: validate(folder, provider), folders))
    for folder, fault in zip(folders, answers, strict=True):
        if fault is None:
            VALID.mkdir(parents=True, exist_ok=True)
            (VALID / fingerprint(folder)).touch()
    return [fault for fault in answers if fault]


def asks_for_providers(folder: Path) -> bool:
    """Return whether a module can be validated through a caller alone."""
    return any("configuration_aliases" in file.read_text("utf-8") for file in folder.glob("*.tf"))


def main() -> int:
    """Print every fault; return 1 when there is one."""
    terraform = find_terraform()
    formatted = run_command([terraform, "fmt", "-check", "-recursive", "-diff"], ROOT)
    faults = [] if formatted.ok else [formatted.output]
    modules = sorted({file.parent for file in ROOT.glob("*.tf")}
                     | {file.parent for top in ("modules", "examples", "bench")
                        for file in (ROOT / top).rglob("*.tf")})  # fmt: skip
    unseen = [
        folder
        for folder in modules
        if not asks_for_providers(folder) and not (VALID / fingerprint(folder)).exists()
    ]
    if unseen:
        faults += validate_all(unseen)
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EkmError as error:
        sys.exit(f"{error.message} {error.remedy or ''}")
