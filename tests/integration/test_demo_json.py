"""`ekm demo --json --keep` from the wheel, away from a checkout: one document, and a way to stop.

A file of its own: the suite gives whole files to its workers, and each demo takes a minute.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from openai_ekm.rehearsal.sockets import ended, family
from tests.support.schemas import faults_of
from tests.support.wheel import build_wheel, install_beside


def test_json_is_one_document(repository: Path, tmp_path: Path) -> None:
    """Guards against: a demo that needs a checkout, and one whose checks no pipeline can read."""
    wheel = build_wheel(repository, tmp_path / "wheel")
    programs = install_beside(wheel, tmp_path / "env")
    elsewhere, temporary = tmp_path / "elsewhere", tmp_path / "tmp"
    elsewhere.mkdir()
    temporary.mkdir()
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [programs / "ekm", "demo", "--keep", "--json"],
        cwd=elsewhere,
        env={**os.environ, "TMPDIR": str(temporary), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 0, stderr
    document = json.loads(stdout)
    assert not faults_of("demo", document)
    assert document["holds"] is True
    assert all(row["holds"] for row in document["decisions"])
    unpacked = next(temporary.glob("ekm-demo-*")) / "module"
    assert (unpacked / "scripts" / "openai_ekm" / "_version.py").is_file()
    assert not (unpacked / "scripts" / "openai_ekm" / "module").exists()
    _try_what_keep_says(stderr)


def _try_what_keep_says(page: str) -> None:
    """Look around as the page says, then stop it all as the page says."""
    looked = page.partition("Look around:\n")[2].partition("Stop it all:")[0]
    stop = next(line.strip() for line in page.splitlines() if line.strip().startswith("kill "))
    processes = family(*map(int, re.findall(r"\d+", stop.partition(";")[0])))
    assert len(processes) >= 4
    try:
        commands = "\n".join(line.strip() for line in looked.splitlines())
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "No changes" in done.stdout
        assert "Nothing differs" in done.stdout
        assert '"organization.external_key"' in done.stdout.replace(" ", "")
    finally:
        subprocess.run(["bash", "-c", stop], check=False, timeout=240)
    assert ended(processes)
    assert not Path(stop.rpartition(" ")[2]).exists()
