"""The pack as OSCAL 1.2.1: assessment results, and the assessment plan that they need. Pure.

An OSCAL finding says whether an objective is satisfied. The objectives here are the claims of the
proof, and not the controls: whether a control is met is for an assessor to say.

Source: https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/assessment-results/json-outline/
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.printable import escape_markdown, printable
from openai_ekm.proof.result import TITLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.evidence.pack import Pack

__all__ = ["OSCAL_VERSION", "assessment_plan", "assessment_results"]

OSCAL_VERSION: Final = "1.2.1"
_NIST: Final = "NIST SP 800-53 r5"
_OURS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:openai-ekm:evidence")
_ENHANCEMENT: Final = re.compile(r"\((\d+)\)")
# Attribute of a pack to what OSCAL calls the way of looking, and a title.
_OBSERVED: Final = {
    "snapshot": ("EXAMINE", "What AWS has about role and key", "snapshot.json"),
    "documents": ("EXAMINE", "The policy documents", "documents/"),
    "decisions": ("TEST", "Single requests, decided", "decisions.json"),
    "proof": ("TEST", "The claims, decided for all requests", "proof.json"),
    "diagnosis": ("TEST", "What OpenAI's validation would answer", "diagnosis.json"),
    "validation": ("TEST", "OpenAI's own test of the key", "validation.json"),
    "usage": ("EXAMINE", "Who used the key, by the trail", "usage.json"),
    "drift": ("EXAMINE", "What differs from what was meant", "drift.json"),
    "drills": ("TEST", "Drills of the kill switch", "drills/"),
    "rotation": ("EXAMINE", "Rotations of the key", "rotation.json"),
    "audit_events": ("EXAMINE", "OpenAI's audit events", "audit-events.json"),
}
_STATES: Final = {
    "holds": ("satisfied", "pass"),
    "fails": ("not-satisfied", "fail"),
    "undecided": ("not-satisfied", "other"),
}


class _Ids:
    """The UUIDs of a document: the same for the same pack, and others for every other pack.

    Args:
        pack: What the document is about.
    """

    def __init__(self, pack: Pack) -> None:
        members = [getattr(pack, each.name) for each in fields(pack)]
        seed = json.dumps(members, sort_keys=True, default=asdict)
        self._digest = hashlib.sha256(seed.encode()).hexdigest()

    def of(self, part: str) -> str:
        """Return the UUID of a part of the document."""
        return str(uuid.uuid5(_OURS, f"{self._digest}/{part}"))


def assessment_plan(pack: Pack) -> dict[str, Any]:
    """Return the assessment plan: which controls and which claims were looked at."""
    ids = _Ids(pack)
    ssp = ids.of("ssp")
    return {
        "assessment-plan": {
            "uuid": ids.of("plan"),
            "metadata": _metadata(pack, "Plan: evidence of OpenAI Enterprise Key Management"),
            "import-ssp": {
                "href": f"#{ssp}",
                "remarks": "The system security plan is yours; the pack does not hold it.",
            },
            "local-definitions": _definitions(pack),
            "reviewed-controls": _controls(pack),
            "back-matter": {
                "resources": [
                    {
                        "uuid": ssp,
                        "title": "System security plan",
                        "description": "Put the address of your system security plan here.",
                    }
                ]
            },
        }
    }


def assessment_results(pack: Pack) -> dict[str, Any]:
    """Return the assessment results: an observation for each member, a finding for each claim."""
    ids = _Ids(pack)
    return {
        "assessment-results": {
            "uuid": ids.of("results"),
            "metadata": _metadata(pack, "Results: evidence of OpenAI Enterprise Key Management"),
            "import-ap": {"href": "assessment-plan.json"},
            "local-definitions": _definitions(pack),
            "results": [
                {
                    "uuid": ids.of("result"),
                    "title": "Role and key of OpenAI Enterprise Key Management on AWS",
                    "description": "What `ekm evidence write` collected and decided. Findings are "
                    "about the claims of the proof. Whether a control is met is for an assessor "
                    "to say.",
                    "start": pack.generated_at,
                    "end": pack.generated_at,
                    "reviewed-controls": _controls(pack),
                    "observations": list(_observations(pack, ids)),
                    "findings": list(_findings(pack, ids)),
                    "remarks": _not_seen(pack),
                }
            ],
        }
    }


def _metadata(pack: Pack, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "last-modified": pack.generated_at,
        "version": "1",
        "oscal-version": OSCAL_VERSION,
        "props": [
            {
                "name": "redacted",
                "ns": "urn:openai-ekm:evidence",
                "value": "true" if pack.redacted else "false",
            }
        ],
    }


def _controls(pack: Pack) -> dict[str, Any]:
    rows = [row for row in pack.controls if row.framework == _NIST]
    return {
        "description": "Controls of NIST SP 800-53 r5 that the members of the pack bear on.",
        "control-selections": [
            {"include-controls": [{"control-id": _control_id(row.id)} for row in rows]}
        ]
        if rows
        else [{"include-all": {}}],
    }


def _definitions(pack: Pack) -> dict[str, Any]:
    """Return each claim as an objective of the control that it bears on first."""
    definitions: dict[str, Any] = {
        "objectives-and-methods": [
            {
                "control-id": _control_of(pack, claim),
                "description": f"Claim ({claim}): {title}.",
                "parts": [
                    {
                        "id": f"ekm-claim-{claim}",
                        "name": "assessment-objective",
                        "prose": f"{title}.",
                    }
                ],
            }
            for claim, title in TITLES.items()
        ]
    }
    return definitions


def _control_of(pack: Pack, claim: str) -> str:
    found = (row.id for row in pack.controls if row.framework == _NIST and claim in row.claims)
    return _control_id(next(found, "AC-3"))


def _control_id(id: str) -> str:
    """Return NIST's id as its OSCAL catalog writes it: `SC-12(1)` is `sc-12.1`."""
    return _ENHANCEMENT.sub(r".\1", id).lower()


def _observations(pack: Pack, ids: _Ids) -> Iterator[dict[str, Any]]:
    for name, (method, title, file) in _OBSERVED.items():
        if not getattr(pack, name):
            continue
        rows = [f"{row.framework} {row.id}" for row in pack.controls if name in row.members]
        bears = f" It bears on {', '.join(rows)}." if rows else ""
        yield {
            "uuid": ids.of(f"observation-{name}"),
            "title": title,
            "description": f"{title}: {file} of the pack.{bears}",
            "methods": [method],
            "types": ["control-objective"],
            "relevant-evidence": [{"href": f"../{file}", "description": f"{title}."}],
            "collected": pack.generated_at,
        }


def _findings(pack: Pack, ids: _Ids) -> Iterator[dict[str, Any]]:
    for claim in pack.proof.get("claims", ()):
        letter = str(claim.get("id"))
        if letter not in TITLES:
            continue
        state, reason = _STATES.get(str(claim.get("answer")), _STATES["undecided"])
        message = claim.get("message")
        told = f" {escape_markdown(printable(str(message)))}" if message else ""
        yield {
            "uuid": ids.of(f"finding-{letter}"),
            "title": f"Claim ({letter}): {TITLES[letter]}",
            "description": f"The claim {_WORDS[reason]}.{told}",
            "target": {
                "type": "objective-id",
                "target-id": f"ekm-claim-{letter}",
                "status": {"state": state, "reason": reason},
            },
            "related-observations": [
                {"observation-uuid": ids.of(f"observation-{name}")}
                for name in ("proof", "snapshot")
            ],
        }


_WORDS: Final = {"pass": "holds", "fail": "fails", "other": "is undecided"}  # nosec B105 # answers of OSCAL


def _not_seen(pack: Pack) -> str:
    if not pack.not_seen:
        return "Nothing is listed as not seen."
    rows = (f"{each.member}: {each.what} ({each.why})" for each in pack.not_seen)
    return "Not seen: " + "; ".join(escape_markdown(printable(row)) for row in rows)
