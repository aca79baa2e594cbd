"""Print and write the answer of a verb that judges, in the formats that were asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from openai_ekm.cli import render
from openai_ekm.cli.options import FORMATS
from openai_ekm.errors import BadInput
from openai_ekm.files import write_atomically
from openai_ekm.printable import json_text
from openai_ekm.reports import (
    accept,
    as_github,
    as_junit,
    as_markdown,
    as_sarif,
    exit_code,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from openai_ekm.reports import Report

__all__ = ["Answer", "Delivery", "ReportOptions", "place_of", "shown_at"]

_WRITERS: Final[Mapping[str, Callable[[Sequence[Report]], str]]] = {
    "sarif": lambda reports: json_text(as_sarif(reports), indent=2) + "\n",
    "junit": as_junit,
    "markdown": as_markdown,
    "github": as_github,
}
_CLAIMS: Final = re.compile(r"[a-z_]+(?:,[a-z_]+)*")


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Options of a verb that judges, as `report_options` declares them."""

    format_: str | None
    as_json: bool
    outputs: tuple[str, ...]
    sarif: Path | None
    source_file: str | None
    acceptances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a verb.

    Args:
        reports: For the formats of pipelines; undecided findings are accepted already.
        document: For `json`.
        lines: For `text`.
    """

    reports: Sequence[Report]
    document: Mapping[str, Any]
    lines: Sequence[render.Line]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer is delivered: formats, files, and what is accepted undecided.

    Args:
        printed: The format on standard output.
        written: Files to write, each with its format.
        sarif: The file of `--sarif`.
        accepted: Claim to reason.
    """

    printed: str = "text"
    written: tuple[tuple[str, Path], ...] = ()
    sarif: Path | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, known: Iterable[str], options: ReportOptions) -> Delivery:
        """Read the options.

        Args:
            known: Every claim that the verb may leave undecided.
            options: The verb's.

        Raises:
            click.UsageError: An option has another form, or two exclude each other.
        """
        if options.as_json and options.format_ not in {None, "json"}:
            raise click.UsageError(
                f"--json means --format json: give it or --format {options.format_}."
            )
        return cls(
            printed="json" if options.as_json else options.format_ or "text",
            written=tuple(_output(each) for each in options.outputs),
            sarif=options.sarif,
            accepted=_accepted(options.acceptances, tuple(known)),
        )

    def accept(self, reports: Sequence[Report]) -> list[Report]:
        """Mark what is accepted undecided.

        Args:
            reports: What was found.
        """
        return accept(reports, self.accepted)

    def deliver(self, answer: Answer) -> int:
        """Write the files, print the answer, and return the exit code.

        Args:
            answer: The answer.

        Raises:
            BadInput: A file cannot be written.
        """
        if self.sarif is not None:
            try:
                write_atomically(self.sarif, _text("sarif", answer))
            except OSError as error:
                raise BadInput(
                    "sarif_not_written",
                    f"{self.sarif} cannot be written: {error.strerror}.",
                    at_fault=str(self.sarif),
                    remedy="Name a file in a folder that exists and may be written to.",
                ) from None
        for name, file in self.written:
            try:
                write_atomically(file, _text(name, answer))
            except OSError as error:
                raise BadInput(
                    "output_file_not_written",
                    f"{file} cannot be written: {error.strerror}.",
                    at_fault=str(file),
                    remedy="Name a file in a folder that exists and may be written to.",
                ) from None
        if self.printed == "json":
            render.document(answer.document)
        elif self.printed == "text":
            render.result(*answer.lines)
        else:
            render.whole(_text(self.printed, answer))
        return exit_code(answer.reports)


def _text(name: str, answer: Answer) -> str:
    if name == "json":
        return json_text(answer.document, indent=2) + "\n"
    if name == "text":
        return "".join(f"{render.rendered(line, None)}\n" for line in answer.lines)
    return _WRITERS[name](answer.reports)


def _output(given: str) -> tuple[str, Path]:
    name, sign, file = given.partition("=")
    if not sign or name not in FORMATS or not file or "\0" in file:
        raise click.UsageError(
            f"--output {given!r} is not FORMAT=FILE. The formats are {', '.join(FORMATS)}."
        )
    return name, Path(file)


def _accepted(given: tuple[str, ...], known: tuple[str, ...]) -> dict[str, str]:
    """Return the claims that are accepted, each with its reason."""
    found: dict[str, str] = {}
    for each in given:
        names, _, reason = each.partition("=")
        if not _CLAIMS.fullmatch(names) or not reason.strip():
            raise click.UsageError(
                f"--accept-undecided {each!r} is not CLAIM=REASON. Say why you accept the claim, "
                f"as in --accept-undecided {known[0]}='the owner of the key proves it'."
            )
        for name in names.split(","):
            if name not in known:
                raise click.UsageError(
                    f"--accept-undecided names {name!r}, which is no claim. The claims are "
                    f"{', '.join(known)}."
                )
            found[name] = reason.strip()
    return found


def shown_at(
    read: Iterable[str | None], folder: str | None, instance: str, named: str | None
) -> tuple[str, int]:
    """Return the file and line at which a person can look at what was judged.

    Args:
        read: Files that were read; `-` and None are none.
        folder: The root module, if one was named.
        instance: Address of the module's instance.
        named: `--source`.
    """
    if named is not None:
        return named, 1
    for given in read:
        if given not in {None, "-"}:
            return place_of(Path(str(given))), 1
    root = Path(folder if folder not in {None, "-"} else ".")
    # A plan that is piped in, or AWS: the root module that it is of.
    files = sorted(root.glob("*.tf"), key=lambda each: (each.name != "main.tf", each.name))
    called = re.match(r"module\.([\w-]+)", instance)
    if called is not None:
        block = re.compile(rf'\s*module\s+"{re.escape(called[1])}"')
        for file in files:
            for number, line in enumerate(_lines(file), 1):
                if block.match(line):
                    return place_of(file), number
    return place_of(files[0] if files else root), 1


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []


def place_of(path: Path) -> str:
    """Return a file as code scanning finds it: relative to the repository that it is in.

    Args:
        path: The file.
    """
    found = path.resolve()
    here = Path.cwd()
    top = next((each for each in (here, *here.parents) if (each / ".git").exists()), here)
    try:
        return found.relative_to(top).as_posix()
    except ValueError:
        return f"file://{found.as_posix()}"
