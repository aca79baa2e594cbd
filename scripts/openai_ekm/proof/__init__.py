"""Decide claims for all requests: each claim is proven, or one request breaks it."""

from __future__ import annotations

from openai_ekm.proof.prove import prove
from openai_ekm.proof.result import (
    EXIT_CODES,
    Answer,
    Claim,
    Counterexample,
    Gap,
    Judged,
    Proof,
    Reported,
    worst,
)

__all__ = [
    "EXIT_CODES",
    "Answer",
    "Claim",
    "Counterexample",
    "Gap",
    "Judged",
    "Proof",
    "Reported",
    "prove",
    "worst",
]
