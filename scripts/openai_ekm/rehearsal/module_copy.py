"""Copy a root module together with every module on disk that it reaches, or the packaged one."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["copy_root", "local_modules", "packaged_module", "unpack_module"]

PACKAGE = Path(__file__).resolve().parents[1]
PACKAGED = "module"  # the folder in the package that the build puts the module's files into

# `source = "../.."`: Terraform takes a path for a module only when it begins with ./ or ../
LOCAL_SOURCE = re.compile(r'^\s*source\s*=\s*"(\.{1,2}(?:/[^"]*)?)"', re.MULTILINE)
# State, caches and environments are nobody's source; hidden folders hold all of the latter.
LEFT_OUT = re.compile(
    r"^(\.(?!terraform\.lock\.hcl$).*|.*\.tfstate(\..*)?|.*\.tfplan|__pycache__|node_modules"
    r"|tf_resources\.json|crash\.log)$"
)


def local_modules(folder: Path) -> tuple[Path, ...]:
    """Return a module's folder and every folder that its `source` arguments reach.

    Args:
        folder: A folder with `.tf` files.

    Raises:
        BadInput: The folder, or one that is reached, holds no `.tf` file.
    """
    found: list[Path] = []
    waiting = [folder.resolve()]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        files = sorted(module.glob("*.tf"))
        if not files:
            raise BadInput(
                "not_a_module",
                f"{module} holds no .tf file.",
                at_fault=str(folder),
                remedy="Name the folder of a Terraform root module.",
            )
        found.append(module)
        for file in files:
            sources = LOCAL_SOURCE.findall(file.read_text(encoding="utf-8"))
            waiting.extend((module / source).resolve() for source in sources)
    return tuple(found)


def copy_root(root: Path, into: Path) -> Path:
    """Copy a root module and what it reaches, so that every relative source still holds.

    Whole folders are copied, without state, caches and hidden files. A file beside the folder that
    a module reads (`file("../shared.json")`) is not.

    Args:
        root: The root module's folder.
        into: An empty or absent folder.

    Returns:
        The folder of the root module's copy, somewhere under `into`.
    """
    folders = local_modules(root)
    base = Path(os.path.commonpath(folders))
    for folder in _outermost(folders):
        shutil.copytree(
            folder,
            into / folder.relative_to(base),
            ignore=lambda _, names: {name for name in names if LEFT_OUT.match(name)},
            ignore_dangling_symlinks=True,
            dirs_exist_ok=True,
        )
    return into / root.resolve().relative_to(base)


def packaged_module() -> Path | None:
    """Return the folder of the module in an installed package; None in a checkout."""
    folder = PACKAGE / PACKAGED
    return folder if (folder / "main.tf").is_file() else None


def unpack_module(module: Path, into: Path) -> Path:
    """Put the packaged module together as a checkout has it: with the registrar beside it.

    Args:
        module: As `packaged_module` returns it.
        into: An absent folder.

    Returns:
        The folder of the whole module.
    """
    shutil.copytree(module, into)
    launcher = into / "modules" / "registration" / "launcher" / "ekm-register"
    launcher.chmod(0o755)  # an installer may drop the right to run it
    shutil.copytree(
        module.parent,
        into / "scripts" / "openai_ekm",
        ignore=lambda folder, names: {
            name
            for name in names
            if name == "__pycache__" or (name == PACKAGED and Path(folder) == module.parent)
        },
    )
    return into


def _outermost(folders: Iterable[Path]) -> list[Path]:
    chosen: list[Path] = []
    for folder in sorted(folders):
        if not any(folder.is_relative_to(other) for other in chosen):
            chosen.append(folder)
    return chosen
