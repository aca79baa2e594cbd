"""`ekm decide`: decision cases in, decisions out, a line each."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["command"]

# One case; a key policy may have 32 KB, so this is more than any case needs.
LONGEST_LINE = 16 * 1024 * 1024
REMEDY = "Write one JSON object a line, with the members id, request and policies."


@click.command(name="decide")
@click.argument("file", metavar="FILE|-")
@click.option("--json", is_flag=True, expose_value=False, help="Answers are JSON in any case.")
def command(file: str) -> None:
    """Decide requests against policies, as AWS would.

    Reads decision cases, one JSON object a line, from FILE or standard input, and prints one
    answer a line, as each is decided.

    \b
    Example:
      echo '{"id": "1", "request": {...}, "policies": {...}}' | ekm decide -
      {"id": "1", "decision": "Allowed", "decided_by": [...], "missing": []}
    """
    # The evaluator is imported here so that `ekm --help` does not pay for it.
    from ekm.evaluation import decide  # noqa: PLC0415
    from ekm.evaluation.case import BadCase, read_case  # noqa: PLC0415

    with _opened(file) as stream:
        for number, text in _lines(stream, file):
            try:
                case = read_case(text)
            except BadCase as error:
                raise _bad(file, number, str(error)) from None
            answer = decide(case.request, case.policies).as_json()
            sys.stdout.write(json.dumps({"id": case.id, **answer}))
            sys.stdout.write("\n")
    sys.stdout.flush()


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below; here only its refusal counts
    except OSError as error:
        raise BadInput(
            "cases_unreadable",
            f"{file} cannot be read: {error.strerror}.",
            at_fault=file,
            remedy="Name a file of decision cases, or - for standard input.",
        ) from None
    with stream:
        yield stream


def _lines(stream: BinaryIO, file: str) -> Iterator[tuple[int, str]]:
    """Number and text of every line that is not blank, one in memory at a time."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise _bad(file, number, f"longer than {LONGEST_LINE} bytes")
        try:
            # A mark before the first line (Windows writes one) is no part of it.
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise _bad(file, number, f"not UTF-8 at byte {error.start}") from None
        if text.strip():
            yield number, text


def _bad(file: str, number: int, reason: str) -> BadInput:
    name = "standard input" if file == "-" else file
    return BadInput(
        "case_malformed",
        f"Line {number} of {name} is not a decision case: {reason}.",
        at_fault=f"{name}:{number}",
        remedy=REMEDY,
    )
