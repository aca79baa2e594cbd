"""Packs of evidence for tests: a value with every member, its files, and keys that sign."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from openai_ekm import schemas
from openai_ekm.diagnosis import diagnose
from openai_ekm.evidence.controls import read_controls
from openai_ekm.evidence.decisions import decisions_of
from openai_ekm.evidence.manifest import MANIFEST, PUBLIC_KEY, SIGNATURE, Signer, make_manifest
from openai_ekm.evidence.members import members_of
from openai_ekm.evidence.pack import NotSeen, Pack, documents_of
from openai_ekm.evidence.signature import PublicKey
from openai_ekm.proof import prove
from openai_ekm.snapshot import Snapshot
from tests.support.healthy import KEY, ROLE, healthy

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "AT",
    "ec_key",
    "filled",
    "make_pack",
    "member",
    "public",
    "rsa_key",
    "sign",
    "signed_files",
    "write",
]

AT = "2026-11-29T10:00:00Z"


def make_pack(snapshot: dict[str, Any] | None = None, **members: Any) -> Pack:
    """A pack with every member."""
    judged = _judged(json.dumps(healthy() if snapshot is None else snapshot))
    body: dict[str, Any] = {
        "validation": {
            "external_key_id": "extkey_0123",
            "asked_at": AT,
            "status": "success",
            "request_id": "req_1",
            "error": None,
            "message": None,
        },
        "usage": filled("usage", kms_arn=KEY),
        "drift": filled("ekm-drift", answer="same"),
        "drills": (filled("ekm-drill", role_arn=ROLE, key_arn=KEY),),
        "rotation": {
            "keys": [
                {
                    "key_arn": KEY,
                    "enabled": True,
                    "period_in_days": 365,
                    "next_rotation_at": AT,
                    "rotations": [{"at": AT, "type": "AUTOMATIC"}],
                }
            ]
        },
        "audit_events": {
            "asked_at": AT,
            "resource_ids": ["extkey_0123"],
            "events": [{"id": "audit_log-1", "type": "external_key.registered", "effective_at": 1}],
        },
        "not_seen": (NotSeen("snapshot", "scps", "ListPolicies: AccessDeniedException"),),
    } | members
    return Pack(
        generated_at=AT,
        redacted=False,
        versions={"ekm": "1"},
        controls=read_controls(),
        **judged,
        **body,
    )


@cache
def _judged(snapshot: str) -> dict[str, Any]:
    """The members that follow from a snapshot; decided once for each."""
    seen = Snapshot.from_json(json.loads(snapshot))
    return {
        "snapshot": seen.as_json(),
        "documents": documents_of(seen),
        "decisions": decisions_of(seen, now=AT),
        "proof": prove(seen).as_json(),
        "diagnosis": diagnose(seen).as_json(),
    }


def filled(name: str, **members: Any) -> dict[str, Any]:
    """A document of a schema with every member that it requires, and these; the rest is empty."""
    found: dict[str, Any] = {**_empty(schemas.read(name), name), **members}
    return found


def _empty(part: dict[str, Any], name: str) -> Any:
    """The least that is of a part of a schema."""
    if "$ref" in part:
        place, _, pointer = part["$ref"].partition("#/")
        name, found = place.removeprefix(schemas.ID_PREFIX) or name, None
        found = schemas.read(name)
        for step in pointer.split("/") if pointer else ():
            found = found[step]
        return _empty(found, name)
    if "const" in part or "enum" in part:
        return part.get("const") or part["enum"][0]
    kinds = part.get("type", "null")
    if "null" in kinds:
        return None
    if kinds == "object":
        return {each: _empty(part["properties"][each], name) for each in part.get("required", ())}
    is_time = "T" in part.get("pattern", "") or "time" in part.get("format", "")
    empties: dict[str, Any] = {"array": [], "string": AT if is_time else "", "boolean": True}
    return empties.get(kinds, 0)


@cache
def rsa_key(bits: int = 3072) -> rsa.RSAPrivateKey:
    """A key of RSA, made once; one that is kept would be a secret in the repository."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """A key of a curve, made once."""
    return ec.generate_private_key(curve())


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """The public key in the form in which KMS gives it."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@cache
def _members() -> dict[str, bytes]:
    return members_of(make_pack())


def signed_files(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
) -> dict[str, bytes]:
    """The files of a pack that is signed as KMS signs, or with no key one that is not.

    They are the same bytes each time: a signature is made once.
    """
    return dict(_signed_files(key))


@cache
def _signed_files(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None,
) -> dict[str, bytes]:
    files = dict(_members())
    if key is None:
        manifest = make_manifest(files, generated_at=AT, redacted=False, signer=None)
        return {**files, MANIFEST: manifest}
    found = PublicKey(public(key))
    signer = Signer("arn:aws:kms:eu-west-1:111122223333:key/s", found.algorithm, found.fingerprint)
    manifest = make_manifest(files, generated_at=AT, redacted=False, signer=signer)
    return {**files, MANIFEST: manifest, SIGNATURE: sign(key, manifest), PUBLIC_KEY: found.pem}


def sign(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    """Sign as KMS does."""
    if isinstance(key, rsa.RSAPrivateKey):
        padded = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
        return key.sign(content, padded, hashes.SHA256())
    return key.sign(content, ec.ECDSA(hashes.SHA256()))


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files to a folder, as somebody does who changes a pack."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def member(files: dict[str, bytes], path: str) -> Any:
    """The JSON of a file."""
    return json.loads(files[path])
