"""A proof as SARIF 2.1.0, which code scanning reads: one result for each claim that fails.

Sources:
https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ekm._version import __version__
from ekm.proof.result import TITLES

if TYPE_CHECKING:
    from ekm.proof.result import Claim, Proof, Statement

__all__ = ["SCHEMA", "as_sarif"]

# A proof is about the whole snapshot: it is shown at its first character.
WHOLE: Final = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2}
HELP: Final = (
    "The result's properties hold the smallest request that breaks the claim, and its logical "
    "locations name the statements that decide it. Narrow them, or take them out, and prove again. "
    "`ekm diagnose` shows the fix where OpenAI itself is refused."
)

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def as_sarif(proof: Proof, source: str) -> dict[str, Any]:
    """Write a proof as a SARIF log.

    Args:
        proof: The proof.
        source: The snapshot's file, relative to the repository, or a `file:` URI of it; what
            results are shown at.
    """
    scheme, absolute, rest = source.rpartition("file://")
    uri = f"{scheme}{absolute}{quote(rest)}"
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "ekm prove",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(name, title) for name, title in TITLES.items()],
                    }
                },
                # Snapshots of several keys, uploaded for one commit, are told apart by their file.
                "automationDetails": {"id": f"ekm-prove/{uri}/"},
                "results": [_result(claim, uri) for claim in proof.claims if not claim.holds],
            }
        ],
    }


def _rule(id: str, title: str) -> dict[str, Any]:
    return {
        "id": id,
        "name": f"Claim{id.upper()}",
        "shortDescription": {"text": f"{title}."},
        "fullDescription": {"text": f"Claim ({id}) over every request there could be: {title}."},
        "help": {"text": HELP},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security"], "precision": "high", "security-severity": "9.0"},
    }


def _result(claim: Claim, uri: str) -> dict[str, Any]:
    found = claim.counterexample
    named = found.statements if found is not None else ()
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {**WHOLE}}
    }
    if named:
        location["logicalLocations"] = [_logical(each) for each in named]
    result: dict[str, Any] = {
        "ruleId": claim.id,
        "ruleIndex": list(TITLES).index(claim.id),
        "level": "error",
        "message": {"text": f"{claim.title}: it does not hold. {claim.message}"},
        "locations": [location],
        # The same break found again is the same result, wherever the snapshot's file lies.
        "partialFingerprints": {
            "ekmClaim/v1": ":".join((claim.id, *(f"{e.document}.{e.statement}" for e in named)))
        },
    }
    if found is not None:
        result["properties"] = {"counterexample": found.as_json()}
    return result


def _logical(statement: Statement) -> dict[str, Any]:
    path = f"{statement.document}.Statement[{statement.statement}]"
    return {"name": statement.sid or path, "fullyQualifiedName": path, "kind": "object"}
