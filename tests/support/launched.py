"""The module's launcher on a machine of its own: a copy of the module, a PATH and a cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from openai_ekm._version import __version__

ANSWER = f"ekm-register {__version__}\n"


def bare_python() -> str:
    """The interpreter behind this environment: one that has none of the package's requirements."""
    return str(Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info[:2]))


@dataclass
class Machine:
    """A copy of the module and a PATH that holds what a test puts on it, and nothing else."""

    module: Path
    path: Path
    cache: Path
    environment: dict[str, str] = field(default_factory=dict)
    watched: tuple[str, ...] = ()  # words of a command that runs the launcher and looks on

    @classmethod
    def made(cls, repository: Path, folder: Path) -> Self:
        """A module copied to a folder with a space in its name, and an empty PATH."""
        module = folder / "some where"
        for part in ("modules/registration/launcher", "scripts", "requirements"):
            shutil.copytree(
                repository / part, module / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        (folder / "bin").mkdir()
        return cls(module, folder / "bin", folder / "cache")

    @property
    def stub(self) -> Path:
        """What Terraform runs."""
        return self.module / "modules" / "registration" / "launcher" / "ekm-register"

    @property
    def environments(self) -> list[str]:
        """What is in the cache, lock files aside."""
        folder = self.cache / "registrar"
        return sorted(p.name for p in folder.iterdir() if p.suffix != ".lock")

    def put(self, name: str, program: str) -> None:
        """Put a program on PATH, by its real path."""
        (self.path / name).symlink_to(program)

    def script(self, name: str, text: str) -> None:
        """Put a shell script on PATH."""
        file = self.path / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the launcher with this machine's PATH and cache."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("EKM_", "PYTHON", "VIRTUAL_ENV", "UV_PYTHON"))
        }
        return subprocess.Popen(
            [*self.watched, str(self.stub), *words],
            cwd=self.path,
            env=kept
            | {"PATH": str(self.path), "EKM_CACHE_DIR": str(self.cache)}
            | self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the launcher to its end."""
        process = self.start(*words)
        stdout, stderr = process.communicate(timeout=600)
        return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)
