"""The corrections of pytest-terraform in tests/conftest.py, which these suites need."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from pytest_terraform import tf, xdist

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_run_that_needs_no_terraform_runs_without_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: unit tests that pytest-terraform stops on a machine without Terraform."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    words = ["-q", "-p", "no:cacheprovider", "--collect-only", "tests/unit/test_printable.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_terraform_is_used_where_opentofu_is_installed_too() -> None:
    """These suites run Terraform, whatever else is on PATH."""
    assert tf.LazyTfBin.value == shutil.which("terraform")


def test_a_shared_fixture_is_loaded_in_a_second_worker(tmp_path: Path) -> None:
    """Guards against: a session fixture that fails in every worker but the first."""
    file = tmp_path / "tf_resources.json"
    file.write_text(json.dumps({"pytest-terraform": 1, "resources": {}, "outputs": {}}))
    assert tf.TerraformTestApi.load(str(file)).outputs == {}


def test_a_shared_fixture_whose_teardown_is_off_is_not_destroyed() -> None:
    """Guards against: a destroy of a key that deletion protection refuses."""
    fixture = object.__new__(xdist.ScopedTerraformFixture)
    fixture.teardown_config = "off"
    fixture.tear_down()  # without the correction it looks for a lock that this one has not
