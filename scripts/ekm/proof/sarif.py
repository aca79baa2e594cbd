"""A proof as SARIF 2.1.0, which code scanning reads: one result for each claim that fails.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ekm._version import __version__
from ekm.proof.result import TITLES

if TYPE_CHECKING:
    from ekm.proof.result import Claim, Proof, Statement

__all__ = ["SCHEMA", "as_sarif"]

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def as_sarif(proof: Proof, source: str) -> dict[str, Any]:
    """Write a proof as a SARIF log.

    Args:
        proof: The proof.
        source: The snapshot's file, relative to the repository; what results are shown at.
    """
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
                "results": [_result(claim, source) for claim in proof.claims if not claim.holds],
            }
        ],
    }


def _rule(id: str, title: str) -> dict[str, Any]:
    return {
        "id": id,
        "name": f"Claim{id.upper()}",
        "shortDescription": {"text": f"{title}."},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security"], "security-severity": "9.0"},
    }


def _result(claim: Claim, source: str) -> dict[str, Any]:
    found = claim.counterexample
    named = found.statements if found is not None else ()
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": quote(source)}, "region": {"startLine": 1}}
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
