"""The evaluator against the naive one, on generated cases."""

from __future__ import annotations

import ast
import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from openai_ekm.evaluation import decide
from openai_ekm.evaluation.case import case_of
from tests.unit.evaluation import random_cases
from tests.unit.evaluation.model import model

CASES = int(os.environ.get("EKM_FUZZ_CASES", "5000"))
LIMITS = ("permissions_boundary", "session", "scps", "rcps")
SEED = int(os.environ.get("EKM_FUZZ_SEED", "20261124"))


@pytest.mark.exhaustive
def test_agrees_with_the_model() -> None:
    """One of the two evaluators reads a rule of AWS's otherwise than the other."""
    seen: Counter[str] = Counter()
    for number in range(CASES):
        made = random_cases.case(Random(SEED * 1_000_003 + number))
        case = case_of(made)
        decision = decide(case.request, case.policies)
        assert model(made) == decision.outcome.value, (number, made, decision.as_json())
        seen[decision.outcome.value] += 1
        seen["open"] += decision.message is not None
        seen.update({ref.document.partition("[")[0] for ref in decision.decided_by})
    assert "error" not in seen, "the generator makes well-formed documents only"
    for outcome in ("Allowed", "ExplicitlyDenied", "ImplicitlyDenied", "open"):
        assert seen[outcome] > CASES / 50, seen
    for layer in ("resource", "identity", "grants", *LIMITS):
        assert seen[layer] > CASES / 1000, seen


def test_the_model_shares_no_code_with_the_evaluator() -> None:
    """Both would be wrong together."""
    for name in ("model", "model_conditions", "random_cases", "sample_values"):
        text = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert not str(node.module).startswith("openai_ekm"), name
            elif isinstance(node, ast.Import):
                assert not any(each.name.startswith("openai_ekm") for each in node.names), name
