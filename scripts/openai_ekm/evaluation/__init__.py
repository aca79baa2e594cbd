"""Decide whether AWS would allow a request, and name the statements that decide it.

The package does no I/O, and every input has an answer.
"""

from openai_ekm.evaluation.decide import OpenPoints, allows, decide
from openai_ekm.evaluation.decision import Decision, Outcome, StatementRef
from openai_ekm.evaluation.policies import Policies, PreparedPolicies
from openai_ekm.evaluation.request import Request

__all__ = [
    "Decision",
    "OpenPoints",
    "Outcome",
    "Policies",
    "PreparedPolicies",
    "Request",
    "StatementRef",
    "allows",
    "decide",
]
