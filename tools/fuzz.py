"""Compare the evaluator with its naive model on generated cases, and feed `ekm decide` bad input.

    python tools/fuzz.py

EKM_FUZZ_CASES says how many cases (default two million), EKM_FUZZ_SEED where they begin. The same
seed makes the same cases. Exit 1 with the case when the two disagree.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.evaluation import random_cases
from tests.unit.evaluation.model import model

from openai_ekm.cli.commands.policies import decide_command
from openai_ekm.errors import BadInput
from openai_ekm.evaluation import decide
from openai_ekm.evaluation.case import case_of

PROCESSES = 2
CHUNK = 10_000
SPREAD = 1_000_003  # as in the test: a case that fails here fails there under the same seed


def compare(first: int, count: int, seed: int) -> Any:
    """The first case on which the two disagree, or None."""
    for number in range(first, first + count):
        made = random_cases.case(Random(seed * SPREAD + number))  # nosec B311 # repeatable test data
        case = case_of(made)
        found, wanted = decide(case.request, case.policies).outcome.value, model(made)
        if found != wanted:
            return {"number": number, "evaluator": found, "model": wanted, "case": made}
    return None


@settings(max_examples=int(os.environ.get("EKM_FUZZ_LINES", "20000")), deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0), st.integers(0, 40), st.binary(max_size=12))
def spoilt_lines(seed: int, at: int, removed: int, put: bytes) -> None:
    """A line with a run of bytes replaced is answered or refused, never a crash."""
    line = json.dumps(random_cases.case(Random(seed))).encode()  # nosec B311 # repeatable test data
    at %= len(line)
    result = CliRunner().invoke(decide_command, ["-"], input=line[:at] + put + line[at + removed :])
    if result.exception is not None and not isinstance(result.exception, BadInput):
        raise result.exception


def main() -> None:
    """Run both and print the rate."""
    cases = int(os.environ.get("EKM_FUZZ_CASES", "2000000"))
    seed = int(os.environ.get("EKM_FUZZ_SEED", str(SystemRandom().randrange(2**31))))
    print(f"seed {seed}, {cases} cases, {PROCESSES} processes", flush=True)
    began = time.perf_counter()
    starts = range(0, cases, CHUNK)
    with ProcessPoolExecutor(PROCESSES) as pool:
        sizes = [min(CHUNK, cases - start) for start in starts]
        done = pool.map(compare, starts, sizes, [seed] * len(starts))
        for start, size, fault in zip(starts, sizes, done, strict=True):
            if fault is not None:
                pool.shutdown(cancel_futures=True)
                sys.exit(f"they disagree: {json.dumps(fault)}")
            rate = (start + size) / (time.perf_counter() - began)
            print(f"{start + size} agree, {rate:,.0f} a second", flush=True)
    print(f"evaluator and model agree on {cases} cases", flush=True)
    spoilt_lines()
    print("ekm decide answered or refused every spoilt line")


if __name__ == "__main__":
    main()
