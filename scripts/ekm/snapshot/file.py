"""Snapshots from JSON text: a file, standard input, or what another reader hands over."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from ekm.errors import BadInput
from ekm.policy.json_text import loads
from ekm.snapshot.depth import DEEPEST, is_too_deep
from ekm.snapshot.value import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LARGEST", "read_json", "read_snapshot", "read_text"]

LARGEST: Final = 64 * 1024 * 1024  # bytes; a plan of a large root has some ten million


def read_snapshot(source: str, *, strict: bool = True, stdin: BinaryIO | None = None) -> Snapshot:
    """Read a snapshot.

    Args:
        source: Path of a file, or `-` for standard input.
        strict: Refuse unknown members where they could change a judgement.
        stdin: Read instead of the process's own.

    Raises:
        BadInput: It cannot be read, is not JSON, or is no snapshot.
    """
    body = read_json(source, what="a snapshot", stdin=stdin)
    return Snapshot.from_json(body, strict=strict)


def read_json(source: str, *, what: str, stdin: BinaryIO | None = None) -> Mapping[str, Any]:
    """Read a JSON object.

    Args:
        source: Path of a file, or `-` for standard input.
        what: What it should be, for messages.
        stdin: Read instead of the process's own.

    Raises:
        BadInput: It cannot be read, or is not a JSON object.
    """
    text = read_text(source, what=what, stdin=stdin)
    name = _name(source)
    try:
        value = loads(text)
    except ValueError as error:
        raise _bad(name, what, f"it is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise _bad(name, what, f"it is a JSON {type(value).__name__}, not an object")
    if is_too_deep(value):
        raise _bad(name, what, f"it is nested deeper than {DEEPEST} levels")
    return value


def read_text(source: str, *, what: str, stdin: BinaryIO | None = None) -> str:
    """Read UTF-8 text of at most `LARGEST` bytes.

    Raises:
        BadInput: It cannot be read, is too long, or is not UTF-8.
    """
    name = _name(source)
    try:
        if source == "-":
            content = (stdin or sys.stdin.buffer).read(LARGEST + 1)
        else:
            with Path(source).open("rb") as stream:
                content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(
            "snapshot_unreadable",
            f"{name} cannot be read: {reason}.",
            at_fault=name,
            remedy=f"Name a file that holds {what}, or - for standard input.",
        ) from None
    if len(content) > LARGEST:
        raise _bad(name, what, f"it is longer than {LARGEST} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(name, what, f"it is not UTF-8 at byte {error.start}") from None


def _name(source: str) -> str:
    return "standard input" if source == "-" else source


def _bad(name: str, what: str, reason: str) -> BadInput:
    return BadInput(
        "snapshot_malformed",
        f"{name} is not {what}: {reason}.",
        at_fault=name,
        remedy="Give what `ekm snapshot`, `terraform show -json PLAN` or `terraform output -json` "
        "prints, whole.",
    )
