"""The admin key of a full run is in no state, plan, output, log, database or argument list."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import zipfile
from typing import TYPE_CHECKING, Self

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ekm.harness.emulator import EmulatorProcess
    from ekm.harness.plugin import WorkspaceFactory

pytestmark = pytest.mark.terraform


class ArgumentWatch:
    """Collects the argument list of every process of this machine, as long as it is entered."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    self.seen.add("\0".join(process.cmdline()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, and every member of those that are archives (saved plans)."""
    for file in folder.rglob("*"):
        if not file.is_file() or file.name.startswith("terraform-provider-"):
            continue
        yield str(file), file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                for member in archive.namelist():
                    yield f"{file}!{member}", archive.read(member)


def test_the_admin_key_is_nowhere(
    ekm_workspace: WorkspaceFactory, ekm_openai: EmulatorProcess
) -> None:
    """Whoever reads a state, a CI log or a process list can encrypt and archive at OpenAI."""
    key = ekm_openai.admin_key
    workspace = ekm_workspace(
        "examples/api-project",
        openai=ekm_openai,
        organization_id="org-test",
        deletion_protection=False,
    )
    verbs: list[str] = []
    with ArgumentWatch() as watch:
        workspace.apply(workspace.plan(), environment={"TF_LOG": "INFO"})
        for verb in ("register", "validate", "status"):
            run = subprocess.run(
                [
                    *(sys.executable, "-c", "from ekm.cli.main import main; main()"),
                    *(verb, "--from-terraform", str(workspace.path), "--json"),
                ],
                env=workspace.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert run.returncode == 0, run.stderr
            verbs.append(run.stdout + run.stderr)
        outputs = json.dumps(workspace.outputs())
        workspace.destroy(
            environment={"EKM_CONFIRM_ARCHIVE": workspace.outputs()["external_key_id"]}
        )

    assert any("ekm-register" in arguments for arguments in watch.seen)
    assert [arguments for arguments in watch.seen if key in arguments] == []
    assert key not in outputs
    assert [run.words for run in workspace.runs if key in run.output] == []
    assert [said for said in verbs if key in said] == []
    assert key not in ekm_openai.log
    assert key.encode() not in ekm_openai.database.read_bytes()
    found = dict(contents(workspace.folder))
    assert any("!tfplan" in name for name in found)
    assert [name for name, content in found.items() if key.encode() in content] == []
