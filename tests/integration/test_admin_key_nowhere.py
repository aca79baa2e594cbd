"""Where the admin key of a full run is: with what calls OpenAI and its parents, nowhere else."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import subprocess
import sys
import threading
import zipfile
from typing import TYPE_CHECKING, Any, Self

import psutil
import pytest

from tests.support.exec_trace import Started, started, traced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory

pytestmark = pytest.mark.terraform

PARAMETER = "/kept/openai-admin-key"
# The first that is found in a program's file name and arguments.
PARTS = {
    "provider": r"^terraform-provider-",
    "terraform output": r"^terraform .* output -json -no-color$",  # as a verb of ours runs it
    "terraform": r"^terraform ",
    "deletion guard": r"\$PROTECTED",
    "version asked": r"ekm-register --version$",
    "launcher": r"launcher/ekm-register ",
    "registrar": r"bin/ekm-register ",
    "verb": r"ekm\.cli\.main",
}


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


def parameters(ssm: Any) -> dict[str, str]:
    """Every parameter of the account, with every value that it ever had."""
    pages = ssm.get_paginator("describe_parameters").paginate()
    names = [found["Name"] for page in pages for found in page["Parameters"]]
    return {
        name: json.dumps(ssm.get_parameter_history(Name=name)["Parameters"], default=str)
        for name in names
    }


def part(process: Started) -> str:
    """What a program is to the run: one of `PARTS`, or else its own words."""
    line = " ".join((process.name, *process.arguments))
    return next((name for name, pattern in PARTS.items() if re.search(pattern, line)), line)


@pytest.mark.parametrize(
    ("kept_in", "holders"),
    [
        # Terraform hands its whole environment to its providers; nothing can keep it from that.
        ("environment", {"terraform", "provider", "launcher", "registrar", "verb"}),
        ("parameter", set[str]()),
    ],
)
@pytest.mark.usefixtures("provider_of_each_command")
def test_the_admin_key_is_nowhere_else(
    ekm_workspace: WorkspaceFactory,
    ekm_openai: EmulatorProcess,
    ekm_localstack: LocalStack,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    kept_in: str,
    holders: set[str],
) -> None:
    """Whoever reads a state, a log, a process list or a child can encrypt and archive at OpenAI."""
    key = ekm_openai.admin_key
    account = {"environment": "111122229901", "parameter": "111122229902"}[kept_in]
    by_reference = kept_in == "parameter"
    reference = f"ssm:{PARAMETER}" if by_reference else None
    workspace = ekm_workspace(
        "examples/api-project",
        account=account,
        openai=ekm_openai,
        organization_id="org-test",
        deletion_protection=False,
        admin_key_from=reference,
    )
    ssm = ekm_localstack.client("ssm", account)
    if by_reference:
        ssm.put_parameter(Name=PARAMETER, Value=key, Type="SecureString")
        del workspace.environment["OPENAI_ADMIN_KEY"]

    # All that a run writes outside its folder ends below this one: temporary files, pacing, lists.
    # Its path is short: the provider's socket lies in it, and a socket's path has 108 characters.
    written = tmp_path_factory.mktemp("w")
    (written / "tmp").mkdir()
    workspace.environment |= {
        "TMPDIR": str(written / "tmp"),
        "XDG_STATE_HOME": str(written / "state"),
        "EKM_CALLS_PER_MINUTE": "1000",
    }
    log, secret = tmp_path / "programs", tmp_path / "secret"
    secret.write_text(key)
    terraform = tmp_path / "terraform"
    terraform.write_text(
        f'#!/bin/sh\nexec {shlex.join(traced(log, secret, workspace.terraform))} "$@"\n'
    )
    terraform.chmod(0o755)
    workspace.terraform = str(terraform)

    verbs: list[str] = []
    with ArgumentWatch() as watch:
        workspace.apply(workspace.plan(), environment={"TF_LOG": "INFO"})
        for verb in ("register", "validate", "status"):
            run = subprocess.run(
                [
                    *traced(log, secret, sys.executable),
                    *("-c", "from openai_ekm.cli.main import main; main()"),
                    *(verb, "--from-terraform", str(workspace.path), "--json"),
                    *(("--admin-key-from", reference) if reference else ()),
                ],
                env=workspace.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert run.returncode == 0, run.stderr
            verbs.append(run.stdout + run.stderr)
        outputs = json.dumps(workspace.outputs())
        records = parameters(ssm)
        workspace.destroy(
            environment={"EKM_CONFIRM_ARCHIVE": workspace.outputs()["external_key_id"]}
        )

    programs = started(log)
    assert {part(program) for program in programs} >= set(PARTS)
    assert {part(program) for program in programs if program.variables} == holders
    assert {name for program in programs for name in program.variables} <= {"OPENAI_ADMIN_KEY"}
    assert [program.arguments for program in programs if program.shown] == []
    assert [arguments for arguments in watch.seen if key in arguments] == []

    assert key not in outputs
    assert [run.words for run in workspace.runs if key in run.output] == []
    assert [said for said in verbs if key in said] == []
    assert key not in ekm_openai.log
    assert key.encode() not in ekm_openai.database.read_bytes()
    assert any(name.endswith("/record") for name in records)
    assert [name for name, values in records.items() if key in values and name != PARAMETER] == []
    found = dict(contents(workspace.folder)) | dict(contents(written))
    assert any("!tfplan" in name for name in found)
    assert any(name.startswith(str(written / "state")) for name in found)
    assert [name for name, content in found.items() if key.encode() in content] == []
