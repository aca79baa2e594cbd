"""The module's launcher runs the registrar from hashed requirements, wherever the module lies."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from exec_trace import started, traced

from ekm._version import __version__

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


@pytest.fixture
def machine(repository: Path, tmp_path: Path) -> Machine:
    """A module copied to a folder with a space in its name, and an empty PATH."""
    module = tmp_path / "some where"
    for folder in ("modules/registration/launcher", "scripts", "requirements"):
        shutil.copytree(
            repository / folder, module / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    path = tmp_path / "bin"
    path.mkdir()
    return Machine(module, path, tmp_path / "cache")


@pytest.fixture
def uv(repository: Path) -> str:
    """The uv that `make env` put beside the environment."""
    found = repository / ".tools" / "bin" / "uv"
    return str(found) if found.exists() else str(shutil.which("uv"))


def test_python_alone_builds_once_and_then_starts_at_once(machine: Machine) -> None:
    """Without uv the first run would not be able to install, or every run would install anew."""
    machine.put("python3", bare_python())
    first = machine.run("--version")
    assert (first.returncode, first.stdout) == (0, ANSWER), first.stderr
    assert "Preparing ekm-register" in first.stderr
    second = machine.run("--version")
    assert (second.returncode, second.stdout, second.stderr) == (0, ANSWER, "")
    assert len(machine.environments) == 1
    installed = {p.name for p in machine.cache.rglob("site-packages/*.dist-info")}
    assert any(name.startswith("boto3-") for name in installed)
    assert not any(name.startswith(("fastapi", "pytest")) for name in installed)


def test_uv_alone_finds_a_python_that_is_not_on_path(
    machine: Machine, uv: str, tmp_path: Path
) -> None:
    """A machine that has uv and no Python on PATH would be told to install one."""
    machine.put("uv", uv)
    managed = tmp_path / "managed"
    name = f"cpython-{platform.python_version()}-linux-{platform.machine()}-gnu"
    (managed / name / "bin").mkdir(parents=True)
    (managed / name / "bin" / Path(bare_python()).name).symlink_to(bare_python())
    machine.environment["UV_PYTHON_INSTALL_DIR"] = str(managed)
    machine.environment["UV_PYTHON_DOWNLOADS"] = "never"
    done = machine.run("--version")
    assert (done.returncode, done.stdout) == (0, ANSWER), done.stderr


def test_neither_python_nor_uv_is_one_line_that_says_what_to_do(machine: Machine) -> None:
    """A bare machine would see a shell's error instead of the way on."""
    done = machine.run("--version")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "install one, or name a Python in EKM_PYTHON" in done.stderr


def test_a_python_that_is_too_old_is_not_used(machine: Machine) -> None:
    """A python3 of 3.10 would run code that it cannot read, in place of a later one beside it."""
    machine.script("python3", 'case "$*" in *version_info*) exit 1;; esac; echo old; exit 0')
    done = machine.run("--version")
    assert (done.returncode, done.stdout) == (2, "")
    machine.environment["EKM_PYTHON"] = "/nowhere/python"
    machine.put("python3.13", bare_python())
    assert machine.run("--version").stdout == ANSWER


def test_an_installed_registrar_of_the_same_version_is_used(machine: Machine) -> None:
    """A fleet that installs the package beforehand would build environments all the same."""
    machine.script(
        "ekm-register",
        '[ "$1" != --version ] || { echo "ekm-register VERSION"; exit; }; echo "$@"'.replace(
            "VERSION", __version__
        ),
    )
    done = machine.run("--retire", "a b")
    assert (done.returncode, done.stdout) == (0, "--retire a b\n")
    assert not machine.cache.exists()


def test_an_installed_registrar_of_another_version_is_ignored(machine: Machine) -> None:
    """A module would be served by a registrar that speaks another version of its protocol."""
    machine.script("ekm-register", "echo ekm-register 0.0.9")
    machine.put("python3", bare_python())
    assert machine.run("--version").stdout == ANSWER
    assert len(machine.environments) == 1


def test_the_launcher_on_path_does_not_call_itself(machine: Machine) -> None:
    """A launcher that is on PATH, by a link or a wrapper, would start itself for ever."""
    machine.put("python3", bare_python())
    machine.put("readlink", "/usr/bin/readlink")
    machine.put("ekm-register", str(machine.stub))
    assert machine.run("--version").stdout == ANSWER
    (machine.path / "ekm-register").unlink()
    machine.script("ekm-register", f'exec "{machine.stub}" "$@"')
    assert machine.run("--version").stdout == ANSWER


def test_three_at_once_build_one_environment(machine: Machine, uv: str) -> None:
    """Instances of a fleet, applied in parallel, would tread on each other's half-built files."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    runs = [machine.start("--version") for _ in range(3)]
    answers = [run.communicate(timeout=600) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], answers
    assert [out for out, _ in answers] == [ANSWER] * 3
    assert sum("Preparing ekm-register" in err for _, err in answers) == 1
    assert len(machine.environments) == 1


@pytest.mark.parametrize("removed", [True, False], ids=["removed", "changed"])
@pytest.mark.parametrize("with_uv", [True, False], ids=["uv", "pip"])
def test_a_tampered_hash_is_refused_and_leaves_nothing(
    machine: Machine, uv: str, *, with_uv: bool, removed: bool
) -> None:
    """A package that is not the reviewed one would run next to an admin key."""
    machine.put("python3", bare_python())
    if with_uv:
        machine.put("uv", uv)
    requirements = machine.module / "requirements" / "runtime.txt"
    lines = requirements.read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("click=="))
    end = next(n for n in range(start + 1, len(lines)) if not lines[n].startswith(" "))
    tampered = "" if removed else f" --hash=sha256:{'0' * 64}"
    lines[start:end] = [lines[start].rstrip(" \\") + tampered]
    requirements.write_text("\n".join(lines) + "\n")
    done = machine.run("--version")
    assert done.returncode == 2, done.stderr
    assert "not the one that requirements/runtime.txt names by its hash" in done.stderr
    assert machine.environments == []


@pytest.mark.parametrize("with_uv", [True, False], ids=["uv", "pip"])
def test_offline_is_said_and_leaves_nothing(machine: Machine, uv: str, *, with_uv: bool) -> None:
    """A machine without network would get a traceback, and an environment that looks complete."""
    machine.put("python3", bare_python())
    if with_uv:
        machine.put("uv", uv)
    machine.environment |= {
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(machine.cache / "uv"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(machine.cache),
    }
    done = machine.run("--version")
    assert done.returncode == 5, done.stderr
    assert "could not be installed, so nothing was run" in done.stderr
    assert "Traceback" not in done.stderr
    assert machine.environments == []


def test_an_edit_takes_effect_at_once(machine: Machine, uv: str) -> None:
    """After an upgrade of the module the old registrar would go on running."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    assert machine.run("--version").stdout == ANSWER
    version = machine.module / "scripts" / "ekm" / "_version.py"
    version.write_text('__version__ = "9.9.9"\n')
    assert machine.run("--version").stdout == "ekm-register 9.9.9\n"
    assert len(machine.environments) == 1


def test_nothing_beside_the_requirements_gets_in(machine: Machine, uv: str, tmp_path: Path) -> None:
    """A PYTHONPATH of the user's would put unpinned code next to an admin key."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "click.py").write_text("raise SystemExit('planted code ran')")
    machine.environment["PYTHONPATH"] = str(tmp_path / "planted")
    assert machine.run("--version").stdout == ANSWER


def test_the_module_folder_is_left_as_it_was(machine: Machine, uv: str) -> None:
    """Compiled files beside the sources would show as changes of a vendored module."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    before = sorted(machine.module.rglob("*"))
    assert machine.run("--help").returncode == 0
    assert sorted(machine.module.rglob("*")) == before


def test_a_cache_that_others_can_write_to_is_refused(machine: Machine) -> None:
    """Another user of the machine could plant an environment that runs next to an admin key."""
    machine.put("python3", bare_python())
    (machine.cache / "registrar").mkdir(parents=True)
    (machine.cache / "registrar").chmod(0o777)
    done = machine.run("--version")
    assert done.returncode == 2
    assert "could be written to by another user" in done.stderr


def test_a_python_that_went_away_is_replaced(machine: Machine, uv: str) -> None:
    """After a removed Python the cached environment would fail for ever."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    assert machine.run("--version").returncode == 0
    python = machine.cache / "registrar" / machine.environments[0] / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert machine.run("--version").stdout == ANSWER


@pytest.mark.parametrize("path", ["uv", "python and uv", "python", "installed"])
def test_what_the_launcher_runs_to_get_ready_does_not_get_the_admin_key(
    machine: Machine, uv: str, tmp_path: Path, path: str
) -> None:
    """A package installer, its plug-ins or some Python's shim could send the key anywhere."""
    key = "sk-admin-of-a-launcher-under-watch"
    log, secret = tmp_path / "programs", tmp_path / "secret"
    secret.write_text(key)
    machine.watched = tuple(traced(log, secret))
    machine.environment |= {
        "OPENAI_ADMIN_KEY": key,
        # What is installed is of no account: that it is tried is enough, and takes no network.
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(machine.cache / "uv"),
        "PIP_NO_INDEX": "1",
    }
    if "uv" in path:
        machine.put("uv", uv)
    if path == "uv":
        machine.environment["UV_PYTHON_INSTALL_DIR"] = str(tmp_path / "none")
        machine.environment["UV_PYTHON_DOWNLOADS"] = "never"
    if "python" in path:
        machine.put("python3", bare_python())
        machine.script("ekm-register", "echo ekm-register 0.0.9")
        expected = 5  # its packages could not be installed
    elif path == "uv":
        expected = 2  # no Python
    else:
        machine.script("ekm-register", f"echo ekm-register {__version__}")
        machine.put("readlink", str(shutil.which("readlink")))
        machine.put("link", str(machine.stub))
        machine.watched += (str(machine.path / "link"),)  # is run, and the launcher is a word of it
        expected = 0
    done = machine.run("--retire")
    assert done.returncode == expected, done.stderr

    programs = started(log)
    given = [" ".join(program.arguments) for program in programs if program.variables]
    others = [" ".join(program.arguments) for program in programs if not program.variables]
    assert {line.split()[-1] for line in given} == {"--retire"}  # the launcher and what it becomes
    asked = {
        "uv": ("uv python find", "uv run"),
        "python and uv": ("--version", "version_info", "uv venv", "uv pip sync"),
        "python": ("--version", "version_info", "-m venv", "-m pip install"),
        "installed": ("--version", "readlink -f"),
    }[path]
    assert [words for words in asked if not any(words in line for line in others)] == []
    assert [program.arguments for program in programs if program.shown] == []
