"""Snapshots and plans from JSON text: a file, or standard input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_content, read_json
from openai_ekm.policy.json_text import noticing_repeats
from openai_ekm.snapshot.snapshot import Snapshot
from openai_ekm.terraform import is_saved_plan, read_printed, run_show

__all__ = ["read_plan", "read_snapshot"]


def read_snapshot(source: str) -> Snapshot:
    """Read a snapshot.

    Args:
        source: Path of a file, or `-` for standard input.

    Raises:
        BadInput: It cannot be read, is not JSON, or is no snapshot.
    """
    what = "a snapshot"
    content = _read(source, what)
    if is_saved_plan(content):
        raise _bad(source, what, "it is a saved plan, which --from-plan reads")
    try:
        body = read_json(content, pairs=noticing_repeats)
    except UnreadableJsonError as error:
        raise _bad(source, what, f"it {error}") from None
    if not isinstance(body, dict):
        raise _bad(source, what, f"it is a JSON {type(body).__name__}, not an object")
    return Snapshot.from_json(body)


def read_plan(source: str) -> tuple[dict[str, Any], str | None]:
    """Read what `terraform show -json PLAN` prints; Terraform is asked for it of a saved plan.

    Args:
        source: Path of a file, or `-` for standard input.

    Returns:
        The plan; and a sentence about lines that were read past, None where there were none.

    Raises:
        BadInput: It cannot be read, or is no JSON object; or Terraform does not read it.
    """
    what = "a plan as JSON"
    content = _read(source, what)
    if is_saved_plan(content) and source != "-":
        content = run_show(Path(source))
    try:
        return read_printed(content)
    except UnreadableJsonError as error:
        raise _bad(source, what, f"it {error}") from None


def _read(source: str, what: str) -> bytes:
    try:
        return read_content(source)
    except OSError as error:
        raise BadInput(
            "snapshot_unreadable",
            f"{_name(source)} cannot be read: {error.strerror}.",
            at_fault=_name(source),
            remedy=f"Name a file that holds {what}, or - for standard input.",
        ) from None


def _name(source: str) -> str:
    return "standard input" if source == "-" else source


def _bad(source: str, what: str, reason: str) -> BadInput:
    return BadInput(
        "snapshot_malformed",
        f"{_name(source)} is not {what}: {reason}.",
        at_fault=_name(source),
        remedy="Give what `ekm snapshot`, `terraform show -json PLAN` or `terraform output -json` "
        "prints, whole.",
    )
