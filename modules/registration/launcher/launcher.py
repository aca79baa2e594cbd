"""Run the registrar of this module in an environment made from its hashed requirements.

Standard library only, Python 3.11 or later. It runs next to an OpenAI admin key, so nothing
unpinned runs: every package is checked against its hash, none is built from source (a build would
fetch tools that nothing pins), and neither PYTHONPATH nor user packages get in. The environment is
kept in the user's cache under a name made from the requirements and the Python, built in a
temporary folder and renamed under a lock: it is there as a whole or not at all. The registrar's own
code runs from the module's `scripts` folder, so an edit or an upgrade takes effect at once.
"""

# ruff: noqa: INP001, T201 - a script of its own, which prints

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = Path(__file__).resolve().parents[3]
SCRIPTS = MODULE / "scripts"
REQUIREMENTS = MODULE / "requirements" / "runtime.txt"
OLDEST = (3, 11)

BAD_INPUT = 2
NOT_REACHABLE = 5

# What pip and uv say when a download is not what requirements/runtime.txt says it is.
HASH_WORDS = ("hash mismatch", "do not match the hashes", "hashes are required", "require-hashes")
# Settings that would put packages somewhere else than into the environment being built.
PIP_ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV")
PYTHON_ELSEWHERE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
# -I keeps PYTHONPATH and user packages out; the module's own folder is then named by hand.
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from ekm.cli.main import main_register; main_register()"  # noqa: E501


class Refused(Exception):
    """The registrar cannot be run, and why.

    Args:
        message: One line that says what to do.
        code: Exit code, as the registrar's own.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def main() -> None:
    """Prepare the environment when it is not there yet, and become the registrar."""
    try:
        python = prepare()
    except Refused as refusal:
        print(f"ekm-register: {refusal}", file=sys.stderr)
        sys.exit(refusal.code)
    except KeyboardInterrupt:
        sys.exit(130)
    # -B: no compiled files beside the module's sources, and none that could be older than they.
    os.execv(python, [str(python), "-I", "-B", "-c", RUN, str(SCRIPTS), *sys.argv[1:]])  # noqa: S606 - no shell


def prepare() -> Path:
    """Return the Python of an environment that holds exactly the module's requirements.

    Raises:
        Refused: It is not there and cannot be made.
    """
    if sys.version_info < OLDEST:
        raise Refused(
            f"Python {platform.python_version()} is too old: 3.11 or later is needed. "
            "Name one in EKM_PYTHON.",
            BAD_INPUT,
        )
    if not REQUIREMENTS.is_file() or not (SCRIPTS / "ekm").is_dir():
        raise Refused(
            f"the module in {MODULE} is not complete: requirements/runtime.txt or scripts/ekm is "
            "missing. Fetch it again (terraform init -upgrade).",
            BAD_INPUT,
        )
    environments = cache() / "registrar"
    name = fingerprint(REQUIREMENTS.read_bytes())
    environment = environments / name
    if usable(environment):
        return environment / "bin" / "python"
    private(environments)
    with locked(environments / f"{name}.lock"):
        if not usable(environment):
            build(environment)
    return environment / "bin" / "python"


def cache() -> Path:
    """Return the user's cache folder of this product."""
    if os.environ.get("EKM_CACHE_DIR"):
        return Path(os.environ["EKM_CACHE_DIR"]).absolute()
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        raise Refused("no home folder: name a cache in EKM_CACHE_DIR.", BAD_INPUT) from None
    return Path(base) / "openai-ekm-aws"


def fingerprint(requirements: bytes) -> str:
    """Return a name for what the environment depends on: the requirements and this Python."""
    python = (
        sys.implementation.name,
        platform.python_version(),
        sysconfig.get_platform(),
        str(sysconfig.get_config_var("SOABI")),
    )
    return hashlib.sha256("\0".join(python).encode() + b"\0" + requirements).hexdigest()[:32]


def usable(environment: Path) -> bool:
    """Tell whether an environment is there, with the Python that it was made from."""
    return os.access(environment / "bin" / "python", os.X_OK)


def private(folder: Path) -> None:
    """Make the folder for this user alone; refuse one that another user could write to."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise Refused(
            f"the cache folder {folder} cannot be made ({error.strerror}): "
            "name another in EKM_CACHE_DIR.",
            BAD_INPUT,
        ) from None
    if found.st_uid != os.geteuid() or found.st_mode & 0o002:
        raise Refused(
            f"the cache folder {folder} could be written to by another user: "
            "name one of your own in EKM_CACHE_DIR.",
            BAD_INPUT,
        )


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold an exclusive lock, so that runs which start at once build one environment."""
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another run that is preparing ekm-register …", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(environment: Path) -> None:
    """Build the environment beside its place and rename it; leave nothing behind on failure."""
    print("Preparing ekm-register, once for these requirements and this Python …", file=sys.stderr)
    for left in environment.parent.glob(f"{environment.name}.new-*"):
        shutil.rmtree(left, ignore_errors=True)  # of a run that was killed; we hold the lock
    folder = Path(tempfile.mkdtemp(prefix=f"{environment.name}.new-", dir=environment.parent))
    try:
        fill(folder / "env")
        shutil.rmtree(environment, ignore_errors=True)  # one whose Python is gone
        (folder / "env").rename(environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(environment: Path) -> None:
    """Make a virtual environment and install the requirements, hashes enforced."""
    python = str(environment / "bin" / "python")
    uv = shutil.which("uv")
    if uv:
        tool(uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(environment))
        tool(
            uv, "pip", "sync", "--quiet", "--python", python,
            "--require-hashes", "--only-binary", ":all:", str(REQUIREMENTS),
        )  # fmt: skip
        return
    try:
        tool(sys.executable, "-I", "-m", "venv", str(environment))
    except Refused as refusal:
        raise Refused(
            f"this Python cannot make a virtual environment: install its venv package, or uv.\n"
            f"{refusal}",
            BAD_INPUT,
        ) from None
    tool(
        python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
        "--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement",
        str(REQUIREMENTS),
    )  # fmt: skip


def tool(*command: str) -> None:
    """Run pip, venv or uv with the user's own settings, from a folder that configures nothing.

    Raises:
        Refused: It failed: code 2 when a hash does not match, 5 for the rest.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in PIP_ELSEWHERE + PYTHON_ELSEWHERE and name != "OPENAI_ADMIN_KEY"
    }
    with tempfile.TemporaryDirectory() as nowhere:
        done = subprocess.run(  # noqa: S603 - the words are ours, without a shell
            command,
            cwd=nowhere,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode == 0:
        return
    said = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-20:])
    if any(words in done.stdout.lower() for words in HASH_WORDS):
        raise Refused(
            "a package is not the one that requirements/runtime.txt names by its hash; nothing was "
            f"installed. Fetch the module again, or ask whoever runs your package index.\n{said}",
            BAD_INPUT,
        )
    raise Refused(
        "its packages could not be installed, so nothing was run. Check the network and the "
        "settings of pip or uv, or install the openai-ekm-aws package beforehand.\n" + said,
        NOT_REACHABLE,
    )


if __name__ == "__main__":
    main()
