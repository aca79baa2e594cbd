"""The manifest of a pack: the size and the SHA-256 of every member, and who is to sign it. Pure."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "LARGEST_MANIFEST",
    "LARGEST_PACK",
    "MANIFEST",
    "MEMBER_PATH",
    "MOST_MEMBERS",
    "PUBLIC_KEY",
    "SCHEMA",
    "SIGNATURE",
    "Entry",
    "Manifest",
    "Signer",
    "digest_of",
    "folded",
    "make_manifest",
    "read_manifest",
]

SCHEMA: Final = "ekm-evidence/1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
PUBLIC_KEY: Final = "public-key.pem"
# What the manifest cannot list: itself, and what is made from it.
_OUTSIDE: Final = frozenset({MANIFEST, SIGNATURE, PUBLIC_KEY})

LARGEST_MANIFEST: Final = 4 * 1024 * 1024  # bytes; a pack has some forty members
LARGEST_PACK: Final = 256 * 1024 * 1024  # bytes of all members together
MOST_MEMBERS: Final = 10_000
# What `ekm evidence write` names a member: lower case, ASCII, no hidden name, no step up.
MEMBER_PATH: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}(?:/[a-z0-9][a-z0-9._-]{0,99}){0,7}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_MEMBERS: Final = frozenset({"schema", "generated_at", "redacted", "signer", "members"})


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signs the manifest, as the manifest names it.

    Args:
        key: Its ARN in KMS, or the stand-in of a redacted pack.
        algorithm: `RSASSA_PSS_SHA_256` or `ECDSA_SHA_256`.
        fingerprint: `sha256:` and the SHA-256 of the public key's DER form.
    """

    key: str
    algorithm: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A member as the manifest lists it."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read.

    Args:
        generated_at: When the pack was made, by the clock of who made it.
        redacted: Whether it holds stand-ins.
        signer: Who is to have signed it; None for a pack without a signature.
        entries: The members by path.
    """

    generated_at: str
    redacted: bool
    signer: Signer | None
    entries: Mapping[str, Entry]


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a member, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def folded(path: str) -> str:
    """Return a path as a file system compares it that knows no case and composes letters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold()).rstrip(". ")


def make_manifest(
    members: Mapping[str, bytes], *, generated_at: str, redacted: bool, signer: Signer | None
) -> bytes:
    """Return the bytes of the manifest, which are what is signed.

    Args:
        members: The members by path.
        generated_at: When the pack is made.
        redacted: Whether it holds stand-ins.
        signer: Who is to sign it.

    Raises:
        BadInput: There are more members, or larger ones, than `read_manifest` takes.
    """
    size = sum(map(len, members.values()))
    if len(members) > MOST_MEMBERS or size > LARGEST_PACK:
        raise BadInput(
            "evidence_too_large",
            f"The pack would have {len(members)} files of {size} bytes together. `ekm evidence "
            f"verify` reads {MOST_MEMBERS} files and {LARGEST_PACK} bytes.",
            at_fault="the files that were given",
            remedy="Give fewer files, or smaller ones: usage of a shorter time, for example.",
        )
    body = {
        "schema": SCHEMA,
        "generated_at": generated_at,
        "redacted": redacted,
        "signer": None if signer is None else asdict(signer),
        "members": [
            {"path": path, "size": len(members[path]), "sha256": digest_of(members[path])}
            for path in sorted(members)
        ],
    }
    return (json.dumps(body, indent=2) + "\n").encode()


def read_manifest(content: bytes) -> Manifest:
    """Read a manifest that somebody may have changed.

    Raises:
        BadInput: It is no manifest, or one that no pack has.
    """
    try:
        body = read_json(content)
    except UnreadableJsonError as error:
        raise _bad(f"it {error}") from None
    if not isinstance(body, dict):
        raise _bad("it is not a JSON object")
    if body.get("schema") != SCHEMA:
        raise _bad(f"its schema is {str(body.get('schema'))[:60]!r}; this version reads {SCHEMA!r}")
    if unknown := sorted(body.keys() - _MEMBERS):
        raise _bad(f"it has the member {unknown[0][:60]!r}, which this version does not know")
    time, redacted = body.get("generated_at"), body.get("redacted")
    if not isinstance(time, str) or not _TIME.fullmatch(time):
        raise _bad("generated_at is not a time")
    if not isinstance(redacted, bool):
        raise _bad("redacted is neither true nor false")
    return Manifest(time, redacted, _signer(body.get("signer")), _entries(body.get("members")))


def _signer(found: Any) -> Signer | None:
    if found is None:
        return None
    names = ("key", "algorithm", "fingerprint")
    if (
        not isinstance(found, dict)
        or found.keys() != set(names)
        or not all(isinstance(found[name], str) for name in names)
    ):
        raise _bad("signer does not name a key, an algorithm and a fingerprint")
    return Signer(*(found[name] for name in names))


def _entries(found: Any) -> dict[str, Entry]:
    if not isinstance(found, list):
        raise _bad("members is not a list")
    if len(found) > MOST_MEMBERS:
        raise _bad(f"it lists more than {MOST_MEMBERS} members")
    entries: dict[str, Entry] = {}
    for entry in map(_entry, found):
        if entry.path in entries:
            raise _bad(f"it lists {entry.path} twice")
        entries[entry.path] = entry
    _check_nesting(entries)
    if sum(each.size for each in entries.values()) > LARGEST_PACK:
        raise _bad(f"its members are larger than {LARGEST_PACK} bytes together")
    return entries


def _entry(found: Any) -> Entry:
    if not isinstance(found, dict) or found.keys() != {"path", "size", "sha256"}:
        raise _bad("an entry has other members than path, size and sha256")
    path, size, sha256 = found["path"], found["size"], found["sha256"]
    if not isinstance(path, str) or not MEMBER_PATH.fullmatch(path) or path in _OUTSIDE:
        raise _bad(f"it lists {str(path)[:80]!r}, which is not the name of a member")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _bad(f"the size of {path} is not a number of bytes")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise _bad(f"the SHA-256 of {path} is not 64 hexadecimal digits")
    return Entry(path, size, sha256)


def _check_nesting(paths: Iterable[str]) -> None:
    """Refuse a member that is a folder of another one, or that ends as no file can everywhere."""
    every = set(paths)
    for path in every:
        parts = path.split("/")
        if any(part.endswith(".") for part in parts):
            raise _bad(f"it lists {path}, a name that some file systems shorten")
        for count in range(1, len(parts)):
            if "/".join(parts[:count]) in every:
                raise _bad(f"it lists {path} inside another member")


def _bad(why: str) -> BadInput:
    return BadInput(
        "evidence_manifest_malformed",
        f"The manifest of the pack cannot be relied on: {why}.",
        at_fault=MANIFEST,
        remedy="Ask the person who wrote the pack for it again.",
    )
