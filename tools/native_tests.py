"""Run Terraform's own tests (tests/*.tftest.hcl, with a mocked provider), two files at once.

They run in a copy of the root module, so that nothing is written beside the sources.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ekm.errors import EkmError
from ekm.harness import Run, Workspace

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 2
CLOSING = re.compile(r"(\d+) passed, (\d+) failed")


def main() -> int:
    """Print the output of every file that fails, and one closing line."""
    started = time.monotonic()
    files = sorted(ROOT.glob("tests/*.tftest.hcl"))
    with tempfile.TemporaryDirectory(prefix="ekm-native-") as copy:
        workspace = Workspace(ROOT, copy)
        workspace.init()

        def test(file: Path) -> Run:
            name = file.relative_to(ROOT)
            return workspace.run("test", "-no-color", f"-filter={name}", expected=None)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            runs = list(pool.map(test, files))
    passed = failed = 0
    for run in runs:
        counts = CLOSING.search(run.output)
        passed += int(counts[1]) if counts else 0
        failed += int(counts[2]) if counts else 1
        if not run.ok or not counts:
            print(run.output)
    print(f"{passed} passed, {failed} failed in {time.monotonic() - started:.1f}s")
    return 0 if passed and not failed and all(run.ok for run in runs) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EkmError as error:
        sys.exit(f"{error.message} {error.remedy or ''}")
