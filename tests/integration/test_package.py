"""The wheel alone, in an empty environment, is a working registrar."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openai_ekm._version import __version__
from tests.support.wheel import build_wheel


@pytest.fixture(scope="module")
def installed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an empty environment after `pip install`, of Python 3.11 if found."""
    found = subprocess.run(
        [repository / "tools" / "find-python", "3.11"], capture_output=True, text=True, check=False
    )
    base = found.stdout.strip() or str(Path(sys.base_prefix) / "bin" / "python3")
    folder = tmp_path_factory.mktemp("installed")
    wheel = build_wheel(repository, folder)
    subprocess.run([base, "-m", "venv", folder / "env"], check=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    subprocess.run(
        [folder / "env" / "bin" / "python", "-m", "pip", "install", "--quiet", wheel],
        env=environment,
        check=True,
    )
    return folder / "env" / "bin"


@pytest.mark.parametrize("words", [["--version"], ["--help"]], ids=str)
def test_the_installed_registrar_works_with_runtime_dependencies_alone(
    installed: Path, words: list[str]
) -> None:
    """A user's install would fail on an import that only the tests' requirements bring."""
    done = subprocess.run(
        [installed / "ekm-register", *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "ekm-register" in done.stdout


def test_the_package_runs_by_its_own_name(installed: Path) -> None:
    """Guards against: `uvx openai-ekm-aws`, which runs the program of that name, and finds none."""
    done = subprocess.run(
        [installed / "openai-ekm-aws", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == __version__


def test_the_wheel_has_the_templates_of_the_evidence_page(
    repository: Path, installed: Path
) -> None:
    """Guards against: `ekm evidence` that finds its template in a checkout alone."""
    folder = "openai_ekm/evidence/page/templates"
    (packed,) = installed.parent.glob(f"lib/python3.*/site-packages/{folder}")
    expected = {each.name for each in (repository / "scripts" / folder).iterdir()}
    assert {each.name for each in packed.iterdir()} == expected > {"page.html", "page.css"}


def test_the_demo_says_what_it_needs(installed: Path) -> None:
    """Guards against: a pip user's first example that ends without the way on."""
    done = subprocess.run([installed / "ekm", "demo"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'openai-ekm-aws[demo]'" in done.stderr


def test_nothing_of_the_rehearsal_is_installed(installed: Path) -> None:
    """A registrar's machine would get a web server and test tools with it."""
    listed = subprocess.run(
        [installed / "python", "-m", "pip", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.lower()
    assert "boto3==" in listed
    for name in ("fastapi", "uvicorn", "pytest", "localstack"):
        assert f"\n{name}" not in listed


def test_the_launcher_takes_the_wheel_for_the_same_version(
    installed: Path, repository: Path, tmp_path: Path
) -> None:
    """A machine with the package installed would build a second environment."""
    stub = repository / "modules" / "registration" / "launcher" / "ekm-register"
    done = subprocess.run(
        [stub, "--version"],
        env={"PATH": f"{installed}{os.pathsep}/usr/bin:/bin", "EKM_CACHE_DIR": str(tmp_path / "c")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ekm-register {__version__}\n", "")
    assert not (tmp_path / "c").exists()
