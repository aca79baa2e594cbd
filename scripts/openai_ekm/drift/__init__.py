"""The comparison of what is with what was meant: in AWS by meaning, at OpenAI by the record.

`compare` is pure. `read_aws` and `read_openai` read; neither changes anything.
"""

from __future__ import annotations

from openai_ekm.drift.checks import CHECKS
from openai_ekm.drift.compare import Drift, compare
from openai_ekm.drift.intended import Intended, intended_by_outputs, intended_by_plan
from openai_ekm.drift.observed import Observed

__all__ = [
    "CHECKS",
    "Drift",
    "Intended",
    "Observed",
    "compare",
    "intended_by_outputs",
    "intended_by_plan",
]
