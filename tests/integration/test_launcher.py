"""The module's launcher runs the registrar from hashed requirements, wherever the module lies."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest

from openai_ekm._version import __version__
from tests.support.exec_trace import started, traced
from tests.support.launched import ANSWER, Machine, bare_python


def test_python_alone_builds_once_and_then_starts_at_once(machine: Machine) -> None:
    """Guards against: a first run without uv that cannot install, or runs that install anew."""
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
    """Guards against: a machine with uv and no Python on PATH that is told to install one."""
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
    """Guards against: a shell's error on a bare machine, instead of the way on."""
    done = machine.run("--version")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "install one, or name a Python in EKM_PYTHON" in done.stderr


def test_a_python_that_is_too_old_is_not_used(machine: Machine) -> None:
    """Guards against: a python3 of 3.10 that is taken in place of a later one beside it."""
    machine.script("python3", 'case "$*" in *version_info*) exit 1;; esac; echo old; exit 0')
    done = machine.run("--version")
    assert (done.returncode, done.stdout) == (2, "")
    machine.environment["EKM_PYTHON"] = "/nowhere/python"
    machine.put("python3.13", bare_python())
    assert machine.run("--version").stdout == ANSWER


def test_an_installed_registrar_of_the_same_version_is_used(machine: Machine) -> None:
    """Guards against: environments that are built although the package is installed."""
    machine.script(
        "ekm-register",
        '[ "$1" != --version ] || { echo "ekm-register VERSION"; exit; }; echo "$@"'.replace(
            "VERSION", __version__
        ),
    )
    done = machine.run("--retire", "a b")
    assert (done.returncode, done.stdout) == (0, "--retire a b\n")
    assert not machine.cache.exists()


def test_an_installed_registrar_of_another_version_is_ignored(machine: Machine, uv: str) -> None:
    """Guards against: a registrar that speaks another version of the module's protocol."""
    machine.script("ekm-register", "echo ekm-register 0.0.9")
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    assert machine.run("--version").stdout == ANSWER
    assert len(machine.environments) == 1


def test_the_launcher_on_path_does_not_call_itself(machine: Machine, uv: str) -> None:
    """Guards against: a launcher on PATH, by a link or a wrapper, that starts itself for ever."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    machine.put("readlink", "/usr/bin/readlink")
    machine.put("ekm-register", str(machine.stub))
    assert machine.run("--version").stdout == ANSWER
    (machine.path / "ekm-register").unlink()
    machine.script("ekm-register", f'exec "{machine.stub}" "$@"')
    assert machine.run("--version").stdout == ANSWER


def test_three_at_once_build_one_environment(machine: Machine, uv: str) -> None:
    """Guards against: parallel instances of a fleet that use each other's half-built files."""
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
    """Guards against: a package that nobody reviewed, run next to an admin key."""
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
    """Guards against: a traceback without network, or an environment that only looks complete."""
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
    """Guards against: an old registrar that runs on after an upgrade of the module."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    assert machine.run("--version").stdout == ANSWER
    version = machine.module / "scripts" / "openai_ekm" / "_version.py"
    version.write_text('__version__ = "9.9.9"\n')
    assert machine.run("--version").stdout == "ekm-register 9.9.9\n"
    assert len(machine.environments) == 1


def test_nothing_beside_the_requirements_gets_in(machine: Machine, uv: str, tmp_path: Path) -> None:
    """Guards against: unpinned code of the user's PYTHONPATH next to an admin key."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "click.py").write_text("raise SystemExit('planted code ran')")
    machine.environment["PYTHONPATH"] = str(tmp_path / "planted")
    assert machine.run("--version").stdout == ANSWER


def test_the_module_folder_is_left_as_it_was(machine: Machine, uv: str) -> None:
    """Guards against: compiled files that show as changes of a vendored module."""
    machine.put("python3", bare_python())
    machine.put("uv", uv)
    before = sorted(machine.module.rglob("*"))
    assert machine.run("--help").returncode == 0
    assert sorted(machine.module.rglob("*")) == before


def test_a_cache_that_others_can_write_to_is_refused(machine: Machine) -> None:
    """Guards against: an environment that another user of the machine planted."""
    machine.put("python3", bare_python())
    (machine.cache / "registrar").mkdir(parents=True)
    (machine.cache / "registrar").chmod(0o777)
    done = machine.run("--version")
    assert done.returncode == 2
    assert "can be written by other users (mode 777)" in done.stderr


def test_a_python_that_went_away_is_replaced(machine: Machine, uv: str) -> None:
    """Guards against: a cached environment that fails for ever after its Python is removed."""
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
    """Guards against: the key in the hands of a package installer, its plug-ins or a shim."""
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
