"""Run Terraform's own tests and the plan of every example under each version of Terraform.

    python tools/matrix.py
    python tools/matrix.py --plans    the plans alone

EKM_MATRIX chooses versions, as in 1.9.8,newest; by default each one that requirements/terraform
has. Each plan is made against LocalStack, and compared with the frozen one (tests/golden/plans).
Exit 1 where a test fails, or a plan is refused or differs.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import native_tests  # noqa: E402 - beside this file
from terraform_versions import Refused, chosen, install  # noqa: E402 - beside this file
from tests.support.frozen_plans import EXAMPLES, PLANNED_WITH, difference  # noqa: E402

from openai_ekm.errors import EkmError  # noqa: E402
from openai_ekm.rehearsal import LocalStack, Workspace  # noqa: E402

AT_ONCE = 2
HEADINGS: Final = ("Terraform", "native tests", "plans of examples", "installed", "passed")


@dataclass(frozen=True, slots=True)
class Row:
    """What one version did."""

    version: str
    tests: str
    plans: str
    installed: str
    passed: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        return self.version, self.tests, self.plans, self.installed, "yes" if self.passed else "NO"


def plan_fault(example: str, aws: LocalStack, key_arn: str) -> str | None:
    """Return what is wrong with the plan of an example, or None."""
    variables = EXAMPLES[example] | ({"kms_key_arn": key_arn} if example == "existing-key" else {})
    with tempfile.TemporaryDirectory(prefix="ekm-matrix-") as copy:
        workspace = Workspace(
            ROOT / "examples" / example, copy, aws.environment(), variables=variables
        )
        try:
            differs = difference(example, workspace.plan(**PLANNED_WITH.get(example, {})))
        except EkmError as error:
            return f"examples/{example}: {error.message}"
    return f"examples/{example} differs from its frozen plan:\n{differs}" if differs else None


def try_tests() -> native_tests.Tested:
    """Run Terraform's own tests; a refused `init` is one that failed."""
    try:
        return native_tests.run_all()
    except EkmError as error:
        return native_tests.Tested(0, 1, error.message)


def try_version(version: str, aws: LocalStack, key_arn: str, *, tests: bool) -> Row:
    """Print every fault of a version, and return its row."""
    print(f"Terraform {version} …", flush=True)
    started = time.monotonic()
    os.environ["EKM_TERRAFORM"] = str(install(version))
    installed = time.monotonic()
    tested = try_tests() if tests else None
    tests_done = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(partial(plan_fault, aws=aws, key_arn=key_arn), EXAMPLES))
    plans_done = time.monotonic()
    faults = [fault for fault in found if fault]
    if tested and tested.output:
        print(tested.output)
    print(*faults, sep="\n", end="\n" if faults else "", flush=True)
    return Row(
        version,
        f"{tested.passed} passed, {tested.failed} failed, {tests_done - installed:.0f} s"
        if tested
        else "not run",
        f"{len(found) - len(faults)} of {len(found)}, {plans_done - tests_done:.0f} s",
        f"{installed - started:.0f} s",
        not faults and (tested is None or (tested.passed > 0 and not tested.failed)),
    )


def main() -> int:
    """Try each version, and print the table."""
    versions = chosen(os.environ.get("EKM_MATRIX"))
    started = time.monotonic()
    with LocalStack.start() as aws:
        key_arn = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        tests = "--plans" not in sys.argv[1:]
        rows = [try_version(version, aws, key_arn, tests=tests) for version in versions]
    table = [HEADINGS, *(row.cells for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
    print()
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    passed = sum(row.passed for row in rows)
    seconds = round(time.monotonic() - started)
    print(f"\n{passed} of {len(rows)} versions passed in {seconds // 60} min {seconds % 60:02} s.")
    return 0 if passed == len(rows) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EkmError as error:
        sys.exit(f"{error.message} {error.remedy or ''}")
    except Refused as error:
        sys.exit(str(error))
