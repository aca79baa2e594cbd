"""May this request happen? A decision, and the statements that decided it. Pure and total."""

from ekm.evaluation.decide import decide
from ekm.evaluation.decision import Decision, Outcome, StatementRef
from ekm.evaluation.policies import Policies, PreparedPolicies
from ekm.evaluation.request import Request

__all__ = [
    "Decision",
    "Outcome",
    "Policies",
    "PreparedPolicies",
    "Request",
    "StatementRef",
    "decide",
]
