"""The wheel, built from a copy of what git holds: the build writes nothing into the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["build_wheel", "install_beside"]


def build_wheel(repository: Path, folder: Path) -> Path:
    """Build the wheel, without a download.

    Args:
        repository: A checkout; changes that are not committed count.
        folder: An empty folder.
    """
    folder.mkdir(exist_ok=True)
    source = folder / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (repository / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, source / name)
    uv = str(repository / ".tools" / "bin" / "uv")
    settings = ["--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder)]
    subprocess.run([uv, "build", "--quiet", "--wheel", *settings, str(source)], check=True)
    return next(folder.glob("*.whl"))


def install_beside(wheel: Path, folder: Path) -> Path:
    """Install a wheel into an environment that borrows every other package from this one.

    Args:
        wheel: As `build_wheel` returns it.
        folder: An absent folder.

    Returns:
        The folder of its programs.
    """
    here = Path(sys.prefix)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    # A .pth file in a folder that a .pth file names is not read: the checkout stays out of it.
    (folder / packages / "borrowed.pth").write_text(f"{here / packages}\n")
    uv = str(here.parent / ".tools" / "bin" / "uv")
    target = ["--python", str(folder / "bin" / "python"), "--no-deps", str(wheel)]
    subprocess.run([uv, "pip", "install", "--quiet", *target], check=True)
    return folder / "bin"
