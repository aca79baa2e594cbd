"""Measure decisions, as ratios to `json.loads` of the same cases' texts: one run, one core.

    python bench/decisions.py [--seconds N] [--profile scratch|prepared]

Cases: every row of the decision tables (tests/cases) that is decided, and requests against the
documents that the module writes. The yardstick and ours run by turns over the same cases, so that a
busy moment meets all; the figures are medians of rounds. `scratch` reads, checks and decides each
case from its text; `prepared` takes a request object and documents that were read once; `worded`
also makes the answer that `ekm decide` prints, since what a denial lacked is put into words only
when it is read. Nothing is kept by whole case or whole document: what follows from a short text, or
from a request's principal, action and resource, is kept by those texts, in bounded number. No
figure fails the run: this reports, the tests judge.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import os
import pstats
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from module_documents import cases as module_cases  # noqa: E402
from tests.unit.evaluation.decision_tables import rows  # noqa: E402

from openai_ekm.evaluation import Outcome, Policies, PreparedPolicies, Request, decide  # noqa: E402
from openai_ekm.evaluation.case import case_of, read_case  # noqa: E402
from openai_ekm.policy.malformed import MalformedPolicy  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Prepared = list[tuple[Request, PreparedPolicies]]


def _is_read(case: Mapping[str, Any]) -> bool:
    """Whether its documents can be read once for many requests; AWS may not save the others."""
    made = case_of(case)
    try:
        made.policies.prepare(made.request.action)
    except MalformedPolicy:
        return False
    return True


def texts() -> dict[str, list[str]]:
    """The cases' texts by where they come from."""
    tables = [row.case for row in rows() if row.decision != "error" and _is_read(row.case)]
    return {
        "decision tables": [json.dumps(case) for case in tables],
        "the module's documents": [json.dumps(case) for case in module_cases()],
    }


def prepared(cases: list[str]) -> Prepared:
    """Request objects and documents read once."""
    made: Prepared = []
    for text in cases:
        case = case_of(json.loads(text))
        policies: Policies = case.policies
        made.append((case.request, policies.prepare(case.request.action)))
    return made


def yardstick(cases: list[str]) -> None:
    """Only decode the JSON."""
    for text in cases:
        json.loads(text)


def scratch(cases: list[str]) -> None:
    """Decode, check and decide."""
    for text in cases:
        case = read_case(text)
        decide(case.request, case.policies)


def decisions(cases: Prepared) -> None:
    """Decide alone."""
    for request, policies in cases:
        decide(request, policies)


def worded(cases: Prepared) -> None:
    """Decide, and say why."""
    for request, policies in cases:
        decide(request, policies).as_json()


def rounds(actions: list[Callable[[], None]], seconds: float) -> list[float]:
    """The median time of each action, all run by turns until the time is over."""
    for action in actions:
        action()
    taken: list[list[float]] = [[] for _ in actions]
    gc.collect()
    gc.freeze()  # what was built above is no garbage; what a round makes still is
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken[0]) < len(actions):
        for action, times in zip(actions, taken, strict=True):
            began = time.process_time()
            action()
            times.append(time.process_time() - began)
    return [statistics.median(times) for times in taken]


def show(name: str, cases: list[str], seconds: float) -> None:
    """Measure one set of cases and print its lines."""
    ready = prepared(cases)
    allowed = sum(decide(*each).outcome is Outcome.ALLOWED for each in ready)
    measured: list[Callable[[], None]] = [
        lambda: yardstick(cases),
        lambda: scratch(cases),
        lambda: decisions(ready),
        lambda: worded(ready),
    ]
    base, *ours = rounds(measured, seconds)
    size = sum(map(len, cases)) / len(cases)
    print(f"{name}: {len(cases)} cases of {size:.0f} characters on average, {allowed} allowed")
    print(f"  {'json.loads':51} {base / len(cases) * 1e6:6.1f} us a case")
    labels = (
        "read, checked and decided (at most 8 times, goal 6)",
        "decided, documents prepared (at most 1.5, goal 1)",
        "the same, with the answer in words",
    )
    for label, spent in zip(labels, ours, strict=True):
        each = spent / len(cases)
        print(
            f"  {label:51} {each * 1e6:6.1f} us a case  {spent / base:5.2f} times  "
            f"{1 / each:9,.0f} a second"
        )


def profile(what: str, cases: list[str]) -> None:
    """Print where the time goes."""
    ready: Any = prepared(cases) if what == "prepared" else cases
    action: Callable[[Any], None] = decisions if what == "prepared" else scratch
    action(ready)
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(20):
        action(ready)
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(25)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5, help="for each set of cases")
    parser.add_argument("--profile", choices=("scratch", "prepared"))
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sets = texts()
    if options.profile:
        profile(options.profile, [text for cases in sets.values() for text in cases])
        return
    print(f"Medians of rounds by turns, Python {sys.version.split()[0]}, one core.")
    for name, cases in sets.items():
        show(name, cases, options.seconds)


if __name__ == "__main__":
    main()
