"""The AWS side of OpenAI Enterprise Key Management: policies, proof, registration, rehearsal.

The names here are the public Python API, and docs/python-api.md describes them:

    snapshot = Snapshot.from_json(json.loads(Path("snapshot.json").read_text()))
    prove(snapshot).holds
    diagnose(snapshot).faults

A name is imported from its module when it is first used: pytest loads the plugin of this package,
and with it this module, in every run on a machine where the package is installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from openai_ekm._version import __version__

if TYPE_CHECKING:
    from openai_ekm.diagnosis import Diagnosis, Fault, diagnose
    from openai_ekm.errors import (
        AwsRefused,
        BadInput,
        CheckFailed,
        Conflict,
        Defect,
        EkmError,
        NotReachable,
        OpenAIRefused,
        RecordUnreadable,
    )
    from openai_ekm.evaluation import Decision, Policies, Request, decide
    from openai_ekm.proof import Claim, Counterexample, Proof, prove
    from openai_ekm.registration.intent import Intent
    from openai_ekm.snapshot import Snapshot

__all__ = [
    "AwsRefused",
    "BadInput",
    "CheckFailed",
    "Claim",
    "Conflict",
    "Counterexample",
    "Decision",
    "Defect",
    "Diagnosis",
    "EkmError",
    "Fault",
    "Intent",
    "NotReachable",
    "OpenAIRefused",
    "Policies",
    "Proof",
    "RecordUnreadable",
    "Request",
    "Snapshot",
    "__version__",
    "decide",
    "diagnose",
    "prove",
]

_MODULES = {
    "AwsRefused": "errors",
    "BadInput": "errors",
    "CheckFailed": "errors",
    "Claim": "proof",
    "Conflict": "errors",
    "Counterexample": "proof",
    "Decision": "evaluation",
    "Defect": "errors",
    "Diagnosis": "diagnosis",
    "EkmError": "errors",
    "Fault": "diagnosis",
    "Intent": "registration.intent",
    "NotReachable": "errors",
    "OpenAIRefused": "errors",
    "Policies": "evaluation",
    "Proof": "proof",
    "RecordUnreadable": "errors",
    "Request": "evaluation",
    "Snapshot": "snapshot",
    "decide": "evaluation",
    "diagnose": "diagnosis",
    "prove": "proof",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names too: a name that was not used yet is no global."""
    return sorted({*globals(), *__all__})
