"""The files of a pack, made from its value: the same value gives the same bytes. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evidence import oscal
from openai_ekm.evidence.page import write_page
from openai_ekm.printable import json_text

if TYPE_CHECKING:
    from openai_ekm.evidence.pack import Pack

__all__ = ["FILES", "members_of"]

# Attribute of a pack to the file that holds it; `documents` and `drills` have a folder.
FILES: Final = {
    "snapshot": "snapshot.json",
    "decisions": "decisions.json",
    "proof": "proof.json",
    "diagnosis": "diagnosis.json",
    "validation": "validation.json",
    "usage": "usage.json",
    "drift": "drift.json",
    "rotation": "rotation.json",
    "audit_events": "audit-events.json",
    "versions": "versions.json",
}
README: Final = """\
Evidence of an OpenAI Enterprise Key Management set-up on AWS
=============================================================

index.html      the page for people: open it in a browser
manifest.json   size and SHA-256 of every file here
manifest.sig    the signature of manifest.json, where the pack is signed
public-key.pem  the key that signed; compare its fingerprint with the one that you were given
not-seen.json   what is not here, and why

Check the pack before you read it; this needs no network:

    pip install 'openai-ekm-aws[operate]'
    ekm evidence verify THIS_FOLDER_OR_ZIP --fingerprint sha256:...

Take the fingerprint from the person who signed, by another way than this pack. A key that travels
in the pack alone proves nothing about who signed.

The signature is over the bytes of manifest.json: RSASSA-PSS with SHA-256 and a salt of 32 bytes,
or ECDSA on P-256 with SHA-256. The times are by the clock of who wrote the pack.
"""


def members_of(pack: Pack) -> dict[str, bytes]:
    """Return the content of every file; the manifest and what signs are apart.

    Args:
        pack: What the files hold.
    """
    values: dict[str, Any] = {
        file: getattr(pack, name) for name, file in FILES.items() if getattr(pack, name) is not None
    }
    for number, document in enumerate(pack.documents, 1):
        values[f"documents/{number:02d}.json"] = {
            "path": document.path,
            "title": document.title,
            "document": document.body,
        }
    for number, drill in enumerate(pack.drills, 1):
        values[f"drills/{number:02d}.json"] = drill
    values["controls.json"] = [asdict(each) for each in pack.controls]
    values["not-seen.json"] = [asdict(each) for each in pack.not_seen]
    values["oscal/assessment-plan.json"] = oscal.assessment_plan(pack)
    values["oscal/assessment-results.json"] = oscal.assessment_results(pack)
    files = {path: _text(value) for path, value in values.items()}
    return {**files, "index.html": write_page(pack).encode(), "readme.txt": README.encode()}


def _text(value: Any) -> bytes:
    return (json_text(value, indent=2) + "\n").encode("utf-8", "backslashreplace")
