"""How results and errors look: one JSON document on stdout, or plain text for people.

All output passes here, and a test forbids it elsewhere. The caller gives lines; a line is escaped
as a whole (`openai_ekm.printable`), so that no value in it can end the line or act on the terminal.
Only this module writes the ends of lines and the colours.

A long line is broken at blanks only. A command between backquotes and a long word, such as an ARN,
stay whole: a person copies them.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shutil
import sys
import threading
import time
import traceback
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from openai_ekm.errors import BadInput, Defect, EkmError
from openai_ekm.printable import json_text, printable
from openai_ekm.project import documentation_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Line",
    "Styled",
    "break_points",
    "columns_of",
    "configure",
    "defect",
    "document",
    "error",
    "flush",
    "is_quiet",
    "json_line",
    "log",
    "prepare_streams",
    "progress",
    "rendered",
    "result",
    "settle_streams",
    "usage_error",
    "verbatim",
    "waiting",
    "whole",
]

_WORD: Final = re.compile(r"(?:`[^`]*`|[^ `]|`)+")
_NARROWEST: Final = 40  # columns; below it a broken line is harder to read than a long one
_INDENT: Final = 2  # columns that a continued line is moved in


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: wide letters take two, marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def break_points(line: str, width: int) -> dict[int, str]:
    """Return where to break a line, and what then stands in place of the blank.

    Args:
        line: The line, without colours and without its end.
        width: Columns of the terminal.

    Returns:
        The index of each blank that is replaced, with a newline and the blanks that the next
        line begins with: two more than the line itself.
    """
    if width < _NARROWEST or columns_of(line) <= width:
        return {}
    indent = len(line) - len(line.lstrip(" "))
    continued = min(indent + _INDENT, width // 2)
    breaks: dict[int, str] = {}
    column = end = 0
    for word in _WORD.finditer(line):
        blanks = word.start() - end
        length = columns_of(word[0])
        if column + blanks + length > width and end > indent:
            breaks[word.start() - 1] = "\n" + " " * continued
            column = continued + length
        else:
            column += blanks + length
        end = word.end()
    return breaks


@dataclass(frozen=True, slots=True)
class Styled:
    """A piece of a line in colour, where a person reads it."""

    text: str
    colour: str


# One line of output, without its end: text, or pieces of which some are in colour.
Line = str | tuple[str | Styled, ...]


@dataclass(frozen=True, slots=True)
class _Settings:
    """How this process prints.

    Args:
        quiet: Whether progress is left out.
        debug: Whether a defect shows its traceback.
        colour: Whether to colour; None where the environment and the terminal decide.
    """

    quiet: bool = False
    debug: bool = False
    colour: bool | None = None


_settings = _Settings()


def configure(**settings: Any) -> None:
    """Change how this process prints, from now on.

    Args:
        settings: Members of `_Settings`: quiet, debug, colour.
    """
    global _settings  # noqa: PLW0603 - of the process, as its streams are
    _settings = replace(_settings, **settings)


def is_quiet() -> bool:
    """Return whether progress is left out."""
    return _settings.quiet


def _is_coloured(stream: TextIO | None) -> bool:
    """Return whether a stream gets colours: https://no-color.org and https://force-color.org."""
    if stream is None or _settings.colour is False or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def rendered(line: Line, stream: TextIO | None, *, wrap: bool = False) -> str:
    """Return a line as a stream shows it: escaped, and in colour on a terminal.

    Args:
        line: The line.
        stream: Where it is to be shown; None when that is closed.
        wrap: Whether to break it at blanks to fit a terminal.
    """
    pieces = [
        (printable(piece), None) if isinstance(piece, str) else (printable(piece.text), piece)
        for piece in ((line,) if isinstance(line, str) else line)
    ]
    breaks: dict[int, str] = {}
    if wrap and stream is not None and stream.isatty():
        width = shutil.get_terminal_size().columns
        breaks = break_points("".join(text for text, _ in pieces), width)
    coloured = _is_coloured(stream)
    shown, position = [], 0
    for text, style in pieces:
        whole = text
        for place in sorted(breaks, reverse=True):
            if position <= place < position + len(text):
                cut = place - position
                whole = whole[:cut] + breaks[place] + whole[cut + 1 :]
        position += len(text)
        styled = coloured and style is not None
        shown.append(click.style(whole, fg=style.colour, bold=True) if styled and style else whole)
    return "".join(shown)


def _echo(line: Line, stream: TextIO | None, *, wrap: bool) -> None:
    # click takes colours out where there is no terminal, and FORCE_COLOR wants them there.
    click.echo(rendered(line, stream, wrap=wrap), file=stream, color=_is_coloured(stream))


def result(*lines: Line) -> None:
    """Print lines on stdout: what was asked for.

    Args:
        lines: One argument is one line, whatever a value in it holds. A terminal gets it broken
            at blanks.
    """
    for line in lines:
        _echo(line, sys.stdout, wrap=True)


def verbatim(*lines: Line) -> None:
    """Print lines on stdout that a person copies whole: HCL, a letter. They are never broken."""
    for line in lines:
        _echo(line, sys.stdout, wrap=False)


def progress(*lines: Line) -> None:
    """Say on stderr what is going on, for anything that takes longer than a moment.

    A terminal that is gone must not end a run in the middle of what it does. `-q` leaves it out.

    Args:
        lines: As in `result`.
    """
    if is_quiet():
        return
    with contextlib.suppress(OSError):
        for line in lines:
            _echo(line, sys.stderr, wrap=True)


def log(*lines: str) -> None:
    """Print lines of a log that was asked for on stderr; `-q` does not leave them out."""
    with contextlib.suppress(OSError):
        for line in lines:
            _echo(line, sys.stderr, wrap=False)


SOON = 2.0  # seconds after which a person wants to know what is going on
AGAIN = 10.0  # seconds between two signs of life


@contextlib.contextmanager
def waiting(doing: str, *, after: float = SOON, every: float = AGAIN) -> Iterator[None]:
    """Say on stderr what is going on while the block runs, if it takes long.

    Args:
        doing: A sentence, without its full stop: `Reading the plan`.
        after: Seconds until it is said.
        every: Seconds until it is said again, with the time since the start.
    """
    ended = threading.Event()

    def speak() -> None:
        start = time.monotonic()
        if ended.wait(after):
            return
        progress(f"{doing} …")
        while not ended.wait(every):
            progress(f"{doing} … ({time.monotonic() - start:.0f} s)")

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield
    finally:
        ended.set()
        speaker.join()


def document(value: object) -> None:
    """Print the one JSON document that `--json` promises."""
    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf").lower()
    click.echo(json_text(value, indent=2, ensure_ascii=ascii_only))


def whole(text: str) -> None:
    """Print a whole text on stdout that a writer of `openai_ekm.reports` has made and escaped."""
    click.echo(text, nl=False)


def json_line(value: object) -> None:
    """Print one of many JSON values on a line of its own, for programs that read lines.

    A program that reads along needs `flush`.
    """
    sys.stdout.write(json_text(value, ensure_ascii=True) + "\n")


def flush() -> None:
    """Hand over what was printed on stdout."""
    sys.stdout.flush()


def prepare_streams() -> None:
    """Let no name that this locale cannot show end a run in an error of the printing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def settle_streams(code: int) -> int:
    """Flush what was printed, or give it up: Python would end in a code of its own for it.

    Returns:
        The exit code; 1 instead of 0 when the result has not reached standard output.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = code or int(stream is sys.stdout)
    return code


def error(failure: EkmError, *, as_json: bool) -> None:
    """Render an error: text on stderr, and with `--json` the document on stdout too."""
    _to_stderr((Styled(f"error[{failure.id}]", "red"), f": {failure.message}"))
    for label, text in (
        ("at fault", failure.at_fault),
        ("remedy", failure.remedy),
        ("request id", failure.request_id),
    ):
        if text:
            _to_stderr(f"  {label}: {text}")
    _to_stderr(f"  see: {documentation_address(f'docs/errors.md#{failure.id}')}")
    if as_json:
        with contextlib.suppress(OSError):  # a full disk: the code and stderr tell it
            document({"error": failure.as_json()})


def usage_error(failure: click.ClickException, *, as_json: bool) -> None:
    """Render click's own refusal of the command line, with its usage lines.

    A group without a verb gets its whole help.
    """
    if isinstance(failure, click.exceptions.NoArgsIsHelpError) and failure.ctx is not None:
        _to_stderr(*failure.ctx.get_help().split("\n"))
        return
    if isinstance(failure, click.UsageError) and failure.ctx is not None:
        _to_stderr(*failure.ctx.get_usage().split("\n"))
        _to_stderr(f"Try '{failure.ctx.command_path} --help' for help.", "")
    _to_stderr(f"Error: {failure.format_message()}")
    if as_json:
        refusal = BadInput("usage", failure.format_message(), remedy="See --help.")
        document({"error": refusal.as_json()})


def _to_stderr(*lines: Line) -> None:
    for line in lines:
        _echo(line, sys.stderr, wrap=True)


def defect(failure: Exception, *, as_json: bool) -> int:
    """Render what should not have happened; return its exit code.

    The traceback is shown with `--debug` or `EKM_DEBUG=1` alone.
    """
    if isinstance(failure, OSError) and (_no_room(failure) or _output_is_lost()):
        unwritten = BadInput(
            "output_not_written",
            f"The result cannot be written to standard output: {failure.strerror}. What was done "
            "stands.",
            at_fault="standard output",
            remedy="Make room, then run again: what is done is found, and told.",
        )
        error(unwritten, as_json=False)
        return unwritten.exit_code
    # Nothing else here needs OpenAI's API, and `--help` needs none of it.
    from openai_ekm.openai_api.redaction import redact  # noqa: PLC0415

    if _settings.debug or os.environ.get("EKM_DEBUG"):
        _to_stderr(*_trace(failure, redact))
    ours = Defect(
        "defect",
        f"This is a defect in ekm: {type(failure).__name__}: {redact(str(failure))}",
        remedy="Run again with --debug and report what it prints.",
    )
    error(ours, as_json=as_json)
    return ours.exit_code


def _trace(failure: Exception, redact: Callable[[str], str]) -> list[str]:
    """Return the lines of a traceback without the admin key, each message on one line."""
    lines: list[str] = []
    for part in traceback.TracebackException.from_exception(failure).format():
        text = redact(part).strip("\n")
        lines += text.split("\n") if text.startswith("  File ") else [text]
    return lines


def _no_room(failure: OSError) -> bool:
    """Return whether a write found no room; unbuffered output fails at once, a flush is silent."""
    return failure.filename is None and failure.errno in (errno.ENOSPC, errno.EDQUOT)


def _output_is_lost() -> bool:
    """Return whether what was printed cannot be written to standard output."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        return True
    return False
