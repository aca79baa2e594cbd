"""Run Terraform's own tests (tests/*.tftest.hcl, with a mocked provider), two files at once.

They run in a copy of the root module, so that nothing is written beside the sources.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from provider_process import attached_provider, provider_of

from openai_ekm.errors import EkmError
from openai_ekm.rehearsal import Run, Workspace

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 2
CLOSING = re.compile(r"(\d+) passed, (\d+) failed")


@dataclass(frozen=True, slots=True)
class Tested:
    """What Terraform said of all files.

    Attributes:
        passed: How many runs passed.
        failed: How many did not; a file that ended without a closing line counts as one.
        output: All that was printed for the files that failed.
    """

    passed: int
    failed: int
    output: str


def run_all() -> Tested:
    """Run every file with the Terraform that EKM_TERRAFORM names, else the one on PATH."""
    files = sorted(ROOT.glob("tests/*.tftest.hcl"))
    with tempfile.TemporaryDirectory(prefix="ekm-native-") as copy:
        workspace = Workspace(ROOT, copy)
        workspace.init()

        def test(file: Path) -> Run:
            name = file.relative_to(ROOT)
            return workspace.run("test", "-no-color", f"-filter={name}", expected=None)

        # What is asked of a mocked provider does not depend on its configuration.
        with attached_provider(provider_of(workspace.path), workspace.environment) as attached:
            workspace.environment |= attached
            with ThreadPoolExecutor(AT_ONCE) as pool:
                runs = list(pool.map(test, files))
    passed = failed = 0
    said = []
    for run in runs:
        counts = CLOSING.search(run.output)
        passed += int(counts[1]) if counts else 0
        failed += int(counts[2]) if counts else 1
        if not run.ok or not counts:
            said.append(run.output)
            failed += 0 if not counts or int(counts[2]) else 1
    return Tested(passed, failed, "\n".join(said))


def main() -> int:
    """Print the output of every file that fails, and one closing line."""
    started = time.monotonic()
    tested = run_all()
    if tested.output:
        print(tested.output)
    print(f"{tested.passed} passed, {tested.failed} failed in {time.monotonic() - started:.1f}s")
    return 0 if tested.passed and not tested.failed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EkmError as error:
        sys.exit(f"{error.message} {error.remedy or ''}")
