"""Verify a pack offline: the signature of the manifest, and every file against the manifest."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import BadInput
from openai_ekm.evidence.manifest import (
    LARGEST_MANIFEST,
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    digest_of,
    folded,
    read_manifest,
)
from openai_ekm.evidence.signature import (
    LARGEST_KEY,
    LARGEST_SIGNATURE,
    PublicKey,
    UnsuitableKeyError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openai_ekm.evidence.container import Container, Found
    from openai_ekm.evidence.manifest import Manifest

__all__ = ["NOT_VOUCHED_FOR", "Difference", "Verification", "verify"]

# An absolute path begins with an empty part; Windows has two more ways to leave a folder.
_UNSAFE: Final = frozenset("\\:\0")
# What no check of a pack can tell.
NOT_VOUCHED_FOR: Final = (
    "The time: generated_at, and every time in the pack, is by the clock of who wrote it.",
    "What was not seen: not-seen.json lists what the writer knows of, and no more.",
    "What was left out: a signer can choose which files and logs to put in.",
    "The signer: a fingerprint is only as good as the way by which it came to you.",
    "The state of today: the pack is of the moment in which it was made.",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing by which a pack differs from what its manifest says, or that no pack holds.

    Args:
        path: The file's name.
        kind: `changed`, `added`, `missing`, `link`, `special`, `unsafe_name`, `collision`,
            `duplicate`, `size`, `unreadable`, `manifest`, `signature` or `layout`.
        message: The same in words.
    """

    path: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of the check of a pack.

    Args:
        manifest: The manifest; None when it cannot be relied on.
        differences: Everything that is wrong; empty when all is as it was written.
        fingerprint: Of the key that is in the pack; None when there is no usable one.
        algorithm: How it signs.
        given: The fingerprint that the auditor gave; None when none was.
        signed: Whether the manifest's signature is of the key in the pack.
    """

    manifest: Manifest | None
    differences: tuple[Difference, ...]
    fingerprint: str | None
    algorithm: str | None
    given: str | None
    signed: bool

    @property
    def holds(self) -> bool | None:
        """Return whether it is as the owner of the fingerprint signed it; None if none was given.

        Without a fingerprint anybody may have written the whole pack anew.
        """
        if self.differences:
            return False
        return True if self.given is not None and self.signed else None

    def as_json(self) -> dict[str, Any]:
        """Return it as `ekm evidence verify --json` prints it."""
        manifest = self.manifest
        return {
            "holds": self.holds,
            "generated_at": None if manifest is None else manifest.generated_at,
            "redacted": None if manifest is None else manifest.redacted,
            "members": None if manifest is None else len(manifest.entries),
            "signature": {
                "valid": self.signed,
                "algorithm": self.algorithm,
                "fingerprint": self.fingerprint,
                "given": self.given,
            },
            "differences": [asdict(each) for each in self.differences],
            "not_vouched_for": list(NOT_VOUCHED_FOR),
        }


def verify(container: Container, fingerprint: str | None = None) -> Verification:
    """Verify a pack.

    Args:
        container: The pack.
        fingerprint: Of the key that should have signed, from the auditor; None for none.

    Raises:
        BadInput: It has no manifest, or more names than any pack.
    """
    found = list(container.names())
    differences = list(_structure(found))
    files = {each.path: each for each in found if each.kind == "file" and each.fault is None}
    if MANIFEST not in files:
        raise BadInput(
            "evidence_unreadable",
            f"There is no {MANIFEST} that can be read: this is no pack of evidence.",
            at_fault=MANIFEST,
            remedy="Name the folder or the zip that `ekm evidence write` made.",
        )
    raw = _read(container, MANIFEST, LARGEST_MANIFEST, differences)
    manifest = None
    if raw is not None:
        try:
            manifest = read_manifest(raw)
        except BadInput as error:
            differences.append(Difference(MANIFEST, "manifest", error.message))
    if raw is None or manifest is None:
        return Verification(None, tuple(differences), None, None, fingerprint, signed=False)
    key, signed = _signature(container, files, raw, manifest, differences)
    if fingerprint is not None and (key is None or key.fingerprint != fingerprint):
        differences.append(_other_signer(key, fingerprint))
    differences += _contents(container, files, found, manifest, {each.path for each in differences})
    if not differences and (fault := container.layout_fault()) is not None:
        differences.append(Difference("", "layout", f"{fault[0].upper()}{fault[1:]}."))
    return Verification(
        manifest,
        tuple(differences),
        None if key is None else key.fingerprint,
        None if key is None else key.algorithm,
        fingerprint,
        signed=signed,
    )


def _structure(found: list[Found]) -> Iterator[Difference]:
    """Yield what no pack holds: links, devices, and names that are not of one file in it."""
    for each in found:
        if each.kind == "link":
            yield Difference(each.path, "link", f"{each.path} is a link, and no pack holds one.")
        elif each.kind == "special":
            yield Difference(each.path, "special", f"{each.path} is not a regular file.")
        elif each.fault is not None:
            yield Difference(each.path, "unreadable", f"{each.path} {each.fault}.")
        if _UNSAFE & set(each.path) or {"", ".", ".."} & set(each.path.split("/")):
            yield Difference(
                each.path, "unsafe_name", f"{each.path} leads out of the pack on some systems."
            )
    yield from _meetings(Counter(each.path for each in found))


def _meetings(counted: Counter[str]) -> Iterator[Difference]:
    """Yield the names that two files have, or that are one name where case does not count."""
    by_fold: dict[str, list[str]] = {}
    for path in sorted(counted):
        by_fold.setdefault(folded(path), []).append(path)
        if counted[path] > 1:
            yield Difference(path, "duplicate", f"{path} is in the pack {counted[path]} times.")
    for paths in by_fold.values():
        for path in paths if len(paths) > 1 else ():
            other = paths[1] if path == paths[0] else paths[0]
            yield Difference(
                path, "collision", f"{path} and {other} are one name on some file systems."
            )


def _signature(
    container: Container,
    files: dict[str, Found],
    raw: bytes,
    manifest: Manifest,
    differences: list[Difference],
) -> tuple[PublicKey | None, bool]:
    """Return the key of the pack, and whether the signature is its own; add what is wrong."""
    signer = manifest.signer
    if signer is None:
        return None, False  # a signature without a signer is an added file
    differences += [
        Difference(path, "missing", f"{path} is missing: the manifest names a signer.")
        for path in (SIGNATURE, PUBLIC_KEY)
        if path not in files
    ]
    if SIGNATURE not in files or PUBLIC_KEY not in files:
        return None, False
    pem = _read(container, PUBLIC_KEY, LARGEST_KEY, differences)
    signature = _read(container, SIGNATURE, LARGEST_SIGNATURE, differences)
    if pem is None or signature is None:
        return None, False
    try:
        key = PublicKey.from_pem(pem)
    except UnsuitableKeyError as why:
        differences.append(Difference(PUBLIC_KEY, "signature", f"{PUBLIC_KEY} {why}."))
        return None, False
    if (key.fingerprint, key.algorithm) != (signer.fingerprint, signer.algorithm):
        differences.append(
            Difference(PUBLIC_KEY, "signature", f"{PUBLIC_KEY} is not the key of the manifest.")
        )
    signed = key.verifies(signature, raw)
    if not signed:
        differences.append(
            Difference(
                SIGNATURE,
                "signature",
                f"{SIGNATURE} is not a signature of this {MANIFEST} by {PUBLIC_KEY}: the manifest, "
                "the signature or the key was changed.",
            )
        )
    return key, signed


def _other_signer(key: PublicKey | None, given: str) -> Difference:
    if key is None:
        return Difference(
            SIGNATURE, "signature", f"Nothing shows that the key {given} signed this pack."
        )
    return Difference(
        PUBLIC_KEY,
        "signature",
        f"The key in the pack is {key.fingerprint}, and not the one that you gave, {given}.",
    )


def _contents(
    container: Container,
    files: dict[str, Found],
    found: list[Found],
    manifest: Manifest,
    told: set[str],
) -> Iterator[Difference]:
    """Yield every file that was changed, added or taken away."""
    expected = {MANIFEST, *manifest.entries}
    if manifest.signer is not None:
        expected |= {SIGNATURE, PUBLIC_KEY}
    folders = {path.rpartition("/")[0] for path in _with_parents(expected)}
    for each in found:
        is_ours = each.path in (folders if each.kind == "folder" else expected)
        if not is_ours and each.path not in told:
            what = "folder" if each.kind == "folder" else "file"
            message = f"{each.path} is a {what} that the manifest does not list."
            yield Difference(each.path, "added", message)
    for path, entry in manifest.entries.items():
        if path in told:
            continue
        if path not in files:
            yield Difference(path, "missing", f"{path} is missing.")
            continue
        if files[path].size != entry.size:
            yield Difference(
                path,
                "size",
                f"{path} has {files[path].size} bytes, and the manifest says {entry.size}.",
            )
            continue
        more: list[Difference] = []
        content = _read(container, path, entry.size, more)
        yield from more
        if content is not None and digest_of(content) != entry.sha256:
            yield Difference(path, "changed", f"{path} was changed: its SHA-256 differs.")


def _with_parents(paths: Iterable[str]) -> Iterator[str]:
    """Yield each path and the folders above it."""
    for path in paths:
        parts = path.split("/")
        yield from ("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def _read(
    container: Container, path: str, most: int, differences: list[Difference]
) -> bytes | None:
    """Return a file's content; None when it cannot be read or is longer, with the reason added."""
    try:
        content = container.read(path, most)
    except OSError as error:
        why = error.strerror or str(error)
        differences.append(Difference(path, "unreadable", f"{path} cannot be read: {why}."))
        return None
    if len(content) > most:
        differences.append(Difference(path, "size", f"{path} is longer than {most} bytes."))
        return None
    return content
