"""`ekm decide`: decision cases in, decisions out, a line each."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from openai_ekm.cli import render
from openai_ekm.errors import BadInput
from openai_ekm.evaluation import decide
from openai_ekm.evaluation.case import BadCase, read_case

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["run"]

# One case; a key policy may have 32 KB, so this is more than any case needs.
LONGEST_LINE = 16 * 1024 * 1024
REMEDY = "Write one JSON object a line, with the members id, request and policies."


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideOptions:
    """Options of `ekm decide`."""

    file: str


def run(options: DecideOptions) -> None:
    """Run `ekm decide`."""
    with _opened(options.file) as stream:
        for number, text in _lines(stream, options.file):
            try:
                case = read_case(text)
            except BadCase as error:
                raise _bad(options.file, number, str(error)) from None
            answer = decide(case.request, case.policies).as_json()
            render.json_line({"id": case.id, **answer})
    render.flush()


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
    """Yield number and text of every line that is not blank, with one line in memory at a time."""
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
