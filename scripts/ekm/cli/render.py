"""How results and errors look: one JSON document on stdout, or plain text for people."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import sys

import click

from ekm.errors import BadInput, Defect, EkmError

__all__ = [
    "defect",
    "document",
    "error",
    "prepare_streams",
    "progress",
    "settle_streams",
    "styled",
    "usage_error",
]


def document(value: object) -> None:
    """Print the one JSON document that `--json` promises."""
    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf").lower()
    click.echo(json.dumps(value, indent=2, ensure_ascii=ascii_only))


def progress(text: str) -> None:
    """Say on stderr what is going on, for anything that takes longer than a moment.

    A terminal that is gone must not end a run in the middle of what it does.
    """
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


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


def styled(text: str, *, stream_is_stdout: bool = True, **style: object) -> str:
    """Colour text when a person reads it: a terminal, and no NO_COLOR (no-color.org)."""
    stream = sys.stdout if stream_is_stdout else sys.stderr
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return click.style(text, **style)  # type: ignore[arg-type]


def error(failure: EkmError, *, as_json: bool) -> None:
    """Render an error: text on stderr, and with `--json` the document on stdout too."""
    head = styled(f"error[{failure.id}]", stream_is_stdout=False, fg="red", bold=True)
    click.echo(f"{head}: {failure.message}", err=True)
    for label, text in (
        ("at fault", failure.at_fault),
        ("remedy", failure.remedy),
        ("request id", failure.request_id),
    ):
        if text:
            click.echo(f"  {label}: {text}", err=True)
    if as_json:
        with contextlib.suppress(OSError):  # a full disk: the code and stderr tell it
            document({"error": failure.as_json()})


def usage_error(failure: click.UsageError, *, as_json: bool) -> None:
    """Render click's own refusal of the command line, with its usage lines."""
    failure.show()
    if as_json:
        refusal = BadInput("usage", failure.format_message(), remedy="See --help.")
        document({"error": refusal.as_json()})


def defect(failure: Exception, *, as_json: bool) -> int:
    """Render what should not have happened, without a traceback; return its exit code."""
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
    ours = Defect(
        "defect",
        f"This is a defect in ekm: {type(failure).__name__}: {failure}",
        remedy="Run again with EKM_DEBUG=1 and report what it prints.",
    )
    error(ours, as_json=as_json)
    return ours.exit_code


def _no_room(failure: OSError) -> bool:
    """Whether a write found no room; unbuffered output fails at once, and a flush says nothing."""
    return failure.filename is None and failure.errno in (errno.ENOSPC, errno.EDQUOT)


def _output_is_lost() -> bool:
    """Whether what was printed cannot be written to standard output."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        return True
    return False
