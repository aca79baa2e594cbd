"""May anything else happen? Claims over all requests, each proven or broken by one of them."""

from __future__ import annotations

from ekm.proof.prove import prove
from ekm.proof.result import Claim, Counterexample, Proof, Reported, Statement

__all__ = ["Claim", "Counterexample", "Proof", "Reported", "Statement", "prove"]
