"""Break the evaluator on purpose, one small change at a time, and see whether a test notices.

    python tools/mutation.py

Each mutant (`mutants.py`) of openai_ekm.policy and openai_ekm.evaluation lives in memory alone, in
a process forked from one that has everything else loaded. A first look takes a hundred cases of the
model and the decision tables; what passes that meets the unit tests of both packages, up to the
first failure. An endless loop is noticed too.

Environment:
    EKM_MUTANTS: How many are tried (default all), drawn with EKM_MUTATION_SEED (default 1).
    EKM_MUTATION_ONLY: Only files with this text in their path, as `policy/` or `grants.py`.
    EKM_MUTATION_SINCE: Only lines that were changed since this commit.
    EKM_MUTATION_JOBS: Processes (default 2).
    EKM_MUTATION_RESULTS: File of results, a JSON object a line; what stands there is not tried
        again, so that an interrupted run goes on.
    EKM_MUTATION_AGAIN: If set, what survived is tried again.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import json
import multiprocessing
import os
import random
import re
import resource
import signal
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from mutants import ROOT, SCRIPTS, Mutant, mutants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

PACKAGES = ("policy", "evaluation")
UNIT = ROOT / "tests" / "unit"
# The likeliest to notice first; then all of both packages.
FIRST = (
    "evaluation/test_named_callers.py",
    "evaluation/test_conditions_hold.py",
    "evaluation/test_requests_read.py",
    "evaluation/test_cases_read.py",
    "evaluation/test_rules_one_by_one.py",
    "policy/test_policy_forms.py",
    "policy/test_policy_statements.py",
    "policy/test_policy_json.py",
)
ORDER = [*FIRST, *PACKAGES, f"--ignore={UNIT}/evaluation/test_tables.py"]  # those had their look
OPTIONS = ["-x", "-q", "-p", "no:ekm", "-p", "no:cacheprovider", "-p", "no:xdist"]
OPTIONS += ["-W", "ignore", "--assert=plain"]
FIRST_CASES, CASES = 200, 1000  # of the model
FIRST_LIMIT, LIMIT = 20, 90  # seconds
MEMORY = 4 << 30  # bytes; a loop may also append without end


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import system passes it
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.mutant.module:
            return None
        package = self.mutant.path.name == "__init__.py"
        spec = importlib.machinery.ModuleSpec(
            name, self, origin=str(self.mutant.path), is_package=package
        )
        if package:
            spec.submodule_search_locations = [str(self.mutant.path.parent)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.code, str(self.mutant.path), "exec"), module.__dict__)  # nosec B102 # runs a mutant of our own code


def survives(mutant: Mutant) -> bool:
    """Whether no test notices."""
    return _passes(mutant, _first_look, FIRST_LIMIT) and _passes(mutant, _unit_tests, LIMIT)


def _passes(mutant: Mutant, tests: Callable[[], int], limit: int) -> bool:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(limit)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            sys.meta_path.insert(0, _Finder(mutant))
            # Before pytest, whose import hook would take the module from its file.
            importlib.import_module(mutant.module)
            code = tests()
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _first_look() -> int:
    os.environ["EKM_FUZZ_CASES"] = str(FIRST_CASES)
    importlib.import_module("tests.unit.evaluation.test_model").test_agrees_with_the_model()
    tables = importlib.import_module("tests.unit.evaluation.test_tables")
    for row in tables.ROWS:
        tables.test_decides(row)
    return 0


def _unit_tests() -> int:
    os.environ["EKM_FUZZ_CASES"] = str(CASES)
    os.chdir(UNIT)
    return int(pytest.main([*OPTIONS, "--rootdir", str(ROOT), *ORDER]))


def _warm() -> None:
    """Load what no mutant changes, once for all of them."""
    sys.path[:0] = [str(SCRIPTS), str(ROOT)]
    hypothesis.settings.register_profile("mutation", derandomize=True, database=None)
    hypothesis.settings.load_profile("mutation")
    for name in (
        "tests.unit.evaluation.random_cases",
        "tests.unit.evaluation.model",
        "hypothesis.strategies",
        "ipaddress",
        "difflib",
    ):
        importlib.import_module(name)
    assert not any(f"openai_ekm.{name}" in sys.modules for name in PACKAGES)  # nosec B101 # a tool checks itself
    gc.freeze()


def _key(mutant: Mutant) -> str:
    return hashlib.sha256(f"{mutant.module}\n{mutant.code}".encode()).hexdigest()[:16]


def _changed(since: str) -> set[tuple[Path, int]]:
    """The lines that were changed since a commit."""
    command = [
        "git",
        "diff",
        "--unified=0",
        "--no-color",
        "--no-ext-diff",
        since,
        "--",
        str(SCRIPTS),
    ]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # nosec B603 # fixed words
    found: set[tuple[Path, int]] = set()
    path = ROOT
    for line in shown.splitlines():
        if line.startswith("+++ b/"):
            path = ROOT / line.removeprefix("+++ b/")
        elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            found |= {(path, number) for number in range(first, first + count)}
    return found


def _before(path: Path | None) -> dict[str, dict[str, Any]]:
    """What an earlier run found, the last word on each."""
    if path is None or not path.exists():
        return {}
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {line["key"]: line for line in lines}


def main() -> None:
    """Run the sample, print survivors and score."""
    settings = os.environ
    files = [
        path for name in PACKAGES for path in sorted((SCRIPTS / "openai_ekm" / name).rglob("*.py"))
    ]
    only = settings.get("EKM_MUTATION_ONLY", "")
    population = [mutant for path in files if only in str(path) for mutant in mutants(path)]
    if "EKM_MUTATION_SINCE" in settings:
        changed = _changed(settings["EKM_MUTATION_SINCE"])
        population = [each for each in population if (each.path, each.line) in changed]
    wanted = int(settings.get("EKM_MUTANTS", str(len(population))))
    seed = int(settings.get("EKM_MUTATION_SEED", "1"))
    sample = random.Random(seed).sample(population, min(wanted, len(population)))  # nosec B311 # a repeatable sample
    results = Path(settings["EKM_MUTATION_RESULTS"]) if "EKM_MUTATION_RESULTS" in settings else None
    known = _before(results)
    again = "EKM_MUTATION_AGAIN" in settings
    new = [each for each in sample if again and known.get(_key(each), {}).get("survived")]
    new += [each for each in sample if _key(each) not in known]
    _warm()
    if not survives(Mutant(files[0], 0, "nothing", files[0].read_text(encoding="utf-8"))):
        sys.exit("the tests fail without a mutant")
    print(f"{len(sample)} of {len(population)} mutants, seed {seed}; {len(new)} to try", flush=True)
    began = time.perf_counter()
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(int(settings.get("EKM_MUTATION_JOBS", "2")), fork) as pool:
        for mutant, survived in zip(new, pool.map(survives, new), strict=True):
            place = f"{mutant.path.relative_to(SCRIPTS / 'openai_ekm')}:{mutant.line}"
            line = {"key": _key(mutant), "place": place, "what": mutant.what, "survived": survived}
            known[_key(mutant)] = line
            if results is not None:
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
    _report([known[_key(each)] for each in sample], time.perf_counter() - began)


def _report(found: list[dict[str, Any]], taken: float) -> None:
    """Survivors, and the score by module."""
    tried, left = Counter[str](), Counter[str]()
    for line in sorted(found, key=lambda line: str(line["place"])):
        module = str(line["place"]).partition(":")[0]
        tried[module] += 1
        if line["survived"]:
            left[module] += 1
            print(f"survived: {line['place']}: {line['what']}")
    for module, count in tried.items():
        print(f"{module}: {count - left[module]} of {count}")
    noticed = tried.total() - left.total()
    print(f"{noticed} of {tried.total()} noticed: {noticed / tried.total():.1%}, in {taken:.0f} s")


if __name__ == "__main__":
    main()
