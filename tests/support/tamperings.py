"""Tamperings of a pack of evidence, generated from a seed: each kind in turn, each of some file."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openai_ekm.evidence.manifest import MANIFEST, PUBLIC_KEY, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Tampering", "tamperings"]

Files = dict[str, bytes]
_SIGNING: Final = frozenset({MANIFEST, SIGNATURE, PUBLIC_KEY})


@dataclass(frozen=True)
class Tampering:
    """A pack that was tampered with.

    Args:
        kind: What was done.
        files: The pack, afterwards.
        named: Of these, the check names at least one.
    """

    kind: str
    files: Files
    named: frozenset[str]


def tamperings(whole: Mapping[str, bytes], count: int, *, seed: int) -> Iterator[Tampering]:
    """Yield so many tamperings of a pack.

    Without a signature the manifest itself is left alone: anybody could have written it.
    """
    chance = random.Random(seed)
    signed = SIGNATURE in whole
    paths = sorted(path for path in whole if signed or path != MANIFEST)
    for number in range(count):
        kind = list(_KINDS)[number % len(_KINDS)]
        files = dict(whole)
        path = paths[chance.randrange(len(paths))]
        if kind == "remove" and path == MANIFEST:
            path = SIGNATURE  # without a manifest it is no pack
        named = _KINDS[kind](files, path, chance.randrange(10_000))
        assert files != whole
        yield Tampering(kind, files, frozenset(named))


def _flip(files: Files, path: str, number: int) -> set[str]:
    content = files[path]
    place = number % len(content)
    changed = bytes([content[place] ^ (1 << number % 8)])
    files[path] = content[:place] + changed + content[place + 1 :]
    return _names(path)


def _cut(files: Files, path: str, number: int) -> set[str]:
    files[path] = files[path][: number % len(files[path])]
    return _names(path)


def _grow(files: Files, path: str, _number: int) -> set[str]:
    files[path] += b" "
    return _names(path)


def _remove(files: Files, path: str, _number: int) -> set[str]:
    del files[path]
    return {path}


def _add(files: Files, path: str, number: int) -> set[str]:
    folder = path.rpartition("/")[0]
    added = f"{folder}/added-{number}".lstrip("/")
    files[added] = b"{}"
    return {added}


def _swap(files: Files, path: str, _number: int) -> set[str]:
    other = "proof.json" if path != "proof.json" else "snapshot.json"
    files[path], files[other] = files[other], files[path]
    return {other} | _names(path)


def _names(path: str) -> set[str]:
    """What may be named for a change of a file: of what signs, any of the three."""
    return set(_SIGNING) if path in _SIGNING else {path}


_KINDS: Final[dict[str, Callable[[Files, str, int], set[str]]]] = {
    "flip": _flip,
    "cut": _cut,
    "grow": _grow,
    "remove": _remove,
    "add": _add,
    "swap": _swap,
}
